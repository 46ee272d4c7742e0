#include "finwait/capture/byte_window.h"

#include <algorithm>
#include <cstring>

namespace finwait::capture {

ByteWindow::ByteWindow(std::unique_ptr<ByteProvider> provider, std::size_t capacity)
    : provider_(std::move(provider)),
      buffer_(std::make_unique_for_overwrite<std::uint8_t[]>(std::max<std::size_t>(capacity, 1))),
      capacity_(std::max<std::size_t>(capacity, 1)),
      begin_(buffer_.get()),
      end_(buffer_.get()) {}

ByteWindow::ByteWindow(std::span<const std::uint8_t> memory) noexcept
    : borrowed_size_(memory.size()), begin_(memory.data()), end_(memory.data() + memory.size()), ended_(true) {}

/// Moves what is unread to the front; if that is a full buffer, doubles it.
void ByteWindow::make_room() {
  const std::size_t unread = size();
  if (unread == capacity_) {
    auto larger = std::make_unique_for_overwrite<std::uint8_t[]>(capacity_ * 2);
    std::memcpy(larger.get(), begin_, unread);
    buffer_ = std::move(larger);
    capacity_ *= 2;
  } else if (unread != 0) {
    std::memmove(buffer_.get(), begin_, unread);
  }
  begin_ = buffer_.get();
  end_ = begin_ + unread;
}

bool ByteWindow::fill(std::size_t want) {
  while (size() < want && !ended_) {
    make_room();
    const std::size_t unread = size();
    const std::size_t count = provider_->read({buffer_.get() + unread, capacity_ - unread});
    end_ += count;
    ended_ = count == 0;
  }
  return size() >= want;
}

bool ByteWindow::skip(std::uint64_t count) {
  while (true) {
    const std::size_t step = static_cast<std::size_t>(std::min<std::uint64_t>(count, size()));
    consume(step);
    count -= step;
    if (count == 0) return true;
    if (!fill(1)) return false;
  }
}

std::optional<ByteWindow> ByteWindow::piece(std::uint64_t begin, std::uint64_t soft_end) const {
  if (!provider_ || provider_->decompresses()) return std::nullopt;
  auto provider = provider_->piece(begin, soft_end);
  if (!provider) return std::nullopt;
  return ByteWindow(std::move(provider), begin, kDefaultCapacity);
}

void ByteWindow::jump(std::uint64_t offset) {
  provider_->seek(offset);
  begin_ = end_ = buffer_.get();
  offset_ = offset;
  ended_ = false;
}

void ByteWindow::close() noexcept {
  buffer_.reset();
  capacity_ = 0;
  begin_ = end_ = nullptr;
  ended_ = true;
}

double ByteWindow::progress() const noexcept {
  if (provider_) return provider_->progress();
  return borrowed_size_ == 0 ? 1.0 : static_cast<double>(offset_) / static_cast<double>(borrowed_size_);
}

}  // namespace finwait::capture
