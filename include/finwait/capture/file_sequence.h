// Several capture files as one input, in the order of their first frames: a rotated set, a folder, or captures given on one command line.
//
// A folder means the capture files in it, told by content: what is no capture, and what is no file, is passed over with a note; folders
// within it are not looked into.
//
// Files are read one after the other, not merged. Only the file being read is open (and inputs that cannot be opened twice: standard input,
// FIFOs), so a set may be larger than the limit of open files. A damaged file, or one that is no capture, does not stop the ones after it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "finwait/capture/record_reader.h"
#include "finwait/capture/source.h"

namespace finwait::capture {

/// One file of a sequence, in the order of reading.
struct FileSpan {
  std::string path;               ///< as the user gave it
  std::uint64_t first_frame = 0;  ///< number of its first frame over all inputs, from 1; 0 while it has none
  std::uint64_t frames = 0;       ///< read so far
};

class FileSequence final : public Source {
 public:
  /// Opens each file to learn the time of its first frame. Files without a frame come first, equal times in the order given; those of a
  /// folder by name. Throws CaptureError if a file or folder that is named cannot be opened (no such file, no permission), if none of them
  /// is a capture, if `paths` is empty or has "-" twice. After request_stop() no more is opened and read() gives 0.
  explicit FileSequence(const std::vector<std::string>& paths);

  /// All frames of a batch are of one file.
  [[nodiscard]] std::size_t read(std::span<Frame> batch) override;
  [[nodiscard]] SourceStatus status() const override;
  [[nodiscard]] double progress() const noexcept override;
  [[nodiscard]] std::vector<std::uint16_t> link_types() const override;
  [[nodiscard]] std::uint32_t interface_count() const noexcept override;
  [[nodiscard]] std::string name() const override;  ///< the path if there is one, otherwise "N files"
  [[nodiscard]] std::uint64_t dropped_by_kernel() const override;
  [[nodiscard]] std::uint64_t dropped_by_interface() const override;

  /// The reader of the file whose turn it is, opened if need be; null at the end, after a stop, and where it is none of our own readers or
  /// a frame of it was read already. Its frames may be read from it directly instead of by read(), if each is told to count_frames().
  [[nodiscard]] RecordReader* reader_at_hand();
  /// Frames read otherwise than by read(), of the file at hand.
  void count_frames(std::uint64_t frames) noexcept;

  /// Bytes of all files together; 0 if that of one is unknown.
  [[nodiscard]] std::uint64_t size() const noexcept { return total_size_; }

  /// In the order of reading.
  [[nodiscard]] std::vector<FileSpan> files() const;

  /// What was passed over in folders and why: a line each, the first hundred of them. No problem, but worth knowing when something is
  /// missed.
  [[nodiscard]] const std::vector<std::string>& notes() const noexcept { return notes_; }

 private:
  struct Entry {
    FileSpan span;
    std::uint64_t size = 0;          // bytes; 0: unknown
    std::unique_ptr<Source> source;  // open before its turn only if it cannot be opened again
    bool has_first = false;
    Frame first;              // its bytes are valid only if `source` stayed open
    bool unreadable = false;  // told in problems_ already
  };

  void add_file(const std::string& path);
  void add_folder(const std::string& path);
  void look_at(Entry& entry, std::unique_ptr<ByteProvider> bytes);
  void note(std::string line);
  void note_problem(const std::string& line);
  [[nodiscard]] bool open_current();
  void close_current();

  std::vector<Entry> entries_;
  std::size_t current_ = 0;
  std::string problems_;
  std::vector<std::string> notes_;
  std::uint64_t total_size_ = 0;  // 0: unknown
  std::uint64_t done_size_ = 0;
  std::uint64_t frames_ = 0;
  LinkTypes link_types_;
  std::uint32_t interface_base_ = 0;
  std::uint64_t kernel_drops_ = 0;  // of the files before
  std::uint64_t interface_drops_ = 0;
};

/// The files as one input. Throws as FileSequence's constructor does.
[[nodiscard]] std::unique_ptr<FileSequence> open_files(const std::vector<std::string>& paths);

}  // namespace finwait::capture
