// The unread bytes of a capture file that are in memory: a buffer that slides over its provider, or a borrowed piece of memory as a whole.
//
// Always true: [begin(), end()) is readable, offset() is the place of begin() in the input, and bytes move only in fill() and skip(). So
// what was handed out stays where it is until one of these two is called. Memory grows only by bytes that exist: a length in a damaged file
// allocates nothing by itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "finwait/capture/byte_provider.h"

namespace finwait::capture {

class ByteWindow {
 public:
  /// Stays in a core's cache, and is large enough that the system call is lost in the noise.
  static constexpr std::size_t kDefaultCapacity = std::size_t{256} * 1024;

  /// `capacity` (at least 1) is where the buffer begins; fill() lets it grow.
  explicit ByteWindow(std::unique_ptr<ByteProvider> provider, std::size_t capacity = kDefaultCapacity);

  /// Begins at byte `offset` of the input, where `provider` stands.
  ByteWindow(std::unique_ptr<ByteProvider> provider, std::uint64_t offset, std::size_t capacity)
      : ByteWindow(std::move(provider), capacity) {
    offset_ = offset;
  }

  /// All of `memory`, borrowed for the life of the window.
  explicit ByteWindow(std::span<const std::uint8_t> memory) noexcept;

  [[nodiscard]] const std::uint8_t* begin() const noexcept { return begin_; }
  [[nodiscard]] const std::uint8_t* end() const noexcept { return end_; }
  [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>(end_ - begin_); }
  [[nodiscard]] std::uint64_t offset() const noexcept { return offset_; }

  /// The first `count` bytes are read. Requires count <= size(). They stay in place.
  void consume(std::size_t count) noexcept {
    begin_ += count;
    offset_ += count;
  }

  /// Brings in bytes until size() >= want; false if the input ends before. The caller bounds `want`: the buffer may grow to twice that.
  [[nodiscard]] bool fill(std::size_t want);

  /// Reads over `count` bytes without keeping them; false if the input ends before.
  [[nodiscard]] bool skip(std::uint64_t count);

  /// A window of the same input from byte `begin` on, for another thread (see ByteProvider::piece); nothing where only one can read.
  [[nodiscard]] std::optional<ByteWindow> piece(std::uint64_t begin, std::uint64_t soft_end) const;

  /// Goes on at byte `offset` of the input. Only where piece() gives something.
  void jump(std::uint64_t offset);

  /// Nothing more will be read: gives the memory back. Only offset() means anything afterwards.
  void close() noexcept;

  /// Bytes of the input when it was opened; 0: unknown.
  [[nodiscard]] std::uint64_t input_size() const noexcept { return provider_ ? provider_->size() : borrowed_size_; }

  /// After fill() or skip() gave false: what went wrong, in words; empty if the input simply ended.
  [[nodiscard]] std::string error() const { return provider_ ? provider_->error() : std::string{}; }

  /// See ByteProvider; memory neither waits, decompresses nor changes.
  [[nodiscard]] bool may_wait() const noexcept { return provider_ && provider_->may_wait(); }
  [[nodiscard]] bool decompresses() const noexcept { return provider_ && provider_->decompresses(); }
  [[nodiscard]] bool changed() const noexcept { return provider_ && provider_->changed(); }

  /// Share of the input consumed, 0 to 1; below 0 if unknown.
  [[nodiscard]] double progress() const noexcept;

 private:
  void make_room();

  std::unique_ptr<ByteProvider> provider_;
  std::unique_ptr<std::uint8_t[]> buffer_;
  std::size_t capacity_ = 0;
  std::size_t borrowed_size_ = 0;
  const std::uint8_t* begin_ = nullptr;
  const std::uint8_t* end_ = nullptr;
  std::uint64_t offset_ = 0;
  bool ended_ = false;
};

}  // namespace finwait::capture
