// Delta-coded transitions, and findings, in blocks.
#include "journal.h"

#include <algorithm>

namespace finwait::tcp {
namespace {

// One entry: a byte (end, to), a byte (from, evidence), then three variable-length numbers: proof frame against the last entry's,
// cause frame against the proof, time against the last entry's. Zigzag coding keeps small differences of either sign short.
constexpr std::uint32_t kMaxEntryBytes = 2 + 3 * 10;

std::uint64_t zigzag(std::uint64_t difference) noexcept {
  return (difference << 1) ^ static_cast<std::uint64_t>(-static_cast<std::int64_t>(difference >> 63));
}
std::uint64_t unzigzag(std::uint64_t coded) noexcept {
  return (coded >> 1) ^ static_cast<std::uint64_t>(-static_cast<std::int64_t>(coded & 1));
}

void put_varint(Block& block, std::uint64_t value) noexcept {
  while (value >= 0x80) {
    block.bytes[block.used++] = static_cast<std::uint8_t>(value | 0x80);
    value >>= 7;
  }
  block.bytes[block.used++] = static_cast<std::uint8_t>(value);
}

std::uint64_t take_varint(const Block& block, std::uint32_t& at) noexcept {
  std::uint64_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    const std::uint8_t byte = block.bytes[at++];
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return value;
  }
}

std::uint64_t minus(base::Timestamp a, base::Timestamp b) noexcept { return static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b); }
base::Timestamp plus(base::Timestamp a, std::uint64_t b) noexcept {
  return static_cast<base::Timestamp>(static_cast<std::uint64_t>(a) + b);
}

bool is_before(const Anomaly& a, const Anomaly& b) noexcept {
  return a.time != b.time ? a.time < b.time : a.frames[0] != b.frames[0] ? a.frames[0] < b.frames[0] : a.kind < b.kind;
}

Transition transition_of(unsigned end, const PathStep& step) noexcept {
  return {static_cast<std::uint8_t>(end), step.from, step.to, step.evidence, step.why.cause, step.why.proof, step.why.time};
}

}  // namespace

void Journal::commit(Connection& c, std::uint32_t index, unsigned end, const Path& before, base::Timestamp time) noexcept {
  const Path now = derive(c.ends[end]);
  int same = 0;
  while (same < before.size && same < now.size &&
         before.steps[static_cast<std::size_t>(same)].same_as(now.steps[static_cast<std::size_t>(same)]))
    ++same;
  const int said = before.size - same + (now.size - same);
  if (c.log_entries + static_cast<std::uint32_t>(said) > kMaxEntries) rewrite(c, end, before);
  for (int n = before.size - 1; n >= same; --n) {
    const PathStep& gone = before.steps[static_cast<std::size_t>(n)];
    append(c, index, {static_cast<std::uint8_t>(end), gone.to, gone.from, Proof::kRefuted, gone.why.cause, frame_, time});
  }
  for (int n = same; n < now.size; ++n) append(c, index, transition_of(end, now.steps[static_cast<std::size_t>(n)]));
  c.ends[end].state = now.state;
}

void Journal::append(Connection& c, std::uint32_t index, unsigned end, const Path& more) noexcept {
  for (int n = 0; n < more.size; ++n) append(c, index, transition_of(end, more.steps[static_cast<std::size_t>(n)]));
  c.ends[end].state = more.state;
}

void Journal::append(Connection& c, std::uint32_t index, const Transition& t) noexcept {
  if (t.evidence != Proof::kRefuted) ++entered_[static_cast<std::size_t>(t.to)];
  if (keep_events_ && !c.is(trait::kCandidate)) events_.append({Event::Kind::kTransition, index, frame_, t, {}});
  encode(c, t);
}

void Journal::publish(const Connection& c, std::uint32_t index) noexcept {
  if (!keep_events_) return;
  read(c, said_);
  for (const Transition& t : said_) events_.append({Event::Kind::kTransition, index, frame_, t, {}});
}

void Journal::encode(Connection& c, const Transition& t) noexcept {
  if (c.log_tail == kNoBlock || blocks_[c.log_tail].used + kMaxEntryBytes > Block::kBytes) {
    const std::uint32_t fresh = blocks_.allocate();
    if (fresh == kNoBlock) return;
    (c.log_head == kNoBlock ? c.log_head : blocks_[c.log_tail].next) = fresh;
    c.log_tail = fresh;
  }
  Block& block = blocks_[c.log_tail];
  block.bytes[block.used++] = static_cast<std::uint8_t>(static_cast<unsigned>(t.end) << 7 | static_cast<unsigned>(t.to));
  block.bytes[block.used++] = static_cast<std::uint8_t>(static_cast<unsigned>(t.from) << 4 | static_cast<unsigned>(t.evidence));
  put_varint(block, zigzag(t.proof_frame - c.log_frame));
  put_varint(block, zigzag(t.cause_frame - t.proof_frame));
  put_varint(block, zigzag(minus(t.time, c.log_time)));
  c.log_frame = t.proof_frame;
  c.log_time = t.time;
  ++c.log_entries;
}

void Journal::rewrite(Connection& c, unsigned end, const Path& path) noexcept {
  blocks_.release_chain(c.log_head);
  c.log_head = c.log_tail = kNoBlock;
  c.log_entries = 0;
  c.log_frame = 0;
  c.log_time = 0;
  const Path other = derive(c.ends[1 - end]);
  for (const unsigned which : {end, 1 - end}) {
    const Path& stands = which == end ? path : other;
    for (int n = 0; n < stands.size; ++n) encode(c, transition_of(which, stands.steps[static_cast<std::size_t>(n)]));
  }
}

// Blocks one after the other, from the connection's own or from copies of them.
class Journal::LogReader {
 public:
  explicit LogReader(std::vector<Transition>& out) : out_(out) { out.clear(); }
  void take(const Block& block) {
    for (std::uint32_t n = 0; n < block.used;) {
      const std::uint8_t first = block.bytes[n++];
      const std::uint8_t second = block.bytes[n++];
      frame_ += unzigzag(take_varint(block, n));
      const std::uint64_t cause = frame_ + unzigzag(take_varint(block, n));
      time_ = plus(time_, unzigzag(take_varint(block, n)));
      out_.push_back({static_cast<std::uint8_t>(first >> 7), static_cast<State>(second >> 4), static_cast<State>(first & 0x7f),
                      static_cast<Proof>(second & 0xf), cause, frame_, time_});
    }
  }

 private:
  std::vector<Transition>& out_;
  std::uint64_t frame_ = 0;
  base::Timestamp time_ = 0;
};

void Journal::read(const Connection& c, std::vector<Transition>& out) const {
  LogReader reader(out);
  for (std::uint32_t at = c.log_head; at != kNoBlock; at = blocks_[at].next) reader.take(blocks_[at]);
}

void Journal::decode(std::span<const Block> blocks, std::vector<Transition>& out) {
  LogReader reader(out);
  for (const Block& block : blocks) reader.take(block);
}

template <class F>
void Journal::for_each_anomaly(const Connection& c, F&& f) const {
  for (std::uint32_t at = c.anomalies_head; at != kNoBlock; at = blocks_[at].next) {
    for (std::uint32_t n = 0; n < blocks_[at].used; ++n) f(at, n);
  }
}

Anomaly* Journal::get(Connection& c, AnomalyKind kind) noexcept {
  if ((c.anomaly_kinds >> static_cast<unsigned>(kind) & 1) == 0) return nullptr;
  Anomaly* found = nullptr;
  for_each_anomaly(c, [&](std::uint32_t at, std::uint32_t n) {
    if (blocks_[at].anomalies[n].kind == kind) found = &blocks_[at].anomalies[n];
  });
  return found;
}

Anomaly* Journal::find(Connection& c, std::uint32_t index, const Anomaly& anomaly) noexcept {
  if (Anomaly* known = get(c, anomaly.kind)) {
    known->count += anomaly.count;
    known->values = anomaly.values;
    known->origins |= anomaly.origins;
    known->severity = std::max(known->severity, anomaly.severity);
    if (anomaly.frames[0] != known->frames[0]) known->frames[Anomaly::kFrames - 1] = anomaly.frames[0];
    return known;
  }
  std::uint32_t block = c.anomalies_head;
  if (block == kNoBlock || blocks_[block].used == Block::kAnomalies) {
    block = blocks_.allocate();
    if (block == kNoBlock) return nullptr;
    blocks_[block].next = c.anomalies_head;
    c.anomalies_head = block;
  }
  Anomaly& kept = blocks_[block].anomalies[blocks_[block].used++];
  kept = anomaly;
  c.anomaly_kinds |= 1ULL << static_cast<unsigned>(anomaly.kind);
  if (keep_events_ && !c.is(trait::kCandidate)) events_.append({Event::Kind::kAnomaly, index, frame_, {}, anomaly});
  if (feed_ != nullptr) feed_->tell(Notice{c.key, c.id, frame_, anomaly.time, c.originator, anomaly.kind, anomaly.severity});
  return &kept;
}

void Journal::withdraw(Connection& c, AnomalyKind kind) noexcept {
  Anomaly* gone = get(c, kind);
  if (gone == nullptr) return;
  c.anomaly_kinds &= ~(1ULL << static_cast<unsigned>(kind));
  Block& head = blocks_[c.anomalies_head];  // the newest takes its place
  *gone = head.anomalies[head.used - 1];
  if (--head.used == 0) {
    const std::uint32_t empty = c.anomalies_head;
    c.anomalies_head = head.next;
    head.next = kNoBlock;
    blocks_.release_chain(empty);
  }
}

void Journal::read(const Connection& c, std::vector<Anomaly>& out) const {
  out.clear();
  for_each_anomaly(c, [&](std::uint32_t at, std::uint32_t n) { out.push_back(blocks_[at].anomalies[n]); });
  std::sort(out.begin(), out.end(), is_before);
}

void Journal::decode(std::span<const Block> blocks, std::vector<Anomaly>& out) {
  out.clear();
  for (const Block& block : blocks) out.insert(out.end(), block.anomalies.begin(), block.anomalies.begin() + block.used);
  std::sort(out.begin(), out.end(), is_before);
}

void Journal::release(Connection& c) noexcept {
  blocks_.release_chain(c.log_head);
  blocks_.release_chain(c.anomalies_head);
  c.log_head = c.log_tail = c.anomalies_head = kNoBlock;
}

}  // namespace finwait::tcp
