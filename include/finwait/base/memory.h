// Memory sized once, at start: zero pages straight from the kernel.
//
// Always true: a page costs nothing until it is first touched; it then reads as zero. Large areas begin at a huge-page boundary and ask for
// huge pages, as many as they fill; the rest, and whoever asks for small ones, has pages of 4 KiB. Nothing grows, nothing moves (but the
// owner may). Room is reserved without a promise of memory behind it (MAP_NORESERVE): what an owner never touches never counts, and what he
// gives back counts no more.
//
// Not here: construction. FixedArray's elements are types for which all bits zero is a value and nothing need run.
#pragma once

#include <cassert>
#include <cstddef>
#include <limits>
#include <new>
#include <type_traits>
#include <utility>

namespace finwait::base {

inline constexpr std::size_t kCacheLine = 64;

/// Asks the processor to fetch the cache line at `address`, for reading and writing. Any address is allowed, mapped or not.
///
/// The empty assembler line is what makes it happen: GCC 12 takes a function that does nothing but __builtin_prefetch for one without
/// effect, and leaves out the calls to it, that is, to whatever inlines this.
inline void prefetch_line(const void* address) noexcept {
  __builtin_prefetch(address, 1, 3);
  asm volatile("" : : "r"(address));
}

/// The same of all lines of `bytes` bytes that begin on a line, or close behind its beginning.
inline void prefetch_lines(const void* address, std::size_t bytes) noexcept {
  const auto* at = static_cast<const std::byte*>(address);
  for (std::size_t line = 0; line < bytes; line += kCacheLine) prefetch_line(at + line);
}

/// As prefetch_line, for a line that another processor may have: it gives it up now, not when it is written to. All x86-64 processors know
/// the instruction or take it for none.
inline void prefetch_line_to_write(const void* address) noexcept {
#if defined(__x86_64__)
  asm volatile("prefetchw %0" : : "m"(*static_cast<const char*>(address)));
#else
  prefetch_line(address);
#endif
}

/// Small ones are for what is touched here and there: a huge page is there as a whole once a byte of it is.
enum class PageSize { kHugeIfLarge, kSmall };

/// An area of zero pages, owned. Movable, not copyable.
class Pages {
 public:
  /// No memory; data() is null.
  Pages() noexcept = default;
  /// At least `bytes` bytes of zeros, on a page boundary; the first `seldom` of them have small pages in any case. Throws std::bad_alloc.
  /// 0 bytes are no memory.
  explicit Pages(std::size_t bytes, PageSize size = PageSize::kHugeIfLarge, std::size_t seldom = 0);
  ~Pages();
  Pages(Pages&& other) noexcept : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  Pages& operator=(Pages&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;

  [[nodiscard]] std::byte* data() const noexcept { return data_; }

  /// The kernel may have the memory, the area stays: it is zeros, and costs nothing until it is touched again. One system call.
  void give_back() noexcept;

 private:
  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
};

/// An array of `size` zeroed T, the size fixed at construction.
template <class T>
class FixedArray {
  static_assert(std::is_trivially_default_constructible_v<T> && std::is_trivially_destructible_v<T>, "zero pages must be a T already");

 public:
  FixedArray() noexcept = default;
  /// The first `seldom` elements are touched here and there at most: they have small pages in any case. Throws std::bad_alloc.
  explicit FixedArray(std::size_t size, PageSize pages = PageSize::kHugeIfLarge, std::size_t seldom = 0)
      : pages_(bytes_for(size), pages, seldom * sizeof(T)), size_(size) {}
  FixedArray(FixedArray&& other) noexcept : pages_(std::move(other.pages_)), size_(std::exchange(other.size_, 0)) {}
  FixedArray& operator=(FixedArray&& other) noexcept {
    pages_ = std::move(other.pages_);
    std::swap(size_, other.size_);
    return *this;
  }
  FixedArray(const FixedArray&) = delete;
  FixedArray& operator=(const FixedArray&) = delete;
  ~FixedArray() = default;

  /// i < size().
  [[nodiscard]] T& operator[](std::size_t i) noexcept {
    assert(i < size_);
    return data()[i];
  }
  [[nodiscard]] const T& operator[](std::size_t i) const noexcept {
    assert(i < size_);
    return data()[i];
  }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  /// Every element is zero again, and costs nothing until it is touched. One system call.
  void give_back() noexcept { pages_.give_back(); }

  /// Fetches the first cache line of element i; i may be anything.
  void prefetch(std::size_t i) const noexcept { prefetch_line(pages_.data() + i * sizeof(T)); }

  [[nodiscard]] T* begin() noexcept { return data(); }
  [[nodiscard]] T* end() noexcept { return data() + size_; }
  [[nodiscard]] const T* begin() const noexcept { return data(); }
  [[nodiscard]] const T* end() const noexcept { return data() + size_; }

 private:
  [[nodiscard]] static std::size_t bytes_for(std::size_t size) {
    if (size > std::numeric_limits<std::size_t>::max() / sizeof(T)) throw std::bad_alloc();
    return size * sizeof(T);
  }
  [[nodiscard]] T* data() const noexcept { return reinterpret_cast<T*>(pages_.data()); }

  Pages pages_;
  std::size_t size_ = 0;
};

}  // namespace finwait::base
