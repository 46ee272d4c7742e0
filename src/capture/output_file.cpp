#include "finwait/capture/output_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "finwait/capture/error.h"

namespace finwait::capture {
namespace {

constexpr std::size_t kCapacity = std::size_t{256} * 1024;

}  // namespace

OutputFile::OutputFile(const std::string& path) : path_(path), buffer_(std::make_unique_for_overwrite<std::uint8_t[]>(kCapacity)) {
  descriptor_ = path == "-" ? STDOUT_FILENO : ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor_ < 0) {
    throw CaptureError(fmt::format("{}: cannot open for writing: {}; check the directory and its permissions", path,
                                   std::generic_category().message(errno)));
  }
}

OutputFile::~OutputFile() {
  try {
    close();
  } catch (const CaptureError&) {  // the caller had its chance to hear of it
  }
}

void OutputFile::fail(int error) const {
  const bool full = error == ENOSPC || error == EDQUOT;
  throw CaptureError(fmt::format("{}: cannot write: {}{}", path_ == "-" ? "standard output" : path_, std::generic_category().message(error),
                                 full ? "; free some space or write elsewhere" : ""));
}

void OutputFile::write_out(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
    if (count >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      fail(errno);
    }
  }
}

void OutputFile::flush() {
  const std::size_t used = std::exchange(used_, 0);  // what could not be written is not tried again
  write_out({buffer_.get(), used});
}

void OutputFile::write(std::span<const std::uint8_t> bytes) {
  if (bytes.size() > kCapacity - used_) flush();
  if (bytes.size() > kCapacity) return write_out(bytes);
  if (!bytes.empty()) std::memcpy(buffer_.get() + used_, bytes.data(), bytes.size());
  used_ += bytes.size();
}

void OutputFile::write16(std::uint16_t value) {
  const std::array<std::uint8_t, 2> bytes = {static_cast<std::uint8_t>(value), static_cast<std::uint8_t>(value >> 8U)};
  write(bytes);
}

void OutputFile::write32(std::uint32_t value) {
  write16(static_cast<std::uint16_t>(value));
  write16(static_cast<std::uint16_t>(value >> 16U));
}

void OutputFile::close() {
  if (descriptor_ < 0) return;
  try {
    flush();
  } catch (const CaptureError&) {
    release();
    throw;
  }
  if (release() != 0 && errno != EINTR) fail(errno);  // some file systems tell of a full disk only now
}

int OutputFile::release() noexcept {
  const int descriptor = std::exchange(descriptor_, -1);
  return descriptor == STDOUT_FILENO ? 0 : ::close(descriptor);
}

}  // namespace finwait::capture
