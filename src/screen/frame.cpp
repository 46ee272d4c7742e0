#include "finwait/screen/frame.h"

#include <algorithm>

namespace finwait::screen {
namespace {

/// The character at the front of well-formed UTF-8, taken away.
char32_t take(std::string_view& text) noexcept {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  char32_t glyph = length == 1 ? first : first & (0x7fU >> length);
  for (std::size_t n = 1; n < std::min(length, text.size()); ++n) glyph = glyph << 6 | (static_cast<unsigned char>(text[n]) & 0x3fU);
  text.remove_prefix(std::min(length, text.size()));
  return glyph;
}

void append(std::string& text, char32_t glyph) {
  const auto low = [&](unsigned shift) { text += static_cast<char>(0x80 | (glyph >> shift & 0x3f)); };
  if (glyph < 0x80) {
    text += static_cast<char>(glyph);
  } else if (glyph < 0x800) {
    text += static_cast<char>(0xc0 | glyph >> 6);
    low(0);
  } else {
    text += static_cast<char>(0xe0 | glyph >> 12);
    low(6);
    low(0);
  }
}

}  // namespace

int width(std::string_view text) noexcept {
  return static_cast<int>(std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80; }));
}

Frame::Frame(Size size)
    : size_{std::max(size.rows, 0), std::max(size.columns, 0)},
      cells_(static_cast<std::size_t>(size_.rows) * static_cast<std::size_t>(size_.columns)) {}

int Frame::put(int row, int column, std::string_view text, Style style, int most) {
  for (; !text.empty() && most > 0; --most, ++column) {
    const char32_t glyph = take(text);
    if (row < 0 || row >= size_.rows || column < 0 || column >= size_.columns) continue;
    cells_[index(row, column)] = {glyph < U' ' || glyph == 0x7f ? U'?' : glyph, style};
  }
  return column;
}

void Frame::put_right(int row, int column, std::string_view text, Style style) { put(row, column - width(text), text, style); }

void Frame::paint(int row, Style style) {
  if (row < 0 || row >= size_.rows) return;
  for (int column = 0; column < size_.columns; ++column) cells_[index(row, column)].style = style;
}

std::string Frame::text() const {
  std::string all;
  for (int row = 0; row < size_.rows; ++row) {
    std::string line;
    for (int column = 0; column < size_.columns; ++column) append(line, at(row, column).glyph);
    line.resize(line.find_last_not_of(' ') + 1);
    all += line + '\n';
  }
  return all;
}

}  // namespace finwait::screen
