// A file that lines are appended to, or standard output: changed for another by size or by time, opened anew when asked. What a line is
// the format says: in a capture file it is a packet.
//
// Always true: a file ends with a whole line, also after an error (a regular file is cut back to its last whole line, and what was cut is
// given again); each file begins with the head of its format and ends with the foot. With rotation nothing is ever overwritten: where a
// name is taken, a number is put behind it. Nothing throws but the constructor: an error is a number of the system's, and the call may be
// repeated when there is room again.
//
// Which file a line belongs to is decided by the times it is given, never by a clock. A period without lines makes no file. Periods begin
// at whole multiples of their length since 1970, UTC: an hour's file holds an hour of the clock. Not here: waiting, threads, compression,
// taking old files away.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>

#include "finwait/base/time.h"
#include "finwait/report/text.h"

namespace finwait::report {

/// what() is one line for a person.
class OutputError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What a format's files are a sequence of.
struct Lines {
  const char* name;  ///< of several, for a person
  /// How many of the bytes, `most` at most, are whole ones; the bytes begin with one. With `most` at their size nothing but what was cut
  /// off is left out.
  std::size_t (*whole)(std::string_view bytes, std::size_t most);
  /// How many there are.
  std::uint64_t (*count)(std::string_view bytes);
};

/// Each ends with a newline.
extern const Lines kTextLines;

/// What a format puts at both ends of every file; null: nothing.
struct FileFrame {
  void (*head)(Text& text, base::Timestamp at) = nullptr;
  void (*foot)(Text& text, base::Timestamp at) = nullptr;
  std::string_view opening{};        ///< before the head; lives as long as the file
  const Lines* lines = &kTextLines;  ///< not null
};

/// When a file is changed for another. With either of them the name is a pattern: conversions of strftime(3), in UTC, in its last part.
struct Rotation {
  std::uint64_t bytes = 0;   ///< no file grows beyond this, but for its foot, or one line that is longer by itself; 0: any size
  base::Duration every = 0;  ///< whole seconds; 0: at any time
  [[nodiscard]] bool any() const noexcept { return bytes != 0 || every != 0; }
};

class LogFile {
 public:
  /// How many bytes were taken; fewer than given only with an error.
  struct Written {
    std::size_t taken = 0;
    int error = 0;  ///< errno; 0: none
  };

  /// `path` "-" is standard output. Without rotation the file is created or emptied now; with it, at the first line, and now it is only
  /// looked whether its folder can be written to. Throws OutputError.
  explicit LogFile(std::string path, Rotation rotation = {});
  LogFile(LogFile&& other) noexcept;
  LogFile& operator=(LogFile&&) = delete;
  ~LogFile();

  /// What each file has at both ends, from the first on, whose head is of this time and not that of its first line. Before any line.
  void begin(FileFrame frame, base::Timestamp at) noexcept;
  /// Whole lines, of one period.
  [[nodiscard]] Written write(std::string_view lines, base::Timestamp at);
  /// Closes the file if its period is over at `clock`. Returns errno, 0 for none.
  [[nodiscard]] int advance(base::Timestamp clock);
  /// A regular file is closed and opened again by name, or, with rotation, changed for the next. Returns errno.
  [[nodiscard]] int reopen();
  /// The last call: head and foot, if there was no line at all. Returns errno.
  [[nodiscard]] int close(base::Timestamp at);

  /// Waits until something may be written without waiting, at most so long. Regular files always may.
  [[nodiscard]] bool ready(int milliseconds) const noexcept;
  /// So much may be written then without waiting: for pipes.
  [[nodiscard]] std::size_t at_once() const noexcept;

  [[nodiscard]] bool reader_gone() const noexcept { return gone_; }  ///< a closed pipe: what is written is taken and forgotten
  [[nodiscard]] bool is_terminal() const noexcept;
  [[nodiscard]] const Rotation& rotation() const noexcept { return rotation_; }
  /// Of the file at hand, for a person.
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  /// "NAME: could not be written: REASON".
  [[nodiscard]] std::string complaint(int error) const;
  /// The folder that files are made in; empty for standard output and what is no regular file.
  [[nodiscard]] std::string folder() const;

 private:
  enum class Kind : std::uint8_t { kRegular, kPipe, kOther };

  void look() noexcept;
  int open_again() noexcept;
  int open_next(base::Timestamp at);
  int make_ready(base::Timestamp at);
  int finish_file(base::Timestamp at);
  int close_descriptor() noexcept;
  [[nodiscard]] std::size_t fitting(std::string_view lines) const noexcept;
  [[nodiscard]] std::size_t first_line(std::string_view lines) const noexcept;
  [[nodiscard]] Written put(std::string_view lines) noexcept;
  [[nodiscard]] std::size_t cut_back(std::string_view written) noexcept;

  std::string path_;  ///< or pattern
  std::string name_;  ///< of the file at hand, for a person
  FileFrame frame_;
  Rotation rotation_;
  int descriptor_ = -1;
  Kind kind_ = Kind::kRegular;
  bool gone_ = false;
  bool headed_ = false;     ///< the file at hand has its head
  bool lines_ = false;      ///< ... and lines
  bool any_ = false;        ///< some file had a head or a line
  std::uint64_t size_ = 0;  ///< of the file at hand
  base::Timestamp head_at_ = base::kNever;
  base::Timestamp period_end_ = base::kNever;
  base::Timestamp latest_ = std::numeric_limits<base::Timestamp>::min();
  std::string last_base_;     ///< the pattern's last expansion
  std::uint64_t number_ = 0;  ///< behind it
};

}  // namespace finwait::report
