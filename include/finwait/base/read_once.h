// One load of a word to which another thread may be storing.
//
// Always true: a volatile access of aligned memory is one plain load to both compilers, neither left out nor repeated nor split. It orders
// nothing. Whether what was read means anything is for the caller to find out (see version.h). ThreadSanitizer does not see it.
#pragma once

#include <cstdint>

namespace finwait::base {

/// Eight aligned bytes of anything.
using Word = std::uint64_t __attribute__((may_alias));

/// Any thread. Wait-free.
[[nodiscard]] __attribute__((always_inline, no_sanitize("thread"))) inline std::uint64_t read_once(const Word* from) noexcept {
  return *static_cast<const volatile Word*>(from);
}

}  // namespace finwait::base
