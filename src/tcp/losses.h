// When the capture lost frames, so that what seems missing in a connection of that time is not blamed on others alone.
//
// Always true: at most kSpans spans are kept; when there are more, the two that lie closest become one, so what was marked stays marked.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

#include "finwait/base/time.h"

namespace finwait::tcp {

class Losses {
 public:
  static constexpr std::size_t kSpans = 64;
  /// Losses that lie closer together are one.
  static constexpr base::Duration kNear = base::kSecond / 10;
  /// A connection that begins so soon after a loss may have lost its beginning: a SYN is repeated after a second (RFC 6298).
  static constexpr base::Duration kBefore = base::kSecond;

  /// In the order of their ends.
  void add(base::Timestamp from, base::Timestamp to) noexcept {
    if (count_ != 0 && base::elapsed(spans_[count_ - 1].to, from) <= kNear) {
      spans_[count_ - 1].to = std::max(spans_[count_ - 1].to, to);
      spans_[count_ - 1].from = std::min(spans_[count_ - 1].from, from);
      return;
    }
    if (count_ == kSpans) join_closest();
    spans_[count_++] = {from, to};
  }

  /// Whether anything was lost while a connection lived from `start` to `end`.
  [[nodiscard]] bool during(base::Timestamp start, base::Timestamp end) const noexcept {
    const auto used = std::span(spans_).first(count_);
    return std::any_of(used.begin(), used.end(), [&](const Span& s) { return s.to >= base::after(start, -kBefore) && s.from <= end; });
  }

 private:
  struct Span {
    base::Timestamp from = 0;
    base::Timestamp to = 0;
  };

  void join_closest() noexcept {
    std::size_t best = 0;
    const auto gap = [this](std::size_t n) { return base::elapsed(spans_[n].to, spans_[n + 1].from); };
    for (std::size_t n = 1; n + 1 < count_; ++n) {
      if (gap(n) < gap(best)) best = n;
    }
    spans_[best].to = std::max(spans_[best].to, spans_[best + 1].to);
    std::move(spans_.begin() + static_cast<std::ptrdiff_t>(best) + 2, spans_.end(), spans_.begin() + static_cast<std::ptrdiff_t>(best) + 1);
    --count_;
  }

  std::array<Span, kSpans> spans_{};
  std::size_t count_ = 0;
};

}  // namespace finwait::tcp
