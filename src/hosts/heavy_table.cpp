#include "finwait/hosts/heavy_table.h"

namespace finwait::hosts {

[[gnu::noinline]] std::uint64_t hash_of(const base::KeyedHash& hash, const void* bytes) noexcept { return hash.hash40(bytes); }

}  // namespace finwait::hosts
