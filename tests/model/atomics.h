// Names of the standard library's atomics for those of the model: included before anything else, it makes the product's own sources run
// under the checker, unchanged.
//
// All standard headers that these sources use come first, so that only the sources meant here see the other names. Copies of bytes are
// accesses to plain memory. tests/model/stand_in has what is replaced as a whole.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "checker.h"

namespace finwait::model {

template <class T>
std::uint64_t bits_of(T value) noexcept {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  return bits;
}
template <class T>
T value_of(std::uint64_t bits) noexcept {
  T value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// std::atomic_ref, as far as it is used.
template <class T>
class AtomicRef {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 8);

 public:
  static constexpr bool is_always_lock_free = true;
  explicit AtomicRef(T& value) noexcept : value_(value) {}
  T load(std::memory_order order = std::memory_order_seq_cst, const char* file = __builtin_FILE(),
         int line = __builtin_LINE()) const noexcept {
    return value_of<T>(model::load(&value_, sizeof(T), static_cast<int>(order), file, line));
  }
  void store(T value, std::memory_order order = std::memory_order_seq_cst, const char* file = __builtin_FILE(),
             int line = __builtin_LINE()) const noexcept {
    model::store(&value_, sizeof(T), bits_of(value), static_cast<int>(order), file, line);
  }
  T fetch_add(T more, std::memory_order order = std::memory_order_seq_cst, const char* file = __builtin_FILE(),
              int line = __builtin_LINE()) const noexcept {
    return value_of<T>(model::add(&value_, sizeof(T), bits_of(more), static_cast<int>(order), file, line));
  }
  void wait(T old, std::memory_order order = std::memory_order_seq_cst, const char* file = __builtin_FILE(),
            int line = __builtin_LINE()) const noexcept {
    model::wait(&value_, sizeof(T), bits_of(old), static_cast<int>(order), file, line);
  }
  void notify_all() const noexcept { model::notify_all(&value_); }

 private:
  T& value_;
};

/// std::atomic, as far as it is used.
template <class T>
class Atomic {
 public:
  static constexpr bool is_always_lock_free = true;
  Atomic() = default;
  explicit(false) constexpr Atomic(T value) noexcept : value_(value) {}
  Atomic(const Atomic&) = delete;
  Atomic& operator=(const Atomic&) = delete;
  ~Atomic() = default;
  T load(std::memory_order order = std::memory_order_seq_cst, const char* file = __builtin_FILE(),
         int line = __builtin_LINE()) const noexcept {
    return ref().load(order, file, line);
  }
  void store(T value, std::memory_order order = std::memory_order_seq_cst, const char* file = __builtin_FILE(),
             int line = __builtin_LINE()) noexcept {
    ref().store(value, order, file, line);
  }
  T fetch_add(T more, std::memory_order order = std::memory_order_seq_cst, const char* file = __builtin_FILE(),
              int line = __builtin_LINE()) noexcept {
    return ref().fetch_add(more, order, file, line);
  }
  void wait(T old, std::memory_order order = std::memory_order_seq_cst, const char* file = __builtin_FILE(),
            int line = __builtin_LINE()) const noexcept {
    ref().wait(old, order, file, line);
  }
  void notify_all() noexcept { ref().notify_all(); }

 private:
  [[nodiscard]] AtomicRef<T> ref() const noexcept { return AtomicRef<T>(value_); }
  alignas(sizeof(T)) mutable T value_{};
};

inline void* copy(void* to, const void* from, std::size_t bytes) {
  plain_read(from, bytes);
  plain_write(to, bytes);
  return std::memcpy(to, from, bytes);
}

}  // namespace finwait::model

// NOLINTBEGIN: nothing else makes std::atomic mean another class.
namespace std {
template <class T>
using finwait_atomic = ::finwait::model::Atomic<T>;
template <class T>
using finwait_atomic_ref = ::finwait::model::AtomicRef<T>;
inline void finwait_fence(memory_order order, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  ::finwait::model::fence(static_cast<int>(order), file, line);
}
inline void* finwait_copy(void* to, const void* from, size_t bytes) { return ::finwait::model::copy(to, from, bytes); }
}  // namespace std

#define atomic finwait_atomic
#define atomic_ref finwait_atomic_ref
#define atomic_thread_fence finwait_fence
#define memcpy finwait_copy
#define __atomic_store_n(address, value, order) ::finwait::model::store(address, sizeof *(address), value, order, __FILE__, __LINE__)
#define __builtin_ia32_pause ::finwait::model::pause
// NOLINTEND
