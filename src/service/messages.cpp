#include "finwait/service/messages.h"

#include <poll.h>

#include <cerrno>
#include <climits>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <utility>

namespace finwait::service {

struct Messages::Shared {
  explicit Shared(MessageOptions given) : options(std::move(given)) {
    waiting.reserve(options.bytes);
    writing.reserve(options.bytes);
    note.reserve(options.name.size() + 100);
  }

  void run();
  void put(std::string_view text);
  bool put_some(std::string_view& text) const;

  const MessageOptions options;
  std::mutex mutex;
  std::condition_variable told;
  std::condition_variable moved;
  // Under the lock.
  std::string waiting;
  std::uint64_t left_out = 0;
  std::uint64_t writes = 0;
  bool ending = false;
  bool done = false;
  // The thread's, which takes no memory.
  std::string writing;
  std::string note;
};

Messages::Messages(MessageOptions options)
    : shared_(std::make_shared<Shared>(std::move(options))), thread_([shared = shared_] { shared->run(); }) {}

void Messages::tell(std::string_view line) {
  {
    const std::lock_guard lock(shared_->mutex);
    const std::string& name = shared_->options.name;
    std::string& waiting = shared_->waiting;
    // After a line that is left out none follows before that is told.
    if (shared_->left_out != 0 || waiting.size() + name.size() + line.size() + 3 > shared_->options.bytes) {
      ++shared_->left_out;
    } else {
      waiting.append(name).append(": ").append(line).append("\n");
    }
  }
  shared_->told.notify_one();
}

void Messages::finish() {
  if (!thread_.joinable()) return;
  std::unique_lock lock(shared_->mutex);
  shared_->ending = true;
  shared_->told.notify_one();
  std::uint64_t seen = 0;
  do {
    seen = shared_->writes;
  } while (shared_->moved.wait_for(lock, shared_->options.patience, [&] { return shared_->done || shared_->writes != seen; }) &&
           !shared_->done);
  const bool done = shared_->done;
  lock.unlock();
  if (done) {
    thread_.join();
  } else {
    thread_.detach();
  }
}

void Messages::Shared::run() {
  std::unique_lock lock(mutex);
  for (;;) {
    told.wait(lock, [this] { return ending || left_out != 0 || !waiting.empty(); });
    if (waiting.empty() && left_out == 0) break;
    writing.clear();
    writing.swap(waiting);
    const std::uint64_t missing = std::exchange(left_out, 0);
    lock.unlock();
    put(writing);
    note.clear();
    if (missing != 0)
      put(note.append(options.name)
              .append(": ")
              .append(std::to_string(missing))
              .append(" lines were left out here: nobody read them in time\n"));
    lock.lock();
  }
  done = true;
  moved.notify_one();
}

/// Whole lines at a time where that is possible: others may write there too.
void Messages::Shared::put(std::string_view text) {
  while (!text.empty()) {
    if (!put_some(text)) return;
    const std::lock_guard lock(mutex);
    ++writes;
    moved.notify_one();
  }
}

/// Takes what was written off the front. False when nobody will ever read it.
bool Messages::Shared::put_some(std::string_view& text) const {
  std::string_view part = text.substr(0, PIPE_BUF);
  if (const std::size_t last = part.rfind('\n'); last != std::string_view::npos) part = part.substr(0, last + 1);
  const ssize_t written = ::write(options.descriptor, part.data(), part.size());
  if (written >= 0) {
    text.remove_prefix(static_cast<std::size_t>(written));
    return true;
  }
  if (errno == EAGAIN) {  // somebody else has made it so
    struct pollfd wanted {
      options.descriptor, POLLOUT, 0
    };
    ::poll(&wanted, 1, -1);
    return true;
  }
  return errno == EINTR;
}

}  // namespace finwait::service
