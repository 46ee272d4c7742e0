// The text of a sink, gathered until there is enough of it to hand on to where it goes.
//
// Always true: what is handed on is whole lines of one period of the destination's files. A reader that went away (a closed pipe) is no
// error: the output falls silent, and closed() says so. Anything else that cannot be written throws, once.
#pragma once

#include <limits>
#include <memory>
#include <string>

#include "finwait/report/destination.h"
#include "finwait/report/text.h"

namespace finwait::report {

class Output {
 public:
  /// Writes at once to `path`, which is created or emptied; "-" is standard output. Throws OutputError.
  Output(const std::string& path);  // NOLINT(google-explicit-constructor): a place is all a sink need be told
  /// Not null. Throws std::bad_alloc.
  Output(std::unique_ptr<Destination> destination);  // NOLINT(google-explicit-constructor)

  [[nodiscard]] Text& text() noexcept { return text_; }

  /// What is put from now on is told at `now`. At the end of a line. Throws OutputError.
  void at(base::Timestamp now) {
    if (now >= turn_) turn(now);
    if (now > now_ && now != base::kNever) now_ = now;  // the end of input is told at the last time known
  }
  /// Nothing told before `clock` will come any more. Throws OutputError.
  void advance(base::Timestamp clock);

  /// Hands the text on if there is much of it. Throws OutputError.
  void relieve() {
    if (text_.size() >= kMuch) flush();
  }
  /// Hands all of it on. Throws OutputError.
  void flush();
  /// For a format with heads, before any text: what each file has at both ends, and the time for the first head. Throws OutputError.
  void begin(FileFrame frame, base::Timestamp at) { destination_->begin(frame, at); }
  void reopen();
  /// The input has ended at `clock`: from now on waiting is better than losing. Throws OutputError.
  void conclude(base::Timestamp clock) {
    at(clock);
    destination_->conclude();
  }
  /// flush(), then closes: an error the system only tells now is not lost. `at`: for the foot of the last file. Throws OutputError.
  void close(base::Timestamp at = 0);

  [[nodiscard]] bool closed() const noexcept { return destination_->closed(); }  ///< nobody reads it any more
  [[nodiscard]] bool is_terminal() const noexcept { return destination_->is_terminal(); }

 private:
  static constexpr std::size_t kMuch = 1 << 16;

  void turn(base::Timestamp now);

  Text text_;
  std::unique_ptr<Destination> destination_;
  base::Timestamp now_ = std::numeric_limits<base::Timestamp>::min();
  base::Timestamp turn_ = base::kNever;  // from here on lines belong into another file
};

}  // namespace finwait::report
