#include "finwait/report/text.h"

#include <algorithm>

namespace finwait::report {

void Text::grow(std::size_t n) {
  const std::size_t used = size();
  const std::size_t capacity = std::max(2 * static_cast<std::size_t>(limit_ - data_.get()), used + n);
  auto larger = std::unique_ptr<char[]>(new char[capacity]);
  std::memcpy(larger.get(), data_.get(), used);
  data_ = std::move(larger);
  end_ = data_.get() + used;
  limit_ = data_.get() + capacity;
}

}  // namespace finwait::report
