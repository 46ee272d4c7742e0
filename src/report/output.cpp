#include "finwait/report/output.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace finwait::report {

Output::Output(const std::string& path) : name_(path == "-" ? "standard output" : path) {
  constexpr int kMode = 0644;
  descriptor_ = path == "-" ? STDOUT_FILENO : ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kMode);
  if (descriptor_ < 0) throw OutputError(name_ + ": cannot be written: " + std::generic_category().message(errno));
}

Output::~Output() {
  if (descriptor_ > STDERR_FILENO) ::close(descriptor_);
}

void Output::flush() {
  std::string_view left = text_.view();
  while (!left.empty() && !closed_) {
    const ssize_t written = ::write(descriptor_, left.data(), left.size());
    if (written >= 0) {
      left.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EPIPE) {
      closed_ = true;
    } else if (errno != EINTR) {
      fail(errno);
    }
  }
  text_.clear();
}

void Output::close() {
  flush();
  if (descriptor_ > STDERR_FILENO && ::close(std::exchange(descriptor_, -1)) != 0) fail(errno);
}

bool Output::is_terminal() const noexcept { return ::isatty(descriptor_) == 1; }

void Output::fail(int error) {
  text_.clear();
  closed_ = true;
  throw OutputError(name_ + ": could not be written: " + std::generic_category().message(error) + "; what is there is incomplete");
}

}  // namespace finwait::report
