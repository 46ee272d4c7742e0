// For the model checker: what the product reads by a volatile access is a relaxed load.
#pragma once

#include <cstdint>

namespace finwait::base {

using Word = std::uint64_t __attribute__((may_alias));

inline std::uint64_t read_once(const Word* from) { return model::load(from, sizeof *from, __ATOMIC_RELAXED, __FILE__, __LINE__); }

}  // namespace finwait::base
