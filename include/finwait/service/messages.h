// Lines for a person, on standard error or wherever a descriptor leads, written by a thread of its own.
//
// Always true: whoever tells a line never waits for who reads it: a pipe that nobody empties, a log daemon that hangs, a terminal that was
// stopped cost lines and no packet. What is written is whole lines, in the order they were told, each once. Lines that find no room are
// left out, and how many is told as soon as there is room again. At the end what waits is written, as long as that gets on.
//
// Any thread may tell. They meet under a lock that is only ever held to copy text, never during a write. Not here: which lines, their
// words, outputs (queued_destination.h).
#pragma once

#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

namespace finwait::service {

struct MessageOptions {
  std::string name = "finwait";  ///< in front of each line
  int descriptor = STDERR_FILENO;
  std::size_t bytes = 64U << 10U;             ///< that may wait
  std::chrono::milliseconds patience{1'000};  ///< at the end: without anything moving
};

class Messages {
 public:
  /// Takes its memory and starts the thread. Throws std::bad_alloc, std::system_error.
  explicit Messages(MessageOptions options = {});
  Messages(const Messages&) = delete;
  Messages& operator=(const Messages&) = delete;
  ~Messages() { finish(); }

  /// "NAME: LINE" and a newline. Any thread, until finish().
  void tell(std::string_view line);
  /// Waits until all is written, or nothing moves any more: then the thread is left where it is, inside a write that may never end. Once it
  /// has returned, the descriptor is the caller's again; a second call does nothing.
  void finish();

 private:
  struct Shared;

  std::shared_ptr<Shared> shared_;  // a thread that is left keeps it
  std::thread thread_;
};

}  // namespace finwait::service
