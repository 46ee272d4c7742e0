// What the keys do: one table of keys, from which the help is made, and a machine of states without a terminal.
//
// Always true: every key of the table does what its row says and no other key does anything (but write, while a filter is typed); a press
// never fails. Positions are kept within the rows there are.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "finwait/screen/model.h"

namespace finwait::screen {

enum class Page : std::uint8_t { kOverview, kBusiest, kSickest, kConnections, kAnomalies };
inline constexpr int kPages = 5;

/// By what lists are sorted; always the most first.
enum class Sort : std::uint8_t { kRate, kBytes, kPackets, kConnections, kTrouble, kRetransmitted, kNewest, kIdle };
[[nodiscard]] std::string_view name(Sort sort) noexcept;
/// Those that make sense for a page, in the order of the key; empty: it is not sorted.
[[nodiscard]] std::span<const Sort> sorts(Page page) noexcept;

/// A key: a printable character of ASCII, or one of these.
namespace key {
inline constexpr int kTab = '\t';
inline constexpr int kEnter = '\n';
inline constexpr int kEscape = 27;
inline constexpr int kBackspace = 127;
inline constexpr int kUp = 1000;
inline constexpr int kDown = 1001;
inline constexpr int kPageUp = 1002;
inline constexpr int kPageDown = 1003;
inline constexpr int kHome = 1004;
inline constexpr int kEnd = 1005;
}  // namespace key

enum class Action : std::uint8_t {
  kShowOverview,
  kShowBusiest,
  kShowSickest,
  kShowConnections,
  kShowAnomalies,
  kNextPage,
  kUp,
  kDown,
  kPageUp,
  kPageDown,
  kFirst,
  kLast,
  kOpen,
  kBack,
  kSort,
  kReverse,
  kPause,
  kFilter,
  kHelp,
  kQuit,
};

struct KeyRow {
  Action action;
  std::array<int, 3> keys;  ///< 0: none
  std::string_view label;   ///< "Up, k"
  std::string_view help;
};
[[nodiscard]] std::span<const KeyRow> key_table() noexcept;

/// Where the person is.
struct Ui {
  Page page = Page::kOverview;
  std::array<std::size_t, kPages> sort{};  ///< into sorts(page)
  bool reverse = false;
  bool paused = false;
  bool help = false;
  bool quit = false;
  bool typing = false;  ///< a filter is being typed
  std::string filter;   ///< lists show only rows with this text
  int selected = 0;     ///< row of the list, from 0
  int scroll = 0;       ///< first line of a closeup that is shown
  bool at_end = false;  ///< its last line is shown, whatever comes
  struct Open {
    std::uint64_t id = 0;
    std::uint32_t index = 0;
    std::uint32_t shard = 0;
    bool operator==(const Open&) const = default;
  };
  std::optional<Open> open;               ///< the connection that is looked at closely
  std::optional<std::uint64_t> searched;  ///< the id of one that is to be opened, wherever it is

  [[nodiscard]] std::optional<Sort> sorted_by() const noexcept;
};

/// `rows`: how many rows of a list the screen shows at once.
void press(Ui& ui, int key, const Model& model, int rows);

/// Which rows of the page's list are shown, in their order: indices into model.pairs, model.connections or model.notices.
[[nodiscard]] std::vector<std::size_t> arranged(const Model& model, const Ui& ui);

/// Whether `a` comes before `b`.
[[nodiscard]] bool before(const PairRow& a, const PairRow& b, Sort sort) noexcept;
[[nodiscard]] bool before(const ConnectionRow& a, const ConnectionRow& b, Sort sort) noexcept;
/// Letters are taken as they come, large or small.
[[nodiscard]] bool matches(const PairRow& row, std::string_view filter);
[[nodiscard]] bool matches(const tcp::ConnectionView& view, std::string_view filter);
[[nodiscard]] inline bool matches(const ConnectionRow& row, std::string_view filter) { return matches(row.view, filter); }
[[nodiscard]] bool matches(const tcp::Notice& notice, std::string_view filter);

}  // namespace finwait::screen
