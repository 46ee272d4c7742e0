// A capture file cut into pieces that several threads read at the same time.
//
// A piece begins at any byte of the file. Its reader looks for the first place where records seem to begin, and reads on from there up to
// the first record that begins in the next piece. That place is a guess. It is proven when the reader of the piece before came to the very
// same byte; then the piece counts. Otherwise (payload that looks like records, damage, a block that changes how the following are read)
// the piece is read again from the proven place, by the reader that has read the whole file so far. So the frames, and whatever is said of
// a damaged file, are those of reading the file from its beginning.
//
// Who calls what: begin(), next(), prove() and read_again() one thread at a time (each call by any thread, the caller sees to it); a
// Piece by one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "finwait/capture/file_sequence.h"
#include "finwait/capture/record_reader.h"

namespace finwait::capture {

class Piece {
 public:
  /// As Source::read: the frames of this piece, if the guess is right; 0 at its end.
  [[nodiscard]] std::size_t read(std::span<Frame> batch);

 private:
  friend class Divider;
  enum class Start : std::uint8_t { kKnown, kToBeGuessed, kNotFound };

  std::unique_ptr<RecordReader> reader_;
  std::uint64_t begin_ = 0;  // once read: where the first record was taken to begin
  std::uint64_t end_ = 0;
  Start start_ = Start::kKnown;
  bool closed_ = false;
};

class Divider {
 public:
  static constexpr std::uint64_t kPiece = std::uint64_t{1} << 20;

  /// Cuts files of `files`, which outlives it, in pieces of `piece` bytes (at least 1).
  explicit Divider(FileSequence& files, std::uint64_t piece = kPiece) : files_(files), piece_(piece) {}

  /// The file at hand is to be divided, from where its reader stands on; false if it cannot be, or is not worth it: then it must be read
  /// through the sequence.
  [[nodiscard]] bool begin();
  /// The next piece; null when all have been given, and after finish().
  [[nodiscard]] std::unique_ptr<Piece> next();
  [[nodiscard]] bool exhausted() const noexcept { return next_ >= end_; }
  /// Of the pieces in order, each once, after its reader has come to the end: whether it counts.
  [[nodiscard]] bool prove(const Piece& piece);
  /// A piece that does not count, from its proven beginning to its end, a batch a call; 0: it is over, and so is the file if it ended
  /// there.
  [[nodiscard]] std::size_t read_again(const Piece& piece, std::span<Frame> batch);
  /// How many frames of the file at hand count in addition.
  void count_frames(std::uint64_t frames) noexcept { files_.count_frames(frames); }
  /// No more pieces are given: what is left is read through the sequence.
  void finish();

 private:
  FileSequence& files_;
  std::uint64_t piece_;
  RecordReader* reader_ = nullptr;  // has read all that is proven
  std::uint64_t next_ = 0;
  std::uint64_t end_ = 0;
};

}  // namespace finwait::capture
