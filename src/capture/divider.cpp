#include "finwait/capture/divider.h"

#include <algorithm>
#include <limits>

namespace finwait::capture {

std::size_t Piece::read(std::span<Frame> batch) {
  if (start_ == Start::kToBeGuessed) {
    start_ = reader_->seek_record() ? Start::kKnown : Start::kNotFound;
    begin_ = reader_->offset();
  }
  if (closed_ || start_ != Start::kKnown) return 0;
  const std::size_t count = reader_->read(batch);
  closed_ = count == 0;
  if (closed_) reader_->close();
  return count;
}

bool Divider::begin() {
  reader_ = files_.reader_at_hand();
  if (reader_ == nullptr || reader_->has_ended() || reader_->input_size() <= reader_->offset() + piece_) return false;
  reader_->learn();
  next_ = reader_->offset();
  end_ = reader_->input_size();
  return reader_->fork(next_, next_) != nullptr;
}

std::unique_ptr<Piece> Divider::next() {
  if (reader_ == nullptr || next_ >= end_) return nullptr;
  auto piece = std::make_unique<Piece>();
  piece->begin_ = next_;
  next_ += std::min(piece_, end_ - next_);
  piece->end_ = next_;
  piece->reader_ = reader_->fork(piece->begin_, piece->end_);
  piece->start_ = piece->begin_ == reader_->offset() ? Piece::Start::kKnown : Piece::Start::kToBeGuessed;
  return piece;
}

bool Divider::prove(const Piece& piece) {
  return piece.start_ == Piece::Start::kKnown && piece.begin_ == reader_->offset() && reader_->join(*piece.reader_);
}

std::size_t Divider::read_again(const Piece& piece, std::span<Frame> batch) {
  reader_->stop_at(piece.end_);
  const std::size_t count = reader_->read(batch);
  if (reader_->has_ended()) next_ = end_;  // nothing behind it counts
  reader_->stop_at(std::numeric_limits<std::uint64_t>::max());
  return count;
}

void Divider::finish() {
  reader_ = nullptr;
  next_ = end_;
}

}  // namespace finwait::capture
