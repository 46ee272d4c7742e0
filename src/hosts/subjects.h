// What is kept of listeners, originating hosts, routes and probes: plain values in tables of fixed size.
//
// A subject has a few counters, and a Detail for each thing that happens to it more than once. The first thing that happens to it waits in
// the subject itself: most have no second.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include "finwait/base/memory.h"
#include "finwait/base/time.h"
#include "finwait/hosts/heavy_table.h"
#include "finwait/hosts/life.h"
#include "finwait/hosts/series.h"

namespace finwait::hosts {

/// What can happen to the connections of a subject.
enum class Trouble : std::uint8_t { kHalfOpen, kAckLost, kReset, kCloseWait, kFinWait2, kRepeated };
inline constexpr int kTroubles = 6;

/// Up to ten ids, the first ones to come.
struct Examples {
  std::array<std::uint64_t, 10> ids;
  std::uint32_t count;

  void add(std::uint64_t id) noexcept {
    if (count != ids.size()) ids[count++] = id;
  }
  [[nodiscard]] std::vector<std::uint64_t> list() const { return {ids.begin(), ids.begin() + count}; }
};

/// First and last stamp of something.
struct Span {
  base::Timestamp first;
  base::Timestamp last;
  bool any;

  void add(base::Timestamp time) noexcept {
    first = any ? std::min(first, time) : time;
    last = any ? std::max(last, time) : time;
    any = true;
  }
};

struct Detail {
  Examples examples;
  Span span;
  std::uint64_t count;
  std::uint64_t others_before;  ///< handshakes of the listener when this began, and when it last happened
  std::uint64_t others_at_last;
  std::uint32_t window;  ///< index + 1 of a PeakWindow; 0: none
  Series<64> series;
};

/// A thing that happened, from when to when.
struct Happening {
  std::uint64_t connection;
  base::Timestamp from;
  base::Timestamp until;  ///< kNever: to the end
  Trouble what;
};

/// A listener (address and port), or an originating host (port 0). With its key it fills two cache lines.
struct Subject {
  std::uint64_t established;
  std::uint64_t with_data;  ///< of these: carried payload
  std::uint64_t segments;   ///< that it sent on established connections
  std::uint64_t repeated;
  std::uint64_t stateless;  ///< half-open ones whose SYN-ACK should have been repeated and was not
  std::uint64_t stateful;   ///< half-open ones whose SYN-ACK was repeated
  // A happening that waits for a second.
  std::uint64_t first_connection;
  base::Timestamp first_from;
  base::Timestamp first_until;
  Trouble first_what;
  bool waiting;                                  ///< there is one
  std::array<std::uint16_t, kTroubles> details;  ///< index + 1; 0: none

  void wait(const Happening& what) noexcept {
    first_connection = what.connection;
    first_from = what.from;
    first_until = what.until;
    first_what = what.what;
    waiting = true;
  }
  [[nodiscard]] bool has_details() const noexcept {
    std::uint64_t four = 0;
    std::uint32_t two = 0;
    static_assert(sizeof details == sizeof four + sizeof two);
    std::memcpy(&four, details.data(), sizeof four);
    std::memcpy(&two, details.data() + 4, sizeof two);
    return (four | two) != 0;
  }
  [[nodiscard]] Happening first() const noexcept { return {first_connection, first_from, first_until, first_what}; }
};
static_assert(sizeof(Subject) + sizeof(wire::FlowKey) == 2 * base::kCacheLine);

/// From a host to a listener: TIME-WAITs held by the originator.
struct Route {
  std::uint64_t count;
  std::uint64_t expired;  ///< TIME-WAITs that were seen to end, and how long they lasted
  std::uint64_t lasted;   ///< milliseconds in all
  Span span;
  std::uint16_t least_port;
  std::uint16_t most_port;
  std::uint32_t busy;  ///< index + 1 of a BusyRoute; 0: none
};

/// What is kept besides of a route with many of them.
struct BusyRoute {
  Examples examples;
  Series<64> series;
  PeakWindow window;

  void add_stay(base::Timestamp from, base::Timestamp until) noexcept {
    series.add_stay(from, until);
    window.add_stay(from, until);
  }
};

/// An attempt that came to nothing, or to a connection without a byte.
struct alignas(64) Probe {
  std::uint64_t connection;  ///< 0: none
  base::Timestamp start;
  std::array<std::uint8_t, 16> from;
  std::array<std::uint8_t, 16> to;
  std::uint32_t network;
  std::uint16_t port;
  Technique technique;
  std::uint8_t flags;
  std::uint32_t place;  ///< where the first one of its host waits

  static constexpr std::uint8_t kEmpty = 1U << 0;  ///< a connection without a byte
  static constexpr std::uint8_t kRefused = 1U << 1;
  static constexpr std::uint8_t kOpen = 1U << 2;
  static constexpr std::uint8_t kEntered = 1U << 3;  ///< of the first one of a host: it waits for a second no more
  [[nodiscard]] bool is(std::uint8_t flag) const noexcept { return (flags & flag) != 0; }
  /// Whether it is one, and of this host.
  [[nodiscard]] bool is_of(const wire::Address& host, std::uint32_t host_network) const noexcept {
    std::array<std::uint64_t, 2> a;
    std::array<std::uint64_t, 2> b;
    std::memcpy(a.data(), from.data(), sizeof a);
    std::memcpy(b.data(), host.bytes.data(), sizeof b);
    return connection != 0 && ((a[0] ^ b[0]) | (a[1] ^ b[1]) | (network ^ host_network)) == 0;
  }
  // Both together: all but its place.
  void write(const wire::Address& by, const wire::Address& target, std::uint16_t target_port, std::uint32_t of_network) noexcept {
    from = by.bytes;
    to = target.bytes;
    network = of_network;
    port = target_port;
  }
  void note(std::uint64_t id, base::Timestamp at, Technique made, std::uint8_t what) noexcept {
    connection = id;
    start = at;
    technique = made;
    flags = what;
  }
};
static_assert(sizeof(Probe) == 64);

/// From one host to one target (any port), or to one port (any target).
struct Probes {
  static constexpr std::size_t kFew = 32;
  std::uint64_t all;
  std::uint64_t failed;  ///< refused, unanswered, broken off, illegal: all but connections without a byte
  std::uint64_t refused;
  std::uint64_t open;  ///< answered by a SYN-ACK
  Examples examples;
  Span span;
  std::array<std::uint64_t, kTechniques> techniques;
  std::uint32_t distinct;  ///< of `few`
  std::uint32_t block;     ///< index + 1 of a Sketch; 0: none
  bool cut;                ///< more than `few`, and no Sketch was to be had
  std::array<std::uint32_t, kFew> few;
};

/// How many different things: one bit for each port, or HyperLogLog registers for addresses (Flajolet et al. 2007; 1.15 % standard error).
struct Sketch {
  static constexpr std::size_t kRegisters = 8192;
  std::array<std::uint8_t, kRegisters> registers;

  void add_port(std::uint16_t port) noexcept { registers[port / 8] = static_cast<std::uint8_t>(registers[port / 8] | 1U << (port % 8)); }
  void add_hash(std::uint64_t hash) noexcept;
  [[nodiscard]] std::uint64_t ports() const noexcept;
  [[nodiscard]] std::uint64_t hashes() const noexcept;
};

/// Records handed out by number, zero when handed out. Numbers given are index + 1, 0 is none.
template <class T>
class Shelf {
 public:
  explicit Shelf(std::size_t capacity) : records_(capacity), free_(capacity) {}

  [[nodiscard]] std::uint32_t take() noexcept {
    std::uint32_t number = 0;
    if (freed_ != 0) {
      number = free_[--freed_];
      records_[number - 1] = T{};
    } else if (used_ != records_.size()) {
      number = ++used_;
    }
    return number;
  }
  void give_back(std::uint32_t number) noexcept {
    if (number != 0) free_[freed_++] = number;
  }
  [[nodiscard]] T& operator[](std::uint32_t number) noexcept { return records_[number - 1]; }
  [[nodiscard]] const T& operator[](std::uint32_t number) const noexcept { return records_[number - 1]; }
  [[nodiscard]] std::size_t memory() const noexcept { return records_.size() * (sizeof(T) + sizeof(std::uint32_t)); }

 private:
  base::FixedArray<T> records_;
  base::FixedArray<std::uint32_t> free_;
  std::uint32_t used_ = 0;
  std::uint32_t freed_ = 0;
};

}  // namespace finwait::hosts
