// What was said of a connection, in the order in which it was said: transitions (refuted ones included) and findings.
//
// Transitions are kept delta-coded in blocks: about ten bytes each where the plain value takes 32, so that a whole ordinary life fits in
// one block. Always true: reading gives back exactly what was appended. Bounded: past kMaxEntries the history of what was refuted is
// dropped and what stands is written anew, so a connection that is refuted for ever costs no more than any other.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "blocks.h"
#include "finwait/tcp/connection.h"
#include "finwait/tcp/path.h"
#include "finwait/tcp/tracker.h"
#include "kept_list.h"

namespace finwait::tcp {

class Journal {
 public:
  static constexpr std::uint32_t kMaxEntries = 240;
  static constexpr std::uint32_t kMostRead = kMaxEntries + 16;  ///< rewriting may leave a few more

  Journal(Blocks& blocks, bool keep, LiveFeed* feed = nullptr) : blocks_(blocks), feed_(feed) {
    if (keep) keep_events();
  }

  /// The frame that is being looked at; 0: a timer.
  void set_frame(std::uint64_t frame) noexcept { frame_ = frame; }

  /// The end's path was `before`: writes what has changed since, with `proof` and `time` for what is taken back, and sets its state.
  void commit(Connection& c, std::uint32_t index, unsigned end, const Path& before, base::Timestamp time) noexcept;

  /// The end's path has grown by `more`, and nothing else has changed. There must be room.
  void append(Connection& c, std::uint32_t index, unsigned end, const Path& more) noexcept;

  /// Of a connection that was kept short: the transition was said and counted before (note_entered), and stands in no log yet.
  void write_down(Connection& c, const Transition& t) noexcept { encode(c, t); }
  void note_entered(State state) noexcept { ++entered_[static_cast<std::size_t>(state)]; }

  /// For any path, without dropping what was refuted.
  [[nodiscard]] static bool has_room(const Connection& c) noexcept { return c.log_entries + Path::kMaxSteps <= kMaxEntries; }

  /// What was said of a candidate while nobody knew what it was becomes known.
  void publish(const Connection& c, std::uint32_t index) noexcept;

  /// A finding: the first of its kind is kept, further ones counted into it (their frame kept as its last). Returns the one kept, or
  /// nullptr if there was no room. `index` is the connection's.
  Anomaly* find(Connection& c, std::uint32_t index, const Anomaly& anomaly) noexcept;
  [[nodiscard]] Anomaly* get(Connection& c, AnomalyKind kind) noexcept;
  /// Takes a finding back that proved wrong.
  void withdraw(Connection& c, AnomalyKind kind) noexcept;

  /// Into `out` (cleared first; reserve kMostRead once and it never allocates).
  void read(const Connection& c, std::vector<Transition>& out) const;
  void read(const Connection& c, std::vector<Anomaly>& out) const;
  /// The same from copies of a connection's blocks, in the order of its chain.
  static void decode(std::span<const Block> blocks, std::vector<Transition>& out);
  static void decode(std::span<const Block> blocks, std::vector<Anomaly>& out);
  void release(Connection& c) noexcept;
  /// The lists of the ends, for the detectors.
  [[nodiscard]] const Blocks& blocks() const noexcept { return blocks_; }

  /// How often an end came into each state, if only to go on at once.
  [[nodiscard]] const std::array<std::uint64_t, kStates>& entered() const noexcept { return entered_; }

  [[nodiscard]] std::span<const Event> events() const noexcept { return events_.values(); }
  [[nodiscard]] bool complete() const noexcept { return events_.complete(); }  ///< none of them is missing
  void clear_events() noexcept { events_.clear(); }
  void keep_events() {
    said_.reserve(kMostRead);
    keep_events_ = true;
  }

 private:
  class LogReader;
  void append(Connection& c, std::uint32_t index, const Transition& t) noexcept;
  void encode(Connection& c, const Transition& t) noexcept;
  /// Writes anew what stands: `path` for `end`, the other end's own path for that one.
  void rewrite(Connection& c, unsigned end, const Path& path) noexcept;
  template <class F>
  void for_each_anomaly(const Connection& c, F&& f) const;

  Blocks& blocks_;
  LiveFeed* feed_;
  std::array<std::uint64_t, kStates> entered_{};
  KeptList<Event> events_;
  std::vector<Transition> said_;  // room for publish()
  std::uint64_t frame_ = 0;
  bool keep_events_ = false;
};

}  // namespace finwait::tcp
