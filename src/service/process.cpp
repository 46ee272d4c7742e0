#include "finwait/service/process.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cstring>

namespace finwait::service {
namespace {

double seconds(const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6; }

}  // namespace

Process::Process()
    : statm_(::open("/proc/self/statm", O_RDONLY | O_CLOEXEC)),
      start_time_(std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count()) {}

Process::~Process() {
  if (statm_ >= 0) ::close(statm_);
}

ProcessNumbers Process::numbers() const noexcept {
  ProcessNumbers result;
  result.start_time = start_time_;
  struct rusage usage {};
  if (getrusage(RUSAGE_SELF, &usage) == 0) result.cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  std::array<char, 256> text{};  // pages: all, resident, ...
  const ssize_t length = statm_ < 0 ? -1 : ::pread(statm_, text.data(), text.size(), 0);
  if (length <= 0) return result;
  const char* const end = text.data() + length;
  const auto* const space = static_cast<const char*>(std::memchr(text.data(), ' ', static_cast<std::size_t>(length)));
  std::uint64_t pages = 0;
  if (space != nullptr && std::from_chars(space + 1, end, pages).ec == std::errc())
    result.resident = pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return result;
}

}  // namespace finwait::service
