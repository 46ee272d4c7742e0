#include "finwait/capture/byte_provider.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "finwait/capture/error.h"
#include "finwait/capture/stop.h"

namespace finwait::capture {
namespace {

constexpr int kLookForStop = 250;                             // milliseconds
constexpr std::size_t kBeyondPiece = std::size_t{16} * 1024;  // read at once beyond the end of a piece: a record or two

std::string reason(int error) { return std::generic_category().message(error); }

std::string advice(int error) {
  switch (error) {
    case ENOENT:
      return "; check the name";
    case EACCES:
      return "; make it readable, or run as a user who may read it";
    case EMFILE:
    case ENFILE:
      return "; raise the limit of open files (ulimit -n)";
    default:
      return "";
  }
}

std::int64_t modified(const struct stat& status) noexcept {
  return std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
}

/// A stretch of a file that others read too: never moves the descriptor's own position.
class PieceProvider final : public ByteProvider {
 public:
  PieceProvider(int descriptor, std::uint64_t begin, std::uint64_t soft_end) : descriptor_(descriptor), at_(begin), soft_end_(soft_end) {}

  [[nodiscard]] std::size_t read(std::span<std::uint8_t> into) override {
    const std::uint64_t wanted = at_ < soft_end_ ? soft_end_ - at_ : kBeyondPiece;
    const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), wanted));
    while (true) {
      const ssize_t count = ::pread(descriptor_, into.data(), most, static_cast<off_t>(at_));
      if (count >= 0) {
        at_ += static_cast<std::uint64_t>(count);
        return static_cast<std::size_t>(count);
      }
      if (errno != EINTR) break;
    }
    error_ = errno;
    return 0;
  }
  [[nodiscard]] std::string error() const override { return error_ == 0 ? std::string{} : "read error: " + reason(error_); }

 private:
  int descriptor_;
  std::uint64_t at_;
  std::uint64_t soft_end_;
  int error_ = 0;
};

}  // namespace

DescriptorProvider::DescriptorProvider(int descriptor, Ownership ownership) : descriptor_(descriptor), ownership_(ownership) {
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode)) return;
  may_wait_ = false;
  written_ = modified(status);
  size_ = status.st_size > 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
  // Standard input may be a file somebody has read a part of.
  const off_t at = ::lseek(descriptor_, 0, SEEK_CUR);
  done_ = at > 0 ? static_cast<std::uint64_t>(at) : 0;
  (void)::posix_fadvise(descriptor_, 0, 0, POSIX_FADV_SEQUENTIAL);
}

DescriptorProvider::~DescriptorProvider() {
  if (ownership_ == Ownership::kOwned) ::close(descriptor_);
}

/// Waits until there is something to read or to complain about; false if a stop was asked for meanwhile. Looks again and again instead of
/// trusting EINTR: the signal may reach another thread, or come just before the wait.
bool DescriptorProvider::wait_for_bytes() const noexcept {
  while (!stop_requested()) {
    pollfd waiting{descriptor_, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, kLookForStop);
    if (ready > 0 || (ready < 0 && errno != EINTR)) return true;
  }
  return false;
}

std::size_t DescriptorProvider::read(std::span<std::uint8_t> into) {
  while (true) {
    if (may_wait_ ? !wait_for_bytes() : stop_requested()) return 0;
    const ssize_t count = ::read(descriptor_, into.data(), into.size());
    if (count >= 0) {
      done_ += static_cast<std::uint64_t>(count);
      return static_cast<std::size_t>(count);
    }
    if (errno != EINTR && errno != EAGAIN) break;
  }
  error_ = errno;
  return 0;
}

std::string DescriptorProvider::error() const { return error_ == 0 ? std::string{} : "read error: " + reason(error_); }

double DescriptorProvider::progress() const noexcept {
  if (size_ == 0) return -1.0;
  return done_ >= size_ ? 1.0 : static_cast<double>(done_) / static_cast<double>(size_);
}

bool DescriptorProvider::changed() const noexcept {
  struct stat status {};
  if (may_wait_ || ::fstat(descriptor_, &status) != 0) return false;
  return static_cast<std::uint64_t>(status.st_size) != size_ || modified(status) != written_;
}

std::unique_ptr<ByteProvider> DescriptorProvider::piece(std::uint64_t begin, std::uint64_t soft_end) const {
  if (may_wait_ || size_ == 0) return nullptr;
  return std::make_unique<PieceProvider>(descriptor_, begin, soft_end);
}

void DescriptorProvider::seek(std::uint64_t offset) {
  if (::lseek(descriptor_, static_cast<off_t>(offset), SEEK_SET) < 0) error_ = errno;
  done_ = offset;
}

std::unique_ptr<ByteProvider> open_bytes(const std::string& path) {
  if (path == "-") return std::make_unique<DescriptorProvider>(STDIN_FILENO, DescriptorProvider::Ownership::kBorrowed);
  int descriptor = -1;
  do {  // a FIFO waits for its writer
    descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  } while (descriptor < 0 && errno == EINTR && !stop_requested());
  if (descriptor < 0) {
    const int error = errno;
    throw CaptureError(fmt::format("{}: cannot open: {}{}", path, reason(error), advice(error)));
  }
  auto provider = std::make_unique<DescriptorProvider>(descriptor, DescriptorProvider::Ownership::kOwned);
  struct stat status {};
  if (::fstat(descriptor, &status) == 0 && S_ISDIR(status.st_mode)) {
    throw CaptureError(fmt::format("{}: is a directory; give the capture files in it", path));
  }
  return provider;
}

}  // namespace finwait::capture
