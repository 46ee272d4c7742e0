// Reads the connections of a tracker while its thread is changing them.
//
// Always true: what is read of a connection is how it stood between two segments, never parts of two moments nor of two connections that
// had the same place. The tracker's thread is wait-free and does not know that anybody reads. A call of a reader is wait-free too: it tries
// a connection a few times (kTries) and then says that it was busy. A try succeeds when the writer leaves that one connection alone for the
// time of the copy, a fraction of a microsecond (obstruction-free): only one that gets segments without a pause is busy at all.
//
// Different connections are read one after the other: together they are no moment of the table. Not here: finding a connection by its key.
#pragma once

#include <cstddef>
#include <cstdint>

#include "finwait/tcp/connection_view.h"

namespace finwait::tcp {

class Memory;
class Blocks;

/// A small value, to be copied. Any number of threads, each with its own. Valid as long as the tracker it is of.
class TableReader {
 public:
  static constexpr int kTries = 8;

  enum class Look : std::uint8_t { kSeen, kNothing, kBusy };

  /// By Tracker::reader().
  TableReader(const Memory& memory, const Blocks& blocks) noexcept : memory_(&memory), blocks_(&blocks) {}

  /// Every connection there is has an index below it.
  [[nodiscard]] std::uint32_t limit() const noexcept;

  /// What stands at an index below limit().
  [[nodiscard]] Look view(std::uint32_t index, ConnectionView& out) const noexcept;
  /// The whole record as it is; its lists (blocks) cannot be followed.
  [[nodiscard]] Look copy(std::uint32_t index, Connection& out) const noexcept;
  /// With all that is said of it. `clock`: the trace clock, for what it comes to. Allocates.
  [[nodiscard]] Look details(std::uint32_t index, base::Timestamp clock, ConnectionDetails& out) const;

  /// f(const ConnectionView&) for each connection, by rising index. Returns how many were busy and left out.
  ///
  /// Whoever reads all of them again and again takes the lines that the writer has just written from its cache: about a microsecond of its
  /// time for each connection of a small table, a tenth of that of one that its caches do not hold. So rest() is called each time kBurst
  /// have been seen that changed, or kStill times as many that did not: who sleeps there for rest_of() costs the writer less than 3 %.
  /// `still_since`: a connection without a frame beyond this one was seen by the same reader since it changed; the number of frames when
  /// its round before began. 0: nothing is known.
  static constexpr std::uint32_t kBurst = 256;
  static constexpr std::uint32_t kStill = 16;
  /// Microseconds, for so many connections: a round takes a second, or longer if they are very many.
  [[nodiscard]] static constexpr std::uint64_t rest_of(std::uint64_t connections) noexcept {
    constexpr std::uint64_t kLeast = 2'560;  // 100 000 connections a second
    const std::uint64_t spread = std::uint64_t{1'000'000} * kBurst / (connections + kBurst);
    return spread > kLeast ? spread : kLeast;
  }
  template <class F, class Rest>
  std::size_t for_each(F&& f, Rest&& rest, std::uint64_t still_since = 0) const {
    std::size_t busy = 0;
    std::uint32_t taken = 0;
    ConnectionView view;
    const std::uint32_t end = limit();
    for (std::uint32_t index = 0; index < end; ++index) {
      const Look look = this->view(index, view);
      busy += look == Look::kBusy;
      if (look != Look::kSeen) continue;
      f(static_cast<const ConnectionView&>(view));
      taken += view.last_frame > still_since ? kStill : 1;
      if (taken < kBurst * kStill) continue;
      taken = 0;
      rest();
    }
    return busy;
  }
  template <class F>
  std::size_t for_each(F&& f) const {
    return for_each(f, [] {});
  }

 private:
  const Memory* memory_;
  const Blocks* blocks_;
};

}  // namespace finwait::tcp
