// A scenario as a value: what is shared, made anew for each execution, and what each thread does with it.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "checker.h"

namespace finwait::model {

template <class Shared>
class Threads final : public Scenario {
 public:
  using Part = void (*)(Shared&);
  explicit Threads(std::vector<Part> parts, Part at_end = nullptr) : parts_(std::move(parts)), end_(at_end) {}
  [[nodiscard]] std::size_t threads() const override { return parts_.size(); }
  void run(std::size_t thread) override { parts_[thread](shared_); }
  void end() override {
    if (end_ != nullptr) end_(shared_);
  }

 private:
  Shared shared_;
  std::vector<Part> parts_;
  Part end_;
};

/// For explore() and needless().
template <class Shared>
[[nodiscard]] Make scenario(std::vector<typename Threads<Shared>::Part> parts, typename Threads<Shared>::Part end = nullptr) {
  return [parts = std::move(parts), end] { return std::make_unique<Threads<Shared>>(parts, end); };
}

}  // namespace finwait::model
