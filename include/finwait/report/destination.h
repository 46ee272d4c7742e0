// Where an output's lines go: the door between what is written and where.
//
// One thread calls it. It is given whole lines only. Times are the trace clock's: they decide which file a line belongs to, so the same
// capture fills the same files.
#pragma once

#include <string_view>
#include <utility>

#include "finwait/base/time.h"
#include "finwait/report/log_file.h"

namespace finwait::report {

class Destination {
 public:
  Destination() = default;
  Destination(const Destination&) = delete;
  Destination& operator=(const Destination&) = delete;
  virtual ~Destination() = default;

  /// For a format with heads: what each file has at both ends, and the time for the first head. Before the first write(). Throws
  /// OutputError.
  virtual void begin(FileFrame frame, base::Timestamp at) = 0;
  /// Whole lines, told at `at`. Throws OutputError.
  virtual void write(std::string_view lines, base::Timestamp at) = 0;
  /// Nothing told before `clock` will come any more: a file whose time is over may be closed. Throws OutputError.
  virtual void advance(base::Timestamp clock) = 0;
  /// Goes on in a file of the same name, made anew if somebody has moved the old one away. Throws OutputError.
  virtual void reopen() = 0;
  /// The input has ended: from now on waiting is better than losing.
  virtual void conclude() {}
  /// The last call. An error the system only tells now is not lost. Throws OutputError.
  virtual void close(base::Timestamp at) = 0;

  /// Nobody reads it any more.
  [[nodiscard]] virtual bool closed() const noexcept = 0;
  [[nodiscard]] virtual bool is_terminal() const noexcept = 0;
  /// How long a file lasts; 0: it is not changed by time. Lines of different files must not be given in one write().
  [[nodiscard]] virtual base::Duration every() const noexcept = 0;
};

/// Writes at once, in the caller's thread, and waits as long as the system does: nothing is lost, or an error is thrown.
class DirectDestination final : public Destination {
 public:
  explicit DirectDestination(LogFile file) : file_(std::move(file)) {}

  void begin(FileFrame frame, base::Timestamp at) override { file_.begin(frame, at); }
  void write(std::string_view lines, base::Timestamp at) override;
  void advance(base::Timestamp clock) override { check(file_.advance(clock)); }
  void reopen() override { check(file_.reopen()); }
  void close(base::Timestamp at) override;
  [[nodiscard]] bool closed() const noexcept override { return failed_ || file_.reader_gone(); }
  [[nodiscard]] bool is_terminal() const noexcept override { return file_.is_terminal(); }
  [[nodiscard]] base::Duration every() const noexcept override { return file_.rotation().every; }

 private:
  void check(int error);

  LogFile file_;
  bool failed_ = false;
};

}  // namespace finwait::report
