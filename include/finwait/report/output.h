// Where a sink's text goes: standard output or a file, with a buffer in front.
//
// A reader that went away (a closed pipe) is no error: the output falls silent, and closed() says so. Anything else that cannot be written
// throws, once.
#pragma once

#include <stdexcept>
#include <string>

#include "finwait/report/text.h"

namespace finwait::report {

/// what() is one line for a person.
class OutputError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Output {
 public:
  /// Creates or empties `path`; "-" is standard output. Throws OutputError.
  explicit Output(const std::string& path);
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  ~Output();

  [[nodiscard]] Text& text() noexcept { return text_; }

  /// Hands the text on if there is much of it. Throws OutputError.
  void relieve() {
    if (text_.size() >= kMuch) flush();
  }
  /// Hands all of it to the system. Throws OutputError.
  void flush();
  /// flush(), then closes: an error the system only tells now is not lost. Throws OutputError.
  void close();

  [[nodiscard]] bool closed() const noexcept { return closed_; }  ///< nobody reads it any more
  [[nodiscard]] bool is_terminal() const noexcept;

 private:
  static constexpr std::size_t kMuch = 1 << 16;

  [[noreturn]] void fail(int error);

  Text text_;
  std::string name_;
  int descriptor_ = -1;
  bool closed_ = false;
};

}  // namespace finwait::report
