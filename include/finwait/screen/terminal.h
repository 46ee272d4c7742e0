// The terminal: shows frames, gives keys, and is left as it was found. The only user of ncurses.
//
// Always true: only the cells that differ from what stands there are written; after the destructor, or restore_now(), the terminal is in
// the state it was in before. One object at a time, used by one thread at a time.
#pragma once

#include <chrono>

#include "finwait/screen/draw.h"
#include "finwait/screen/frame.h"

namespace finwait::screen {

class Terminal {
 public:
  /// Takes over the terminal of standard output, and reads keys from standard input. Colour unless NO_COLOR is set (no-color.org). Throws
  /// std::runtime_error: no terminal, or one that cannot do it.
  Terminal();
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  /// Whether it would work: both are terminals.
  [[nodiscard]] static bool possible() noexcept;

  /// False once it was hung up.
  [[nodiscard]] bool alive() const noexcept;
  /// As it is now: a person may have changed it.
  [[nodiscard]] Size size() const noexcept;
  void show(const Frame& frame);
  /// The next key (keys.h), waiting so long; 0: none came, or one that means nothing.
  [[nodiscard]] int key(std::chrono::milliseconds wait);
  [[nodiscard]] Looks looks() const noexcept { return looks_; }

  /// The terminal as it was, from a signal handler or before _exit(): nothing is to be shown after it. Async-signal-safe; without effect
  /// when there is no Terminal.
  static void restore_now() noexcept;

 private:
  void choose_colours();

  Looks looks_;
};

}  // namespace finwait::screen
