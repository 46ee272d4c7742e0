#include "finwait/screen/terminal.h"

#define NCURSES_NOMACROS 1
#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <langinfo.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <climits>
#include <clocale>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <cwchar>
#include <stdexcept>
#include <string>

#include "finwait/screen/keys.h"

namespace finwait::screen {
namespace {

/// What restore_now() needs, prepared: a signal handler can ask nobody.
struct Found {
  termios modes{};
  std::array<char, 256> bytes{};
  std::size_t length = 0;
};
Found g_found;
std::atomic<bool> g_taken{false};
static_assert(std::atomic<bool>::is_always_lock_free);

SCREEN* g_screen = nullptr;

/// A capability of the terminal without its padding, appended to what restore_now() writes.
void note(const char* capability) {
  const char* text = tigetstr(capability);
  if (text == nullptr || text == reinterpret_cast<const char*>(-1)) return;
  for (const char* at = text; *at != 0 && g_found.length < g_found.bytes.size(); ++at) {
    if (at[0] == '$' && at[1] == '<') {
      while (*at != 0 && *at != '>') ++at;
      if (*at == 0) return;
      continue;
    }
    g_found.bytes[g_found.length++] = *at;
  }
}

std::array<chtype, kStyles> g_attributes{};

int meaning_of(int code) noexcept {
  switch (code) {
    case KEY_UP:
      return key::kUp;
    case KEY_DOWN:
      return key::kDown;
    case KEY_PPAGE:
      return key::kPageUp;
    case KEY_NPAGE:
      return key::kPageDown;
    case KEY_HOME:
      return key::kHome;
    case KEY_END:
      return key::kEnd;
    case KEY_ENTER:
      return key::kEnter;
    case KEY_BACKSPACE:
      return key::kBackspace;
    default:
      return code > 0 && code < 128 ? code : 0;
  }
}

}  // namespace

bool Terminal::possible() noexcept { return isatty(STDOUT_FILENO) == 1 && isatty(STDIN_FILENO) == 1; }

Terminal::Terminal() {
  std::setlocale(LC_CTYPE, "");  // which characters it shows; numbers stay as they are
  std::mbstate_t state{};
  std::array<char, MB_LEN_MAX> bytes{};
  static_cast<void>(std::wcrtomb(bytes.data(), L'a', &state));  // the locale's converter is loaded now: later no file may be opened
  looks_.utf8 = std::strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
  if (tcgetattr(STDOUT_FILENO, &g_found.modes) != 0) throw std::runtime_error("standard output is no terminal");
  std::signal(SIGTSTP, SIG_IGN);  // a capture that is stopped loses packets; and ncurses would handle it in any thread
  g_screen = newterm(nullptr, stdout, stdin);
  if (g_screen == nullptr) throw std::runtime_error("the terminal cannot show it: set TERM, or choose an output with -o");
  g_found.length = 0;
  for (const char* capability : {"sgr0", "rmkx", "cnorm", "rmcup"}) note(capability);
  g_taken.store(true);
  cbreak();
  noecho();
  nonl();
  keypad(stdscr, true);
  set_escdelay(25);
  curs_set(0);
  choose_colours();
}

Terminal::~Terminal() {
  if (!g_taken.exchange(false)) return;
  endwin();
  delscreen(g_screen);
  g_screen = nullptr;
}

void Terminal::choose_colours() {
  const char* refused = std::getenv("NO_COLOR");
  const bool colour = (refused == nullptr || *refused == 0) && has_colors();
  const auto attribute = [&](Style style) -> chtype& { return g_attributes[static_cast<std::size_t>(style)]; };
  attribute(Style::kFaint) = A_DIM;
  attribute(Style::kStrong) = A_BOLD;
  attribute(Style::kBar) = A_REVERSE;
  attribute(Style::kSelected) = A_REVERSE;
  attribute(Style::kWarning) = A_BOLD;
  attribute(Style::kAlert) = A_BOLD;
  if (!colour) return;
  start_color();
  use_default_colors();
  constexpr std::array kColours{std::pair(Style::kGood, COLOR_GREEN), std::pair(Style::kNotice, COLOR_CYAN),
                                std::pair(Style::kWarning, COLOR_YELLOW), std::pair(Style::kAlert, COLOR_RED)};
  short pair = 1;
  for (const auto& [style, foreground] : kColours) {
    init_pair(pair, static_cast<short>(foreground), -1);
    attribute(style) |= static_cast<chtype>(COLOR_PAIR(pair));
    ++pair;
  }
}

bool Terminal::alive() const noexcept {
  termios now{};
  return tcgetattr(STDOUT_FILENO, &now) == 0;
}

Size Terminal::size() const noexcept {
  winsize now{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &now) != 0 || now.ws_row == 0 || now.ws_col == 0) return {LINES, COLS};
  return {now.ws_row, now.ws_col};
}

void Terminal::show(const Frame& frame) {
  const Size size = frame.size();
  if (size.rows != LINES || size.columns != COLS) resizeterm(size.rows, size.columns);
  erase();
  std::wstring run;
  for (int row = 0; row < size.rows; ++row) {
    for (int from = 0; from < size.columns;) {
      const Style style = frame.at(row, from).style;
      run.clear();
      int to = from;
      for (; to < size.columns && frame.at(row, to).style == style; ++to) run += static_cast<wchar_t>(frame.at(row, to).glyph);
      attrset(static_cast<int>(g_attributes[static_cast<std::size_t>(style)]));
      mvaddnwstr(row, from, run.c_str(), static_cast<int>(run.size()));
      from = to;
    }
  }
  refresh();
}

int Terminal::key(std::chrono::milliseconds wait) {
  wtimeout(stdscr, static_cast<int>(wait.count()));
  const int code = getch();
  return code == ERR ? 0 : meaning_of(code);
}

void Terminal::restore_now() noexcept {
  if (!g_taken.exchange(false)) return;
  const ssize_t written = write(STDOUT_FILENO, g_found.bytes.data(), g_found.length);
  static_cast<void>(written);
  tcsetattr(STDOUT_FILENO, TCSANOW, &g_found.modes);
}

}  // namespace finwait::screen
