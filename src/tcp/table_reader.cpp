// How a record that is being changed is copied, and what is taken from the copy.
#include "finwait/tcp/table_reader.h"

#include <array>
#include <cstddef>
#include <span>

#include "blocks.h"
#include "finwait/tcp/classify.h"
#include "finwait/tcp/connection.h"
#include "journal.h"
#include "memory.h"

namespace finwait::tcp {
namespace {

using base::Version;
using Part = Version::Part;
using Look = TableReader::Look;

constexpr std::size_t down(std::size_t at) noexcept { return at / 8 * 8; }
constexpr std::size_t up(std::size_t at) noexcept { return (at + 7) / 8 * 8; }

/// The part of a record in which this member lies.
#define FINWAIT_PART(from, member) \
  Part { down((from) + offsetof(Endpoint, member)), up((from) + offsetof(Endpoint, member) + sizeof(Endpoint::member)) }

constexpr std::size_t kEnds = offsetof(Connection, ends);
constexpr std::array kWhole{Part{0, sizeof(Connection)}};
/// What view_of() looks at.
constexpr std::array kViewed{
    Part{0, up(kEnds)},
    FINWAIT_PART(kEnds, state),
    FINWAIT_PART(kEnds, counters),
    FINWAIT_PART(kEnds + sizeof(Endpoint), state),
    FINWAIT_PART(kEnds + sizeof(Endpoint), counters),
    Part{down(offsetof(Connection, start)), up(offsetof(Connection, start) + sizeof(base::Timestamp))},
    Part{down(offsetof(Connection, handshake)), up(offsetof(Connection, handshake) + sizeof(Handshake))},
    Part{down(offsetof(Connection, anomaly_kinds)), up(offsetof(Connection, anomaly_kinds) + sizeof(std::uint64_t))},
};
#undef FINWAIT_PART

static_assert(std::is_trivially_copyable_v<Connection>);

template <class Try>
Look tried(Try&& attempt) noexcept(noexcept(attempt())) {
  for (int left = TableReader::kTries; left != 0; --left) {
    const Version::Copy copy = attempt();
    if (copy == Version::Copy::kDone) return Look::kSeen;
    if (copy == Version::Copy::kNothing) return Look::kNothing;
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }
  return Look::kBusy;
}

const Version& version_at(const std::byte* record) noexcept {
  return *reinterpret_cast<const Version*>(record + offsetof(Connection, version));
}

/// A chain of blocks, copied; false if it is none any more.
class Chain {
 public:
  explicit Chain(const base::Pool<Block>& pool) : pool_(pool) { copies_.reserve(4); }

  [[nodiscard]] bool copy(std::uint32_t head) {
    copies_.clear();
    for (std::uint32_t at = head; at != kNoBlock; at = copies_.back().next) {
      if (at >= pool_.high_water() || copies_.size() == kMost) return false;
      Version::copy_words(pool_.place(at), &copies_.emplace_back(), sizeof(Block));
    }
    return true;
  }
  [[nodiscard]] const std::vector<Block>& blocks() const noexcept { return copies_; }

 private:
  static constexpr std::size_t kMost = 256;  // a changing chain may seem to have no end
  const base::Pool<Block>& pool_;
  std::vector<Block> copies_;
};

base::Duration between(std::uint64_t from_frame, base::Timestamp from, std::uint64_t to_frame, base::Timestamp to) noexcept {
  return from_frame == 0 || to_frame == 0 ? -1 : base::elapsed(from, to);
}

}  // namespace

ConnectionView view_of(const Connection& c, std::uint32_t index) noexcept {
  ConnectionView view;
  view.id = c.id;
  view.index = index;
  view.ip_version = static_cast<std::uint8_t>(c.key.ip_version());
  view.originator = c.originator;
  view.candidate = c.is(trait::kCandidate);
  view.over = c.is(trait::kReleased);
  view.role_evidence = c.role_evidence;
  for (std::size_t n = 0; n != 2; ++n) {
    const bool low = (n == 0) == (c.originator == 0);
    const Endpoint& e = c.ends[low ? 0 : 1];
    EndView& end = view.ends[n];
    end.address = low ? c.key.low : c.key.high;
    end.port = low ? c.key.low_port : c.key.high_port;
    end.state = e.state;
    end.packets = e.counters.packets;
    end.ip_bytes = e.counters.ip_bytes;
    end.payload_bytes = e.counters.payload_bytes;
    end.missing_bytes = e.counters.missing_bytes;
    end.retransmitted_segments = e.counters.retransmitted_segments;
    end.out_of_order = e.counters.out_of_order;
    end.duplicates = e.counters.duplicates;
    end.zero_windows = e.counters.zero_windows;
  }
  view.start = c.start;
  view.end = c.end;
  view.last_frame = c.last_frame;
  const Handshake& h = c.handshake;
  view.syn_to_syn_ack = between(h.syn_frame, h.syn_time, h.syn_ack_frame, h.syn_ack_time);
  view.syn_ack_to_ack = between(h.syn_ack_frame, h.syn_ack_time, h.ack_frame, h.ack_time);
  view.anomaly_kinds = c.anomaly_kinds;
  view.network = c.key.network;
  return view;
}

wire::FlowKey key_of(const ConnectionView& view) noexcept {
  const EndView& low = view.ends[view.originator == 0 ? 0 : 1];
  const EndView& high = view.ends[view.originator == 0 ? 1 : 0];
  return {low.address, high.address, low.port, high.port, view.network};
}

std::uint32_t TableReader::limit() const noexcept { return memory_->pool().high_water(); }

Look TableReader::view(std::uint32_t index, ConnectionView& out) const noexcept {
  const std::byte* record = memory_->pool().place(index);
  // Only parts of it are filled, and nothing else is looked at: it is made once a thread.
  static thread_local constinit Connection copied;
  const Look look = tried([record] { return version_at(record).try_copy(record, &copied, kViewed); });
  if (look == Look::kSeen) out = view_of(copied, index);
  return look;
}

Look TableReader::copy(std::uint32_t index, Connection& out) const noexcept {
  const std::byte* record = memory_->pool().place(index);
  return tried([&] { return version_at(record).try_copy(record, &out, kWhole); });
}

Look TableReader::details(std::uint32_t index, base::Timestamp clock, ConnectionDetails& out) const {
  const std::byte* record = memory_->pool().place(index);
  Connection copied;
  Chain log(blocks_->pool());
  Chain findings(blocks_->pool());
  const auto lists = [&] { return log.copy(copied.log_head) && findings.copy(copied.anomalies_head); };
  const Look look = tried([&] { return version_at(record).try_copy(record, &copied, kWhole, lists); });
  if (look != Look::kSeen) return look;
  out.view = view_of(copied, index);
  out.verdict = classify(copied, clock);
  Journal::decode(log.blocks(), out.transitions);
  Journal::decode(findings.blocks(), out.anomalies);
  return look;
}

}  // namespace finwait::tcp
