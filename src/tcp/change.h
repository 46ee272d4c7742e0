// A change of a connection's record, for as long as this object lives: readers in other threads get the record as it stood before or after.
//
// Always true: within a change another of the same record does nothing. Everything that a reader is shown of a connection is changed inside
// one (states, counters, times, findings, the log and its blocks); what only the tracker knows (deadlines, the links between incarnations
// and the bits of `traits` that go with them) need not be. A record whose first change is not over is not to be seen.
#pragma once

#include <cstdint>

#include "finwait/tcp/connection.h"

namespace finwait::tcp {

class Change {
 public:
  /// `versions`: the last version given to any record of the pool.
  Change(Connection& connection, std::uint64_t& versions) noexcept
      : version_(connection.version), versions_(versions), outer_(connection.version.begin()) {}
  ~Change() {
    if (outer_) version_.end(++versions_);
  }
  Change(const Change&) = delete;
  Change& operator=(const Change&) = delete;

 private:
  base::Version& version_;
  std::uint64_t& versions_;
  bool outer_;
};

}  // namespace finwait::tcp
