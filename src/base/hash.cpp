#include "finwait/base/hash.h"

#include <sys/random.h>

#include <cerrno>
#include <system_error>

namespace finwait::base {

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  // Up to 256 bytes arrive whole once the kernel's pool is ready (getrandom(2)); a signal can interrupt only the wait before that.
  while (::getrandom(&seed, sizeof seed, 0) != static_cast<ssize_t>(sizeof seed)) {
    if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "cannot get random bits for the hash (--seed avoids it)");
  }
  return seed;
}

}  // namespace finwait::base
