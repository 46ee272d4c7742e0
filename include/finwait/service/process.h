// What the kernel says of this process: memory and time. Opens what it needs when it is made, before a sandbox forbids it.
#pragma once

#include <cstdint>

namespace finwait::service {

struct ProcessNumbers {
  std::uint64_t resident = 0;  ///< bytes; 0: not known
  double cpu_seconds = 0.0;
  double start_time = 0.0;  ///< seconds since 1970
};

class Process {
 public:
  Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();

  /// Any thread.
  [[nodiscard]] ProcessNumbers numbers() const noexcept;

 private:
  int statm_;
  double start_time_;
};

}  // namespace finwait::service
