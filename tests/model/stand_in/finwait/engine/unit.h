// For the model checker: the ring of units is about who may touch a unit when, not about what is in it.
#pragma once

#include "checker.h"

namespace finwait::engine {

struct Unit {
  model::Plain<std::uint64_t> ticket;
};

}  // namespace finwait::engine
