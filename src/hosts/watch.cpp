// One connection into the tables.
#include "finwait/hosts/watch.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "finwait/wire/segment.h"
#include "watch_impl.h"

namespace finwait::hosts {
namespace {

using tcp::AnomalyKind;
using tcp::Connection;
using tcp::Opening;
using tcp::Outcome;
namespace known = tcp::known;
namespace flag = wire::tcp_flag;

constexpr base::Duration kSynAckRepeats = 4 * base::kSecond;  ///< RFC 6298: after 1 s; older stacks after 3 s
constexpr std::uint64_t kBusyFrom = kFewestTimeWaits;         ///< TIME-WAITs on a route
constexpr std::uint64_t kTroubleWeight = 16;                  ///< a connection in trouble is worth more than one that is not

const tcp::Anomaly* find(const Outcome& outcome, AnomalyKind kind) noexcept {
  const auto at =
      std::find_if(outcome.anomalies.begin(), outcome.anomalies.end(), [kind](const tcp::Anomaly& a) { return a.kind == kind; });
  return at == outcome.anomalies.end() ? nullptr : &*at;
}

bool established(Opening opening) noexcept {
  switch (opening) {
    case Opening::kThreeWay:
    case Opening::kFastOpen:
    case Opening::kSimultaneous:
    case Opening::kSplit:
    case Opening::kMidstream:
      return true;
    default:
      return false;
  }
}

bool answered(Opening opening) noexcept { return established(opening) || opening == Opening::kHalfOpen || opening == Opening::kAborted; }

bool has_payload(const Connection& c) noexcept { return c.ends[0].counters.payload_bytes + c.ends[1].counters.payload_bytes != 0; }

/// An operating system's own SYN brings options; raw SYNs of scanners bring none, or a maximum segment size alone.
Technique technique_of_syn(const tcp::Endpoint& originator) noexcept {
  const bool rich = originator.knows(known::kSackPermitted) || originator.knows(known::kWindowScale);
  return rich ? Technique::kConnect : Technique::kSyn;
}

/// Where the first probe of a host waits. Whoever aims at one place only makes another's first one forgotten.
std::size_t place_of(const std::array<std::uint8_t, 16>& address) noexcept {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  std::memcpy(&high, address.data(), sizeof high);
  std::memcpy(&low, address.data() + sizeof high, sizeof low);
  return static_cast<std::size_t>(((high ^ high >> 29 ^ low) * 0x9e37'79b9'7f4a'7c15) >> 50);
}

/// A segment that opens nothing, sent to see what comes back; kSyn if it is none.
Technique technique_without_syn(const Outcome& outcome) noexcept {
  const tcp::Endpoint& x = outcome.connection.orig();
  if (const tcp::Anomaly* illegal = find(outcome, AnomalyKind::kSynFlagsIllegal)) {
    const auto flags = static_cast<std::uint16_t>(illegal->values[0]);
    if ((flags & (flag::kSyn | flag::kRst | flag::kAck | flag::kFin)) == 0) return Technique::kNull;
    if ((flags & (flag::kSyn | flag::kRst | flag::kAck)) == 0 && (flags & flag::kPsh) != 0) return Technique::kXmas;
    return flags == flag::kFin ? Technique::kFin : Technique::kOther;
  }
  const bool lone_fin = x.counters.fin != 0 && x.counters.fin == x.counters.packets && x.counters.payload_bytes == 0;
  return lone_fin && !x.facts.has(tcp::Fact::kSpoke) ? Technique::kFin : Technique::kSyn;
}

}  // namespace

HostWatch::Impl::Impl(const HostOptions& given)
    : options(given),
      numbers(given.isn),
      subjects(kSubjects, given.seed),
      routes(kRoutes, given.seed),
      targets(kProbes, given.seed),
      sweeps(kProbes, given.seed),
      first_probes(kFirstProbes),
      details(kDetails),
      windows(kWindows),
      sketches(kSketches),
      busy_routes(kBusyRoutes),
      address_hash(1),
      reused(kReused) {}

void HostWatch::Impl::observe(const Outcome& outcome) noexcept {
  sample_numbers(outcome);
  count_ends(outcome);
  count_probe(outcome);
  const Connection& c = outcome.connection;
  const std::uint64_t lost = c.ends[0].counters.missing_bytes + c.ends[1].counters.missing_bytes;
  const std::uint64_t bytes = c.ends[0].counters.payload_bytes + c.ends[1].counters.payload_bytes;
  payload += bytes;
  missing += lost;
  with_payload += bytes + lost != 0;
  if (lost == 0) return;
  ++incomplete;
  lossy.add(c.id);
  lossy_span.add(c.start);
  lossy_span.add(std::min(c.end, latest_time(c)));
}

// A SYN is a sample of its sender, a SYN-ACK of its listener: the first of each, whatever is repeated.
void HostWatch::Impl::sample_numbers(const Outcome& outcome) noexcept {
  const Connection& c = outcome.connection;
  for (unsigned end = 0; end != 2; ++end) {
    const tcp::Endpoint& x = c.ends[end];
    if (!x.knows(known::kIss)) continue;
    if (x.knows(known::kPlainSyn)) {
      sample(outcome, end, false);
    } else if (x.knows(known::kSynAck)) {
      sample(outcome, end, true);
    }
  }
  remember_reused(outcome);
}

void HostWatch::Impl::sample(const Outcome& outcome, unsigned end, bool listener) noexcept {
  const Connection& c = outcome.connection;
  const tcp::Endpoint& x = c.ends[end];
  IsnSample s;
  s.time = std::min(x.syns.first.time, latest_time(c));
  s.connection = c.id;
  s.isn = x.iss;
  s.host = end == 0 ? c.key.low : c.key.high;
  s.peer = end == 0 ? c.key.high : c.key.low;
  s.host_port = end == 0 ? c.key.low_port : c.key.high_port;
  s.peer_port = end == 0 ? c.key.high_port : c.key.low_port;
  s.port = listener ? s.host_port : std::uint16_t{0};
  s.network = c.key.network;
  s.ttl = x.ttl;
  s.options_signature = x.options_signature;
  if (c.replaced == tcp::Replaced::kInTimeWait || c.replaced == tcp::Replaced::kInTimeWaitViolating) {
    const Reused& old = reused[c.hash % kReused];
    s.after_time_wait = true;
    s.previous_snd_nxt = old.hash == c.hash ? old.snd_nxt[end] : x.iss - 1;  // not known any more: in doubt it says nothing
  }
  numbers.add(s);
}

// The older incarnation is over before the newer one: it waits 2 MSL from the new SYN on, the newer one from its end.
void HostWatch::Impl::remember_reused(const Outcome& outcome) noexcept {
  const auto& wait = outcome.verdict.time_wait;
  if (!wait || wait->ended != tcp::TimeWaitEnd::kReused) return;
  const Connection& c = outcome.connection;
  reused[c.hash % kReused] = {c.hash, {c.ends[0].snd_nxt, c.ends[1].snd_nxt}};
}

void HostWatch::Impl::count_ends(const Outcome& outcome) noexcept {
  const Connection& c = outcome.connection;
  if (answered(outcome.verdict.opening)) {
    const std::uint64_t weight = outcome.anomalies.empty() ? 1 : kTroubleWeight;
    const auto leaving = [this](Subject& gone) { leave(gone); };
    const unsigned responder = 1U - c.originator;
    Subject& listener = subjects.touch(subject_key(c.key, responder, true), weight, leaving);
    count_handshake(listener, outcome);
    count_common(listener, outcome, responder);
    if (established(outcome.verdict.opening)) {
      Subject& originator = subjects.touch(subject_key(c.key, c.originator, false), weight, leaving);
      count_common(originator, outcome, c.originator);
    }
  }
  for_each_stay(outcome, [&](const Stay& stay) {
    if (stay.state == tcp::State::kUnknown || stay.state == tcp::State::kListen || stay.state == tcp::State::kClosed) return;
    populations[static_cast<std::size_t>(stay.state)].add_stay(stay.from, stay.until);
    if (stay.state == tcp::State::kTimeWait && stay.end == c.originator) count_time_wait(outcome, stay);
  });
}

/// What an end of an established connection sent.
void HostWatch::Impl::count_common(Subject& subject, const Outcome& outcome, unsigned which) noexcept {
  const Connection& c = outcome.connection;
  if (!established(outcome.verdict.opening)) return;
  const tcp::Counters& sent = c.ends[which].counters;
  ++subject.established;
  subject.with_data += has_payload(c);
  subject.segments += sent.packets - std::min<std::uint64_t>(sent.duplicates, sent.packets);
  subject.repeated += sent.retransmitted_segments;
  if (sent.retransmitted_segments != 0) happen(subject, {c.id, c.start, c.end, Trouble::kRepeated});
  count_lingering(subject, outcome, which);
}

void HostWatch::Impl::count_handshake(Subject& listener, const Outcome& outcome) noexcept {
  const Connection& c = outcome.connection;
  const tcp::Handshake& h = c.handshake;
  if (outcome.verdict.opening == Opening::kHalfOpen && h.syn_ack_frame != 0) {
    const base::Timestamp until = c.released_at == base::kNever ? input_end : c.released_at;
    const bool repeated = h.syn_ack_retries != 0;
    listener.stateful += repeated;
    listener.stateless += !repeated && base::elapsed(h.syn_ack_time, until) >= kSynAckRepeats;
    happen(listener, {c.id, std::min(h.syn_ack_time, latest_time(c)), c.released_at, Trouble::kHalfOpen});
  }
  if (const tcp::Anomaly* lost = find(outcome, AnomalyKind::kHandshakeAckLost)) {
    happen(listener, {c.id, lost->time, lost->time, Trouble::kAckLost});
  }
  if (outcome.verdict.ending == tcp::Ending::kReset && established(outcome.verdict.opening) && has_payload(c)) {
    happen(listener, {c.id, std::min(c.end, latest_time(c)), c.end, Trouble::kReset});
  }
}

/// An end that lingered in a state waits there as long as it stayed in it. Where one end lingers in CLOSE-WAIT, the other does in
/// FIN-WAIT-2: no fault of its own, but its connections all the same.
void HostWatch::Impl::count_lingering(Subject& subject, const Outcome& outcome, unsigned which) noexcept {
  const tcp::Anomaly* waiting = find(outcome, AnomalyKind::kCloseWaitLingering);
  const tcp::Anomaly* waited_for = find(outcome, AnomalyKind::kFinWait2Lingering);
  const bool close_wait = waiting != nullptr && waiting->end == which;
  const bool fin_wait = (waited_for != nullptr && waited_for->end == which) || (waiting != nullptr && waiting->end != which);
  if (!close_wait && !fin_wait) return;
  for_each_stay(outcome, [&](const Stay& stay) {
    if (stay.end != which) return;
    const std::uint64_t id = outcome.connection.id;
    if (close_wait && stay.state == tcp::State::kCloseWait) happen(subject, {id, stay.from, stay.until, Trouble::kCloseWait});
    if (fin_wait && stay.state == tcp::State::kFinWait2) happen(subject, {id, stay.from, stay.until, Trouble::kFinWait2});
  });
}

// Only the originator's end has a port of its own choice, which TIME-WAIT keeps from being chosen again.
void HostWatch::Impl::count_time_wait(const Outcome& outcome, const Stay& stay) noexcept {
  const Connection& c = outcome.connection;
  wire::FlowKey key;
  key.low = c.originator == 0 ? c.key.low : c.key.high;
  key.high = c.originator == 0 ? c.key.high : c.key.low;
  key.high_port = c.originator == 0 ? c.key.high_port : c.key.low_port;
  key.network = c.key.network;
  const std::uint16_t port = c.originator == 0 ? c.key.low_port : c.key.high_port;
  Route& route = routes.touch(key, 1, [this](const Route& gone) { busy_routes.give_back(gone.busy); });
  route.least_port = route.count == 0 ? port : std::min(route.least_port, port);
  route.most_port = std::max(route.most_port, port);
  route.span.add(stay.from);
  if (stay.until != base::kNever) {
    ++route.expired;
    route.lasted += static_cast<std::uint64_t>(base::elapsed(stay.from, stay.until) / base::kMillisecond);
  }
  ++route.count;
  if (route.count == kBusyFrom) promote(route);
  if (route.busy == 0 || route.count == kBusyFrom) return;
  BusyRoute& busy = busy_routes[route.busy];
  busy.examples.add(c.id);
  busy.add_stay(stay.from, stay.until);
}

// Of the first ones only their number, span and mean length were kept: they are entered as if they had come evenly.
void HostWatch::Impl::promote(Route& route) noexcept {
  route.busy = busy_routes.take();
  if (route.busy == 0) return;
  const base::Duration apart = base::elapsed(route.span.first, route.span.last) / static_cast<base::Duration>(kBusyFrom);
  const auto mean = static_cast<base::Duration>(route.expired == 0 ? 0 : route.lasted / route.expired) * base::kMillisecond;
  for (std::uint64_t n = 0; n != kBusyFrom; ++n) {
    const base::Timestamp from = route.span.first + static_cast<base::Duration>(n) * apart;
    busy_routes[route.busy].add_stay(from, n < route.expired ? base::after(from, mean) : base::kNever);
  }
}

void HostWatch::Impl::happen(Subject& subject, const Happening& what) noexcept {
  const bool first = !subject.waiting && std::all_of(subject.details.begin(), subject.details.end(), [](auto n) { return n == 0; });
  if (first) {
    subject.first = what;
    subject.waiting = true;
    return;
  }
  if (subject.waiting) {
    subject.waiting = false;
    enter(subject, subject.first);
  }
  enter(subject, what);
}

void HostWatch::Impl::enter(Subject& subject, const Happening& what) noexcept {
  std::uint32_t& number = subject.details[static_cast<std::size_t>(what.what)];
  if (number == 0) {
    number = details.take();
    if (number == 0) return;
    details[number].others_before = subject.established;
    if (what.what == Trouble::kHalfOpen) details[number].window = windows.take();
  }
  Detail& d = details[number];
  ++d.count;
  d.examples.add(what.connection);
  d.span.add(what.from);
  d.others_at_last = subject.established;
  d.series.add_stay(what.from, what.until);
  if (d.window != 0) windows[d.window].add_stay(what.from, what.until);
}

void HostWatch::Impl::leave(Subject& subject) noexcept {
  for (const std::uint32_t number : subject.details) {
    if (number == 0) continue;
    windows.give_back(details[number].window);
    details.give_back(number);
  }
}

// An attempt that came to nothing, or to a connection without a byte, may be one of many.
void HostWatch::Impl::count_probe(const Outcome& outcome) noexcept {
  const Connection& c = outcome.connection;
  const tcp::Endpoint& x = c.orig();
  Technique technique = Technique::kOther;
  bool open = false;
  switch (outcome.verdict.opening) {
    case Opening::kRefused:
    case Opening::kUnanswered:
    case Opening::kUnreachable:
    case Opening::kHalfOpen:
    case Opening::kAborted:
      technique = x.knows(known::kPlainSyn) ? technique_of_syn(x) : technique_without_syn(outcome);
      open = outcome.verdict.opening == Opening::kAborted || outcome.verdict.opening == Opening::kHalfOpen;
      break;
    case Opening::kThreeWay:
      if (has_payload(c) || outcome.verdict.ending == tcp::Ending::kOpen) return;
      technique = technique_of_syn(x);
      open = true;
      break;
    default:
      technique = technique_without_syn(outcome);
      if (technique == Technique::kSyn) return;
      break;
  }
  Probe probe{};
  probe.connection = c.id;
  probe.start = std::min(c.start, latest_time(c));
  probe.from = (c.originator == 0 ? c.key.low : c.key.high).bytes;
  probe.to = (c.originator == 0 ? c.key.high : c.key.low).bytes;
  probe.network = c.key.network;
  probe.port = c.originator == 0 ? c.key.high_port : c.key.low_port;
  probe.technique = technique;
  probe.empty = outcome.verdict.opening == Opening::kThreeWay;
  probe.refused = outcome.verdict.opening == Opening::kRefused;
  probe.open = open;
  take_probe(probe);
}

// The first of a host waits for a second: a flood from a million hosts touches no table.
void HostWatch::Impl::take_probe(const Probe& probe) noexcept {
  Probe& first = first_probes[place_of(probe.from)];
  const bool known_host = first.connection != 0 && first.from == probe.from && first.network == probe.network;
  if (!known_host) {
    if (!probe.empty) first = probe;
    return;
  }
  if (!first.entered) enter_probe(first);
  first.entered = true;
  enter_probe(probe);
}

void HostWatch::Impl::enter_probe(const Probe& probe) noexcept {
  wire::FlowKey target;
  target.low = {probe.from};
  target.high = {probe.to};
  target.network = probe.network;
  wire::FlowKey sweep = target;
  sweep.high = {};
  sweep.high_port = probe.port;
  if (Probes* by_target = probes_of(targets, target, probe.empty)) {
    add_probe(*by_target, probe);
    note_port(*by_target, probe.port);
  }
  if (Probes* by_port = probes_of(sweeps, sweep, probe.empty)) {
    add_probe(*by_port, probe);
    wire::FlowKey address;
    address.high = target.high;
    note_address(*by_port, hash_of(address_hash, &address));
  }
}

/// A connection without a byte is of interest only where attempts failed before: health checks are many, and succeed.
Probes* HostWatch::Impl::probes_of(HeavyTable<Probes>& table, const wire::FlowKey& key, bool only_if_known) noexcept {
  if (only_if_known) return table.find(key);
  return &table.touch(key, 1, [this](const Probes& gone) { sketches.give_back(gone.block); });
}

void HostWatch::Impl::add_probe(Probes& probes, const Probe& probe) noexcept {
  ++probes.all;
  probes.failed += !probe.empty;
  probes.refused += probe.refused;
  probes.open += probe.open;
  probes.examples.add(probe.connection);
  probes.span.add(probe.start);
  ++probes.techniques[static_cast<std::size_t>(probe.technique)];
}

/// True if `value` was among the few, or could be added to them.
bool HostWatch::Impl::note_few(Probes& probes, std::uint32_t value) noexcept {
  const auto end_of_few = probes.few.begin() + probes.distinct;
  if (std::find(probes.few.begin(), end_of_few, value) != end_of_few) return true;
  if (probes.distinct == Probes::kFew) return false;
  probes.few[probes.distinct++] = value;
  return true;
}

void HostWatch::Impl::note_port(Probes& probes, std::uint16_t port) noexcept {
  if (probes.block == 0) {
    if (note_few(probes, port)) return;
    probes.block = sketches.take();
    probes.cut = probes.block == 0;
    if (probes.cut) return;
    for (const std::uint32_t early : probes.few) sketches[probes.block].add_port(static_cast<std::uint16_t>(early));
  }
  sketches[probes.block].add_port(port);
}

/// The few are kept as the half of the hash that a Sketch can be filled from.
void HostWatch::Impl::note_address(Probes& probes, std::uint64_t hash) noexcept {
  const auto spread = [](std::uint32_t half) { return (half ^ std::uint64_t{half} << 32) * 0x9e37'79b9'7f4a'7c15; };
  const auto half = static_cast<std::uint32_t>(hash >> 32);
  if (probes.block == 0) {
    if (note_few(probes, half)) return;
    probes.block = sketches.take();
    probes.cut = probes.block == 0;
    if (probes.cut) return;
    for (const std::uint32_t early : probes.few) sketches[probes.block].add_hash(spread(early));
  }
  sketches[probes.block].add_hash(spread(half));
}

HostWatch::HostWatch(const HostOptions& options) : impl_(std::make_unique<Impl>(options)) {}
HostWatch::~HostWatch() = default;
HostWatch::HostWatch(HostWatch&&) noexcept = default;
HostWatch& HostWatch::operator=(HostWatch&&) noexcept = default;

void HostWatch::observe(const Outcome& outcome) noexcept { impl_->observe(outcome); }
void HostWatch::conclude(base::Timestamp clock) noexcept { impl_->input_end = clock; }
std::vector<HostFinding> HostWatch::findings() const { return impl_->findings(); }

// All on the axis of the coarsest.
Populations HostWatch::populations() const {
  Populations result;
  std::uint32_t wide = 0;
  base::Timestamp first = base::kNever;
  base::Timestamp last = std::numeric_limits<base::Timestamp>::min();
  for (const auto& series : impl_->populations) {
    if (series.shift == 0) continue;
    wide = std::max(wide, series.shift);
    first = std::min(first, series.low << series.shift);
    last = std::max(last, series.high << series.shift);
  }
  if (wide == 0) return result;
  while ((last >> wide) - (first >> wide) >= static_cast<std::int64_t>(Impl::kPopulationBins)) ++wide;
  result.from = first >> wide << wide;
  result.step = base::Duration{1} << wide;
  for (std::size_t n = 0; n != result.ends.size(); ++n) {
    const auto& series = impl_->populations[n];
    if (series.shift != 0) result.ends[n] = series.levels(first >> wide, last >> wide, wide).values;
  }
  return result;
}

std::size_t HostWatch::memory() const noexcept {
  const Impl& i = *impl_;
  return sizeof(Impl) + i.numbers.memory() + i.subjects.memory() + i.routes.memory() + i.targets.memory() + i.sweeps.memory() +
         i.details.memory() + i.windows.memory() + i.sketches.memory() + i.busy_routes.memory() + i.reused.size() * sizeof(Impl::Reused) +
         i.first_probes.size() * sizeof(Probe);
}

std::uint64_t HostWatch::evicted() const noexcept {
  const Impl& i = *impl_;
  return i.numbers.evicted_hosts() + i.subjects.evicted() + i.routes.evicted() + i.targets.evicted() + i.sweeps.evicted();
}

}  // namespace finwait::hosts
