// One connection into the tables.
#include "finwait/hosts/watch.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

#include "finwait/base/apart.h"
#include "watch_impl.h"

namespace finwait::hosts {
namespace {

using tcp::Opening;

constexpr base::Duration kSynAckRepeats = 4 * base::kSecond;  ///< RFC 6298: after 1 s; older stacks after 3 s
constexpr std::uint64_t kBusyFrom = kFewestTimeWaits;         ///< TIME-WAITs on a route
constexpr std::uint32_t kTroubleWeight = 16;                  ///< a connection in trouble is worth more than one that is not

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

/// Whether anything is kept of it under its listener, its originator or their route.
bool has_entries(const Life& life) noexcept {
  return answered(life.opening) || life.find_step(life.originator, tcp::State::kTimeWait) != life.steps[life.originator];
}

/// Where the first probe of a host waits. Whoever aims at one place only makes another's first one forgotten.
std::uint32_t place_of(const wire::Address& address) noexcept {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  std::memcpy(&high, address.bytes.data(), sizeof high);
  std::memcpy(&low, address.bytes.data() + sizeof high, sizeof low);
  return static_cast<std::uint32_t>(((high ^ high >> 29 ^ low) * 0x9e37'79b9'7f4a'7c15) >> 50);
}

}  // namespace

HostWatch::Impl::Impl(const HostOptions& given)
    : options(given),
      hash(given.seed),
      subjects(kSubjects),
      routes(kRoutes),
      targets(kProbes),
      sweeps(kProbes),
      first_probes(kFirstProbes),
      details(kDetails),
      windows(kWindows),
      sketches(kSketches),
      busy_routes(kBusyRoutes),
      address_hash(1),
      numbers(IsnLimits{given.isn.memory, given.isn.family_error, given.seed, given.isn.threads}) {}

void HostWatch::Impl::observe_next() noexcept {
  Waiting& w = waiting[waiting_count];
  enter(w.life);
  if (!has_entries(w.life)) return numbers.observe(w.life, nullptr);
  w.keys.make(w.life, hash);
  numbers.observe(w.life, &w.keys);
  await_entries(w);
}

/// As if the Life of each were made and observed, in all tables that would read of it: one table after the other.
void HostWatch::Impl::observe(std::span<const tcp::Unopened> connections) noexcept {
  numbers.observe(connections);
  enter_probes();  // those that came before
  enter_waiting();
  for (; !connections.empty(); connections = connections.subspan(std::min(kBatch, connections.size()))) {
    const auto some = connections.first(std::min(kBatch, connections.size()));
    std::array<std::uint32_t, kBatch> places;
    for (std::size_t n = 0; n != some.size(); ++n) {
      places[n] = place_of(some[n].ends[0].address);
      first_probes.prefetch(places[n]);
    }
    for (const tcp::Unopened& c : some) {
      census.add_stay(c.ends[0].time, tcp::State::kSynSent, c.released_at);
      if (c.answered()) count_half_open(c);
    }
    for (std::size_t n = 0; n != some.size(); ++n) take_probe(some[n], places[n]);
  }
}

/// By its listener, and what that waited for.
void HostWatch::Impl::count_half_open(const tcp::Unopened& c) noexcept {
  const base::Timestamp since = c.ends[1].time;
  census.add_stay(since, tcp::State::kSynReceived, c.released_at);
  const KeyWords listener = listener_words(c);
  const std::uint32_t weight = c.left_half_open ? kTroubleWeight : 1;
  Subject& subject = subjects.touch(key_of(listener), listener_hash(listener, hash), weight, [this](Subject& gone) { leave(gone); });
  count_half_open(subject, {c.id, since, c.released_at, Trouble::kHalfOpen}, false);
}

void HostWatch::Impl::observe_conduct(const Life& life) noexcept {
  enter(life);
  if (!has_entries(life)) return;
  Waiting& w = waiting[waiting_count];
  base::copy_words(life, w.life);
  w.keys.make(life, hash);
  await_entries(w);
}

/// Hosts are many, and each is somewhere else in memory. What says where an entry is is fetched now, the entry in a first pass over those
/// that wait, and the last one uses it.
void HostWatch::Impl::await_entries(Waiting& w) noexcept {
  if (answered(w.life.opening)) subjects.prefetch(w.keys.listener);
  if (established(w.life.opening)) subjects.prefetch(w.keys.originator);
  w.time_wait = w.life.find_step(w.life.originator, tcp::State::kTimeWait);
  w.has_route = w.time_wait != w.life.steps[w.life.originator];
  if (w.has_route) {
    w.route_key = route_key(w.life.key, w.life.originator);
    w.route = w.keys.originator ^ (w.keys.listener << 23 | w.keys.listener >> 41);
    routes.prefetch(w.route);
  }
  if (++waiting_count == kBatch) enter_waiting();
}

void HostWatch::Impl::enter_waiting() noexcept {
  const auto all = std::span(waiting).first(std::exchange(waiting_count, 0));
  for (const Waiting& w : all) {
    if (answered(w.life.opening)) subjects.prefetch_entry(w.keys.listener);
    if (established(w.life.opening)) subjects.prefetch_entry(w.keys.originator);
    if (w.has_route) routes.prefetch_entry(w.route);
  }
  // Table by table, in the order of the records each: no table knows of another.
  for (const Waiting& w : all) count_ends(w);
  for (const Waiting& w : all) {
    if (w.has_route) count_time_wait(w);
  }
}

void HostWatch::Impl::enter_probes() noexcept {
  for (const Probe& probe : std::span(waiting_probes).first(std::exchange(waiting_probe_count, 0))) take_probe(probe);
}

/// All that waits anywhere.
void HostWatch::Impl::enter_all() noexcept {
  numbers.enter_waiting();
  enter_waiting();
  enter_probes();
}

/// In what is not kept of one host or route.
void HostWatch::Impl::enter(const Life& life) noexcept {
  census.add(life);
  if (life.is(life_flag::kProbe)) count_probe(life);
  payload += life.payload;
  missing += life.missing;
  with_payload += life.payload + life.missing != 0;
  if (life.missing == 0) return;
  ++incomplete;
  lossy.add(life.id);
  lossy_span.add(life.start);
  lossy_span.add(life.end);
}

void HostWatch::Impl::count_ends(const Waiting& w) noexcept {
  const Life& life = w.life;
  if (!answered(life.opening)) return;
  const std::uint32_t weight = life.is(life_flag::kTroubled) ? kTroubleWeight : 1;
  const auto leaving = [this](Subject& gone) { leave(gone); };
  const unsigned responder = 1U - life.originator;
  Subject& listener = subjects.touch(w.keys.listener_key, w.keys.listener, weight, leaving);
  count_handshake(listener, life);
  count_common(listener, life, responder);
  if (!established(life.opening)) return;
  Subject& originator = subjects.touch(w.keys.originator_key, w.keys.originator, weight, leaving);
  count_common(originator, life, life.originator);
}

/// What an end of an established connection sent.
void HostWatch::Impl::count_common(Subject& subject, const Life& life, unsigned which) noexcept {
  if (!established(life.opening)) return;
  const Life::End& x = life.ends[which];
  ++subject.established;
  subject.with_data += life.payload != 0;
  subject.segments += life.segments[which];
  subject.repeated += x.retransmitted;
  if (x.retransmitted != 0) happen(subject, {life.id, life.start, life.end, Trouble::kRepeated});
  if (x.lingered != tcp::State::kUnknown) count_lingering(subject, life, which);
}

void HostWatch::Impl::count_handshake(Subject& listener, const Life& life) noexcept {
  if (life.opening == Opening::kHalfOpen && life.is(life_flag::kSynAckSeen)) {
    count_half_open(listener, {life.id, life.syn_ack_time, life.released, Trouble::kHalfOpen}, life.is(life_flag::kSynAckRepeated));
  }
  if (life.is(life_flag::kAckLost)) happen(listener, {life.id, life.ack_lost_time, life.ack_lost_time, Trouble::kAckLost});
  if (life.ending == tcp::Ending::kReset && established(life.opening) && life.payload != 0) {
    happen(listener, {life.id, life.end, life.end, Trouble::kReset});
  }
}

/// `repeated`: its SYN-ACK was.
void HostWatch::Impl::count_half_open(Subject& listener, const Happening& what, bool repeated) noexcept {
  const base::Timestamp until = what.until == base::kNever ? input_end : what.until;
  listener.stateful += repeated;
  listener.stateless += !repeated && base::elapsed(what.from, until) >= kSynAckRepeats;
  happen(listener, what);
}

/// An end that lingered in a state waits there as long as it stayed in it.
void HostWatch::Impl::count_lingering(Subject& subject, const Life& life, unsigned which) noexcept {
  const tcp::State state = life.ends[which].lingered;
  const Trouble what = state == tcp::State::kCloseWait ? Trouble::kCloseWait : Trouble::kFinWait2;
  for (unsigned n = 0; n != life.steps[which]; ++n) {
    const Step step = life.step(which, n);
    if (step.state == state) happen(subject, {life.id, step.time, life.left(which, n), what});
  }
}

// Only the originator's end has a port of its own choice, which TIME-WAIT keeps from being chosen again.
void HostWatch::Impl::count_time_wait(const Waiting& w) noexcept {
  const Life& life = w.life;
  const base::Timestamp from = life.step(life.originator, w.time_wait).time;
  const base::Timestamp until = life.left(life.originator, w.time_wait);
  const std::uint16_t port = life.originator == 0 ? life.key.low_port : life.key.high_port;
  Route& route = routes.touch(w.route_key, w.route, 1, [this](const Route& gone) { busy_routes.give_back(gone.busy); });
  route.least_port = route.count == 0 ? port : std::min(route.least_port, port);
  route.most_port = std::max(route.most_port, port);
  route.span.add(from);
  if (until != base::kNever) {
    ++route.expired;
    route.lasted += static_cast<std::uint64_t>(base::elapsed(from, until) / base::kMillisecond);
  }
  ++route.count;
  if (route.count == kBusyFrom) promote(route);
  if (route.busy == 0 || route.count == kBusyFrom) return;
  BusyRoute& busy = busy_routes[route.busy];
  busy.examples.add(life.id);
  busy.add_stay(from, until);
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
  const bool first = !subject.waiting && !subject.has_details();
  if (first) {
    subject.wait(what);
    return;
  }
  if (subject.waiting) {
    subject.waiting = false;
    enter(subject, subject.first());
  }
  enter(subject, what);
}

void HostWatch::Impl::enter(Subject& subject, const Happening& what) noexcept {
  std::uint16_t& number = subject.details[static_cast<std::size_t>(what.what)];
  if (number == 0) {
    static_assert(kDetails <= 0xffff, "a number of 16 bits names each");
    number = static_cast<std::uint16_t>(details.take());
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
  if (!subject.has_details()) return;
  for (const std::uint16_t number : subject.details) {
    if (number == 0) continue;
    windows.give_back(details[number].window);
    details.give_back(number);
  }
}

void HostWatch::Impl::count_probe(const Life& life) noexcept {
  unsigned flags = 0;
  if (life.opening == Opening::kThreeWay) flags |= Probe::kEmpty;
  if (life.opening == Opening::kRefused) flags |= Probe::kRefused;
  if (life.is(life_flag::kProbeAnswered)) flags |= Probe::kOpen;
  await_probe(life.key, life.originator, life.id, life.start, life.technique, static_cast<std::uint8_t>(flags));
}

void HostWatch::Impl::await_probe(const wire::FlowKey& key, unsigned originator, std::uint64_t id, base::Timestamp start,
                                  Technique technique, std::uint8_t flags) noexcept {
  Probe& probe = waiting_probes[waiting_probe_count];
  const bool low = originator == 0;
  const wire::Address& from = low ? key.low : key.high;
  probe.write(from, low ? key.high : key.low, low ? key.high_port : key.low_port, key.network);
  probe.note(id, start, technique, flags);
  probe.place = place_of(from);
  first_probes.prefetch(probe.place);
  if (++waiting_probe_count == kBatch) enter_probes();
}

// The first of a host waits for a second: a flood from a million hosts touches no table.
void HostWatch::Impl::take_probe(const Probe& probe) noexcept {
  Probe& first = first_probes[probe.place];
  if (first.is_of({probe.from}, probe.network)) return take_next_probe(first, probe);
  if (!probe.is(Probe::kEmpty)) first = probe;
}

/// The same of one that never opened: written where it may wait, not elsewhere before.
inline void HostWatch::Impl::take_probe(const tcp::Unopened& c, std::uint32_t place) noexcept {
  Probe& first = first_probes[place];
  const auto& [x, y] = c.ends;
  const bool known_host = first.is_of(x.address, c.network);
  Probe next;
  Probe& probe = known_host ? next : first;
  probe.write(x.address, y.address, y.port, c.network);
  probe.note(c.id, x.time, technique_of_syn(x.known), c.answered() ? Probe::kOpen : std::uint8_t{0});
  if (known_host) take_next_probe(first, next);
}

void HostWatch::Impl::take_next_probe(Probe& first, const Probe& probe) noexcept {
  if (!first.is(Probe::kEntered)) enter_probe(first);
  first.flags |= Probe::kEntered;
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
  if (Probes* by_target = probes_of(targets, target, probe.is(Probe::kEmpty))) {
    add_probe(*by_target, probe);
    note_port(*by_target, probe.port);
  }
  if (Probes* by_port = probes_of(sweeps, sweep, probe.is(Probe::kEmpty))) {
    add_probe(*by_port, probe);
    wire::FlowKey address;
    address.high = target.high;
    note_address(*by_port, address_hash.hash40(&address));
  }
}

/// A connection without a byte is of interest only where attempts failed before: health checks are many, and succeed.
Probes* HostWatch::Impl::probes_of(HeavyTable<Probes>& table, const wire::FlowKey& key, bool only_if_known) noexcept {
  const std::uint64_t at = hash.hash40(&key);
  if (only_if_known) return table.find(key, at);
  return &table.touch(key, at, 1, [this](const Probes& gone) { sketches.give_back(gone.block); });
}

void HostWatch::Impl::add_probe(Probes& probes, const Probe& probe) noexcept {
  ++probes.all;
  probes.failed += !probe.is(Probe::kEmpty);
  probes.refused += probe.is(Probe::kRefused);
  probes.open += probe.is(Probe::kOpen);
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
void HostWatch::Impl::note_address(Probes& probes, std::uint64_t hashed) noexcept {
  const auto spread = [](std::uint32_t half) { return (half ^ std::uint64_t{half} << 32) * 0x9e37'79b9'7f4a'7c15; };
  const auto half = static_cast<std::uint32_t>(hashed >> 32);
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

void HostWatch::observe(const Life& life) noexcept {
  impl_->next() = life;
  impl_->observe_next();
}

void HostWatch::observe(const tcp::BriefOutcome& outcome) noexcept {
  write_life(outcome, impl_->next());
  impl_->observe_next();
}

void HostWatch::observe(std::span<const tcp::Unopened> connections) noexcept { impl_->observe(connections); }

void HostWatch::observe(HostPart part, const Life& life) noexcept {
  if (part == HostPart::kNumbers) return impl_->numbers.observe(life, nullptr);
  impl_->observe_conduct(life);
}

void HostWatch::conclude(base::Timestamp clock) noexcept { impl_->input_end = clock; }

std::vector<HostFinding> HostWatch::findings() const {
  impl_->enter_all();
  return impl_->findings(nullptr);
}

std::vector<HostFinding> HostWatch::findings(IsnVerdictCounts& sound) const {
  impl_->enter_all();
  return impl_->findings(&sound);
}

Populations HostWatch::populations() const {
  impl_->enter_all();
  return impl_->census.populations();
}

std::size_t HostWatch::memory() const noexcept {
  const Impl& i = *impl_;
  return sizeof(Impl) + i.numbers.memory() + i.subjects.memory() + i.routes.memory() + i.targets.memory() + i.sweeps.memory() +
         i.details.memory() + i.windows.memory() + i.sketches.memory() + i.busy_routes.memory() + i.first_probes.size() * sizeof(Probe);
}

std::uint64_t HostWatch::evicted() const noexcept {
  impl_->enter_all();
  const Impl& i = *impl_;
  return i.numbers.numbers().evicted_hosts() + i.subjects.evicted() + i.routes.evicted() + i.targets.evicted() + i.sweeps.evicted();
}

}  // namespace finwait::hosts
