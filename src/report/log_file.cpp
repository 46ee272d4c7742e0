#include "finwait/report/log_file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <ctime>
#include <limits>
#include <system_error>
#include <utility>

namespace finwait::report {
namespace {

constexpr mode_t kMode = 0644;

std::size_t whole_lines(std::string_view bytes, std::size_t most) {
  const std::size_t last = most == 0 ? std::string_view::npos : bytes.rfind('\n', most - 1);
  return last == std::string_view::npos ? 0 : last + 1;
}

std::uint64_t count_lines(std::string_view bytes) { return static_cast<std::uint64_t>(std::count(bytes.begin(), bytes.end(), '\n')); }

std::string reason(int error) { return std::generic_category().message(error); }

base::Timestamp floor_to(base::Timestamp at, base::Duration every) noexcept {
  const base::Duration rest = at % every;
  return base::after(at, -(rest < 0 ? rest + every : rest));  // any 64 bits may be a stamp
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

/// strftime(3) on the last part of a path, in UTC; empty where the result has no name.
std::string expand(const std::string& pattern, base::Timestamp at) {
  const std::size_t slash = pattern.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : pattern.substr(0, slash + 1);
  const std::string last = slash == std::string::npos ? pattern : pattern.substr(slash + 1);
  if (last.find('%') == std::string::npos) return pattern;
  const std::time_t seconds = floor_to(at, base::kSecond) / base::kSecond;
  struct tm parts {};
  if (gmtime_r(&seconds, &parts) == nullptr) return "";
  std::array<char, NAME_MAX> name{};
  const std::size_t length = std::strftime(name.data(), name.size(), last.c_str(), &parts);
  return length == 0 ? "" : folder + std::string(name.data(), length);
}

void check_pattern(const std::string& pattern) {
  const std::string folder = folder_of(pattern);
  if (folder.find('%') != std::string::npos)
    throw OutputError(pattern + ": only the last part of the path may have conversions (%): the folder must stay the same");
  const std::string example = expand(pattern, 0);
  if (example.empty()) throw OutputError(pattern + ": gives no name, or one that is too long");
  if (folder_of(example) != folder) throw OutputError(pattern + ": a conversion gives a name with '/' in it; use %Y-%m-%d");
  struct stat status {};
  if (::stat(pattern.c_str(), &status) == 0 && !S_ISREG(status.st_mode))
    throw OutputError(pattern + ": only regular files can be changed by size or time");
  if (::faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) != 0)
    throw OutputError(pattern + ": no file can be made in " + folder + ": " + reason(errno));
}

}  // namespace

const Lines kTextLines{"lines", whole_lines, count_lines};

LogFile::LogFile(std::string path, Rotation rotation)
    : path_(std::move(path)), name_(path_ == "-" ? "standard output" : path_), rotation_(path_ == "-" ? Rotation{} : rotation) {
  if (rotation_.any()) {
    check_pattern(path_);
    return;
  }
  descriptor_ = path_ == "-" ? STDOUT_FILENO : ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, kMode);
  if (descriptor_ < 0) throw OutputError(name_ + ": cannot be written: " + reason(errno));
  look();
  size_ = 0;  // of what is there when it is standard output: others' lines, not ours to cut
}

LogFile::LogFile(LogFile&& other) noexcept
    : path_(std::move(other.path_)),
      name_(std::move(other.name_)),
      frame_(other.frame_),
      rotation_(other.rotation_),
      descriptor_(std::exchange(other.descriptor_, -1)),
      kind_(other.kind_),
      gone_(other.gone_),
      headed_(other.headed_),
      lines_(other.lines_),
      any_(other.any_),
      size_(other.size_),
      head_at_(other.head_at_),
      period_end_(other.period_end_),
      latest_(other.latest_),
      last_base_(std::move(other.last_base_)),
      number_(other.number_) {}

LogFile::~LogFile() { close_descriptor(); }

/// What the descriptor is, and how much is in it.
void LogFile::look() noexcept {
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) return;
  kind_ = S_ISREG(status.st_mode) ? Kind::kRegular : S_ISFIFO(status.st_mode) ? Kind::kPipe : Kind::kOther;
  size_ = kind_ == Kind::kRegular ? static_cast<std::uint64_t>(status.st_size) : 0;
}

int LogFile::close_descriptor() noexcept {
  const int old = std::exchange(descriptor_, -1);
  return old > STDERR_FILENO && ::close(old) != 0 ? errno : 0;
}

void LogFile::begin(FileFrame frame, base::Timestamp at) noexcept {
  frame_ = frame;
  head_at_ = at;
}

LogFile::Written LogFile::write(std::string_view lines, base::Timestamp at) {
  latest_ = std::max(latest_, at);
  std::size_t taken = 0;
  while (taken != lines.size() && !gone_) {
    const std::string_view rest = lines.substr(taken);
    if (const int error = make_ready(at)) return {taken, error};
    const std::size_t part = fitting(rest);
    if (part == 0) {
      if (const int error = finish_file(at)) return {taken, error};
      continue;
    }
    const Written written = put(rest.substr(0, part));
    taken += written.taken;
    lines_ = lines_ || written.taken != 0;
    if (written.error != 0) return {taken, written.error};
  }
  return {lines.size(), 0};
}

/// A file that is open, of the right time, and has its head.
int LogFile::make_ready(base::Timestamp at) {
  if (descriptor_ >= 0 && at >= period_end_) {
    if (const int error = finish_file(period_end_)) return error;
  }
  if (descriptor_ < 0) {
    if (const int error = rotation_.any() ? open_next(at) : open_again()) return error;
  }
  if (headed_) return 0;
  Text head;
  if (!frame_.opening.empty()) head.put(frame_.opening);
  if (frame_.head != nullptr) frame_.head(head, head_at_ != base::kNever ? head_at_ : at);
  const Written written = put(head.view());
  // Of a head that does not fit nothing remains in a regular file; elsewhere the rest of it cannot be given again.
  if (written.error != 0 && (kind_ == Kind::kRegular || written.taken == 0)) return written.error;
  head_at_ = base::kNever;
  headed_ = any_ = true;
  return 0;
}

/// How much of the lines belongs into the file at hand; 0: they begin another.
std::size_t LogFile::fitting(std::string_view lines) const noexcept {
  if (rotation_.bytes == 0) return lines.size();
  const std::uint64_t room = rotation_.bytes - std::min(size_, rotation_.bytes);
  if (lines.size() <= room) return lines.size();
  if (const std::size_t whole = frame_.lines->whole(lines, room)) return whole;
  return lines_ ? 0 : first_line(lines);
}

/// It is longer than a file may be.
std::size_t LogFile::first_line(std::string_view lines) const noexcept {
  std::size_t low = 0;  // the least length that a whole line fits into
  std::size_t high = lines.size();
  while (low + 1 < high) {
    const std::size_t middle = low + (high - low) / 2;
    (frame_.lines->whole(lines, middle) == 0 ? low : high) = middle;
  }
  const std::size_t whole = frame_.lines->whole(lines, high);
  return whole != 0 ? whole : lines.size();
}

LogFile::Written LogFile::put(std::string_view lines) noexcept {
  std::size_t done = 0;
  while (done != lines.size()) {
    const ssize_t written = ::write(descriptor_, lines.data() + done, lines.size() - done);
    if (written >= 0) {
      done += static_cast<std::size_t>(written);
      size_ += static_cast<std::uint64_t>(written);
    } else if (errno == EPIPE) {
      gone_ = true;
      return {lines.size(), 0};
    } else if (errno != EINTR) {
      const int error = errno;
      return {cut_back(lines.substr(0, done)), error};
    }
  }
  return {done, 0};
}

/// Takes the beginning of a line away again, where nobody else has written behind it. Returns how much of `written` is there.
std::size_t LogFile::cut_back(std::string_view written) noexcept {
  const std::size_t whole = frame_.lines->whole(written, written.size());
  const std::uint64_t cut = written.size() - whole;
  struct stat status {};
  if (cut == 0 || kind_ != Kind::kRegular || path_ == "-" || ::fstat(descriptor_, &status) != 0) return written.size();
  if (static_cast<std::uint64_t>(status.st_size) != size_) return written.size();
  if (::ftruncate(descriptor_, static_cast<off_t>(size_ - cut)) != 0) return written.size();
  size_ -= cut;
  return whole;
}

/// The foot, and the file is closed. Without room for the foot it stays open, to be tried again.
int LogFile::finish_file(base::Timestamp at) {
  if (descriptor_ < 0) return 0;
  if (headed_ && frame_.foot != nullptr) {
    Text foot;
    frame_.foot(foot, at);
    const Written written = put(foot.view());
    if (written.error != 0) return written.error;
  }
  headed_ = lines_ = false;
  return close_descriptor();
}

int LogFile::advance(base::Timestamp clock) {
  latest_ = std::max(latest_, clock);
  return clock >= period_end_ ? finish_file(period_end_) : 0;
}

int LogFile::reopen() {
  const bool is_another_s = descriptor_ >= 0 && descriptor_ <= STDERR_FILENO;
  if (path_ == "-" || is_another_s || kind_ != Kind::kRegular) return 0;
  if (const int error = finish_file(latest_)) return error;
  return rotation_.any() ? 0 : open_again();
}

/// The same name. What somebody left there stays, and has its head already.
int LogFile::open_again() noexcept {
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, kMode);
  if (descriptor_ < 0) return errno;
  look();
  headed_ = size_ != 0;
  lines_ = headed_;
  return 0;
}

/// The next name that is free.
int LogFile::open_next(base::Timestamp at) {
  constexpr std::uint64_t kMostNumbers = 10'000'000;
  const base::Timestamp named = rotation_.every != 0 ? floor_to(at, rotation_.every) : at;
  const std::string base = expand(path_, named);
  if (base.empty()) return EOVERFLOW;
  if (base != last_base_) number_ = 0;
  last_base_ = base;
  for (; number_ != kMostNumbers; ++number_) {
    name_ = number_ == 0 ? base : base + "." + std::to_string(number_);
    descriptor_ = ::open(name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, kMode);
    if (descriptor_ >= 0) break;
    if (errno != EEXIST) return errno;
  }
  if (descriptor_ < 0) return EEXIST;
  look();
  headed_ = lines_ = false;
  period_end_ = rotation_.every != 0 ? base::after(named, rotation_.every) : base::kNever;
  return 0;
}

int LogFile::close(base::Timestamp at) {
  if (!any_ && !gone_) {
    if (const int error = make_ready(at)) return error;
  }
  if (headed_ && !gone_ && frame_.foot != nullptr) {
    Text foot;
    frame_.foot(foot, at);
    const Written written = put(foot.view());
    if (written.error != 0) return written.error;
    headed_ = false;
  }
  return close_descriptor();
}

bool LogFile::ready(int milliseconds) const noexcept {
  if (descriptor_ < 0 || kind_ == Kind::kRegular) return true;
  struct pollfd wanted {
    descriptor_, POLLOUT, 0
  };
  return ::poll(&wanted, 1, milliseconds) != 0;  // an error is told by write(2)
}

std::size_t LogFile::at_once() const noexcept {
  return kind_ == Kind::kRegular ? std::numeric_limits<std::size_t>::max() : std::size_t{PIPE_BUF};
}

bool LogFile::is_terminal() const noexcept { return descriptor_ >= 0 && ::isatty(descriptor_) == 1; }

std::string LogFile::complaint(int error) const { return name_ + ": could not be written: " + reason(error); }

std::string LogFile::folder() const { return path_ == "-" || kind_ != Kind::kRegular ? "" : folder_of(path_); }

}  // namespace finwait::report
