// JSON objects written straight into a Text.
//
// Keys are compile-time strings, already quoted and escaped, so a field costs a copy of its key and its value. Every value is followed by a
// comma, which the end of its object or list takes back: no state, no branch. The caller closes what it opens.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <string_view>

#include "finwait/base/time.h"
#include "finwait/report/format.h"
#include "finwait/report/text.h"

namespace finwait::report {

/// A key as a template argument: json.number<"packets">(n). Letters, digits, '-' and '_' only.
template <std::size_t N>
struct Key {
  consteval Key(const char (&name)[N]) {  // NOLINT(google-explicit-constructor): a literal is a key
    text[0] = '"';
    for (std::size_t n = 0; n + 1 < N; ++n) text[n + 1] = name[n];
    text[N] = '"';
    text[N + 1] = ':';
  }
  [[nodiscard]] constexpr std::string_view view() const noexcept { return {text.data(), text.size()}; }
  std::array<char, N + 2> text{};
};

class JsonWriter {
 public:
  explicit JsonWriter(Text& text) noexcept : text_(text) {}

  void begin() { text_.put('{'); }
  template <Key K>
  void begin() {
    text_.put(K.view());
    text_.put('{');
  }
  void end() { close('}'); }
  template <Key K>
  void begin_list() {
    text_.put(K.view());
    text_.put('[');
  }
  void end_list() { close(']'); }
  /// Ends the outermost object of a line.
  void end_line() {
    close('}');
    text_.drop_last();
    text_.put('\n');
  }

  template <Key K, std::integral Integer>
  void number(Integer value) {
    text_.put(K.view());
    item(value);
  }
  template <Key K>
  void boolean(bool value) {
    text_.put(K.view());
    text_.put(value ? "true," : "false,");
  }
  /// A value that needs no escaping: one of our own words.
  template <Key K>
  void word(std::string_view value) {
    text_.put(K.view());
    item_word(value);
  }
  /// Any bytes.
  template <Key K>
  void string(std::string_view value) {
    text_.put(K.view());
    item_string(value);
  }
  template <Key K>
  void time(base::Timestamp value) {
    text_.put(K.view());
    text_.put('"');
    put_time(text_, value);
    text_.put("\",");
  }
  template <Key K>
  void seconds(base::Duration value) {
    text_.put(K.view());
    put_seconds(text_, value);
    text_.put(',');
  }
  /// A value with a fixed number of decimals.
  template <Key K>
  void real(double value, int decimals) {
    text_.put(K.view());
    put_real(value, decimals);
  }
  /// A value of any size, in its shortest form: 1e-300.
  template <Key K>
  void small(double value) {
    text_.put(K.view());
    put_shortest(value);
  }
  template <Key K>
  void address(const wire::Address& value, int ip_version) {
    text_.put(K.view());
    text_.put('"');
    put_address(text_, value, ip_version);
    text_.put("\",");
  }

  /// Items of a list.
  template <std::integral Integer>
  void item(Integer value) {
    text_.number(value);
    text_.put(',');
  }
  void item_word(std::string_view value) {
    text_.put('"');
    text_.put(value);
    text_.put("\",");
  }
  void item_string(std::string_view value) {
    text_.put('"');
    put_escaped(value);
    text_.put("\",");
  }

  /// A key known only at run time; one of our own words.
  void real(std::string_view key, double value, int decimals) {
    put_key(key);
    put_real(value, decimals);
  }
  void begin_list(std::string_view key) {
    put_key(key);
    text_.put('[');
  }
  void number(std::string_view key, std::uint64_t value) {
    put_key(key);
    item(value);
  }

 private:
  void close(char bracket) {
    if (text_.last() == ',') text_.drop_last();
    text_.put(bracket);
    text_.put(',');
  }
  void put_key(std::string_view key) {
    text_.put('"');
    text_.put(key);
    text_.put("\":");
  }
  void put_escaped(std::string_view value);
  void put_shortest(double value);
  void put_real(double value, int decimals);

  Text& text_;
};

}  // namespace finwait::report
