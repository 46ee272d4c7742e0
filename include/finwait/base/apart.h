// Values read and written as what they are, where the compiler would take several at once, or keep what it has just written.
//
// A load that takes in several narrow stores just made cannot be given what they stored: it waits until they, and all stores before them,
// those to memory far away among them, have reached the cache. And a copy of some hundred bytes by one instruction takes longer to begin
// than the copy takes. Words kept in registers from where they are written to where they are read next drive out what is needed between.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace finwait::base {

/// The value, read by itself, not together with its neighbours.
template <class T>
[[nodiscard, gnu::always_inline]] inline T apart(T value) noexcept {
  static_assert(std::is_integral_v<T>);
  asm("" : "+r"(value));
  return value;
}

/// From here on `value` is read where it stands in memory.
template <class T>
[[gnu::always_inline]] inline void settle(T& value) noexcept {
  asm("" : "+m"(value));
}

/// `to` = `from`, which are different objects, some words at a time.
template <class T>
[[gnu::always_inline]] inline void copy_words(const T& from, T& to) noexcept {
  static_assert(std::is_trivially_copyable_v<T>);
  constexpr std::size_t kSome = 64;
  const auto* source = reinterpret_cast<const std::byte*>(&from);
  auto* target = reinterpret_cast<std::byte*>(&to);
  std::size_t at = 0;
  for (; at + kSome <= sizeof(T); at += kSome) {
    std::array<std::byte, kSome> some;
    std::memcpy(some.data(), source + at, kSome);
    std::memcpy(target + at, some.data(), kSome);
  }
  std::memcpy(target + at, source + at, sizeof(T) - at);
}

}  // namespace finwait::base
