// Zeek's view of each connection, beside the connections: only outputs that speak Zeek's words need it, and what nobody needs costs neither
// memory nor time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>

#include "finwait/base/memory.h"
#include "finwait/tcp/zeek_view.h"

namespace finwait::tcp {

class ZeekViews {
 private:
  struct alignas(base::kCacheLine) Place {
    std::array<std::byte, sizeof(ZeekView)> bytes;
  };

 public:
  static constexpr std::size_t kBytesEach = sizeof(Place);

  /// One for each of `capacity` connections; 0: nobody wants them. Throws std::bad_alloc.
  explicit ZeekViews(std::uint32_t capacity) : views_(capacity) {}

  /// By anybody.
  [[nodiscard]] bool wanted() const noexcept { return views_.size() != 0; }

  void prefetch(std::uint32_t index) const noexcept {
    if (wanted()) views_.prefetch(index);
  }
  void begin(std::uint32_t index) noexcept {
    if (wanted()) ::new (static_cast<void*>(&views_[index])) ZeekView{};
  }
  void see(std::uint32_t index, const wire::Segment& s) noexcept {
    if (wanted()) at(index)->see(s);
  }
  /// The connection has another index now.
  void move(std::uint32_t from, std::uint32_t to) noexcept {
    if (wanted()) views_[to] = views_[from];
  }
  /// Nobody will ask for any.
  void give_back() noexcept { views_.give_back(); }
  /// nullptr: nobody wants it.
  [[nodiscard]] const ZeekView* of(std::uint32_t index) const noexcept { return wanted() ? at(index) : nullptr; }

 private:
  [[nodiscard]] ZeekView* at(std::uint32_t index) noexcept { return std::launder(reinterpret_cast<ZeekView*>(&views_[index])); }
  [[nodiscard]] const ZeekView* at(std::uint32_t index) const noexcept {
    return std::launder(reinterpret_cast<const ZeekView*>(&views_[index]));
  }

  base::FixedArray<Place> views_;
};

}  // namespace finwait::tcp
