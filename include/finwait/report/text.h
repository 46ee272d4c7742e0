// A growing run of characters that output is built in.
//
// Always true: room is made before it is written to, in steps that double, so that a warm Text allocates nothing. Numbers are written
// without locale. Knows nothing of JSON, time or files.
#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

namespace finwait::report {

class Text {
 public:
  Text() : data_(std::make_unique<char[]>(kFirst)), end_(data_.get()), limit_(data_.get() + kFirst) {}

  /// A place for at least `n` more characters; what is written there counts after advance_to(its end).
  [[nodiscard]] char* room(std::size_t n) {
    if (static_cast<std::size_t>(limit_ - end_) < n) grow(n);
    return end_;
  }
  void advance_to(char* end) noexcept { end_ = end; }

  void put(char c) {
    char* to = room(1);
    *to = c;
    end_ = to + 1;
  }
  void put(std::string_view text) {
    char* to = room(text.size());
    std::memcpy(to, text.data(), text.size());
    end_ = to + text.size();
  }
  template <std::integral Integer>
  void number(Integer value) {
    char* to = room(kNumberRoom);
    end_ = std::to_chars(to, to + kNumberRoom, value).ptr;
  }

  /// Takes back the last character. There is one.
  void drop_last() noexcept { --end_; }
  [[nodiscard]] char last() const noexcept { return end_[-1]; }
  [[nodiscard]] std::string_view view() const noexcept { return {data_.get(), size()}; }
  [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>(end_ - data_.get()); }
  void clear() noexcept { end_ = data_.get(); }

 private:
  static constexpr std::size_t kFirst = 4096;
  static constexpr std::size_t kNumberRoom = 24;

  void grow(std::size_t n);

  std::unique_ptr<char[]> data_;
  char* end_;
  char* limit_;
};

}  // namespace finwait::report
