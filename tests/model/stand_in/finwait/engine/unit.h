// For the model checker: the ring of units is about who may touch a unit when, not about what is in it.
#pragma once

#include "checker.h"

namespace finwait::engine {

struct Cargo {
  model::Plain<std::uint64_t> ticket;
};

struct Unit {
  model::Plain<std::uint64_t> ticket;
  Cargo* cargo = nullptr;
  void open(Cargo& lent) { cargo = &lent; }
};

}  // namespace finwait::engine
