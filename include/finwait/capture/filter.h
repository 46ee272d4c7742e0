// A libpcap filter expression, compiled for each link type that turns up.
//
// Safe for any frame: the filter program checks each access against the captured length. The only allocation is at the first frame of a
// link type. A filter is used by one thread at a time; each thread makes its own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "finwait/capture/source.h"

namespace finwait::capture {

class Filter {
 public:
  /// `expression` as in tcpdump; empty matches everything. Throws CaptureError with libpcap's message if it is valid for no usual link
  /// type.
  explicit Filter(const std::string& expression);
  ~Filter();
  Filter(Filter&&) noexcept;
  Filter& operator=(Filter&&) noexcept;

  /// Frames of a link type that the expression is not valid for never match: see problems().
  [[nodiscard]] bool matches(const Frame& frame);

  /// As it was given.
  [[nodiscard]] const std::string& expression() const noexcept;

  /// One line for each link type seen so far (the first of them, if there are many) that the expression is not valid for.
  [[nodiscard]] const std::vector<std::string>& problems() const noexcept;

 private:
  struct Programs;
  std::unique_ptr<Programs> programs_;
};

}  // namespace finwait::capture
