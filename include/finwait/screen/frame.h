// A screenful of cells: what draw() makes and a terminal shows.
//
// Always true: what is put outside of it is cut off; each cell is one column wide.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace finwait::screen {

struct Size {
  int rows = 24;
  int columns = 80;
  bool operator==(const Size&) const = default;
};

/// What a cell means; the terminal decides how that looks.
enum class Style : std::uint8_t { kPlain, kFaint, kStrong, kBar, kSelected, kGood, kNotice, kWarning, kAlert };
inline constexpr int kStyles = 9;

struct Cell {
  char32_t glyph = U' ';
  Style style = Style::kPlain;
  bool operator==(const Cell&) const = default;
};

class Frame {
 public:
  explicit Frame(Size size);

  [[nodiscard]] Size size() const noexcept { return size_; }
  [[nodiscard]] const Cell& at(int row, int column) const { return cells_[index(row, column)]; }

  /// Puts text (UTF-8, each character one column) from `column` on; returns the column after it. No more than `most` columns.
  int put(int row, int column, std::string_view text, Style style = Style::kPlain, int most = 1'000'000);
  /// The same, its end before `column`.
  void put_right(int row, int column, std::string_view text, Style style = Style::kPlain);
  /// Every cell of the row.
  void paint(int row, Style style);

  /// The rows as text, without blanks at their ends; UTF-8.
  [[nodiscard]] std::string text() const;

 private:
  [[nodiscard]] std::size_t index(int row, int column) const noexcept {
    return static_cast<std::size_t>(row) * static_cast<std::size_t>(size_.columns) + static_cast<std::size_t>(column);
  }
  Size size_;
  std::vector<Cell> cells_;
};

/// How many columns a text takes.
[[nodiscard]] int width(std::string_view text) noexcept;

}  // namespace finwait::screen
