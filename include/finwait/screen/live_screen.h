// The live screen: a thread that reads what the capture leaves to be read, draws, and takes keys.
//
// Always true: the capture never waits for it; a round over all connections takes about a second, or longer if very many are at work, so
// that its reading costs the capture next to nothing; the terminal is left as it was when the object is gone, also by an exception.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <string_view>
#include <thread>

#include "finwait/base/ring.h"
#include "finwait/screen/collector.h"
#include "finwait/screen/terminal.h"

namespace finwait::screen {

class LiveScreen {
 public:
  /// `sources` as for the Collector. Throws std::system_error: no thread to be had.
  LiveScreen(Sources sources, std::unique_ptr<Terminal> terminal);
  /// Gives the terminal back.
  ~LiveScreen();
  LiveScreen(const LiveScreen&) = delete;
  LiveScreen& operator=(const LiveScreen&) = delete;

  /// The person wants the capture to end. Any thread. Wait-free.
  [[nodiscard]] bool quit() const noexcept { return quit_.load(std::memory_order_relaxed); }
  /// A line for the foot of the screen; cut off at some length. One thread. Wait-free.
  void tell(std::string_view line) noexcept;

 private:
  struct Message {
    std::array<char, 200> text{};
  };

  void run();
  void go_round();
  void redraw();
  void take_key(std::chrono::milliseconds wait);
  void rest();
  void hear();

  std::unique_ptr<Terminal> terminal_;
  Collector collector_;
  Model model_;
  Ui ui_;
  Size drawn_{0, 0};
  std::chrono::microseconds pause_{0};   // after so many connections, in a round
  std::chrono::microseconds rested_{0};  // since keys were last looked at
  base::Ring<Message> messages_;
  std::atomic<bool> stop_{false};  // set once, read in a loop: nothing else hangs on it
  std::atomic<bool> quit_{false};  // the same, the other way
  std::thread thread_;
};

}  // namespace finwait::screen
