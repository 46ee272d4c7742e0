#include "landlock.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

#include "finwait/service/sandbox.h"

namespace finwait::service {
namespace {

// As in linux/landlock.h, up to ABI 6.
constexpr std::uint32_t kVersionFlag = 1;
constexpr int kRulePathBeneath = 1;
constexpr std::uint64_t kWriteFile = 1ULL << 1;
constexpr std::uint64_t kMakeRegular = 1ULL << 8;
constexpr std::uint64_t kTruncate = 1ULL << 14;

struct RulesetAttributes {
  std::uint64_t handled_fs = 0;
  std::uint64_t handled_net = 0;  ///< ABI 4
  std::uint64_t scoped = 0;       ///< ABI 6
};
struct __attribute__((packed)) PathBeneath {
  std::uint64_t allowed = 0;
  std::int32_t parent = -1;
};

/// All that this version of the interface can forbid.
RulesetAttributes everything(long abi) {
  RulesetAttributes all;
  const unsigned rights = abi == 1 ? 13 : abi == 2 ? 14 : abi < 5 ? 15 : 16;  // REFER, TRUNCATE, IOCTL_DEV
  all.handled_fs = (1ULL << rights) - 1;
  if (abi >= 4) all.handled_net = 3;  // bind, connect
  if (abi >= 6) all.scoped = 3;       // abstract unix sockets, signals
  return all;
}

std::size_t size_for(long abi) { return abi >= 6 ? sizeof(RulesetAttributes) : abi >= 4 ? 16 : 8; }

struct Descriptor {
  int value;
  explicit Descriptor(long v) : value(static_cast<int>(v)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (value >= 0) ::close(value);
  }
};

[[noreturn]] void fail(const std::string& what) {
  throw SandboxError("Landlock: " + what + ": " + std::generic_category().message(errno) + "; --no-sandbox does without");
}

}  // namespace

bool apply_landlock(const std::vector<std::string>& folders) {
  const long abi = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, kVersionFlag);
  if (abi < 1) return false;
  const RulesetAttributes all = everything(abi);
  const Descriptor ruleset(::syscall(SYS_landlock_create_ruleset, &all, size_for(abi), 0));
  if (ruleset.value < 0) fail("cannot be prepared");
  for (const std::string& folder : folders) {
    const Descriptor place(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (place.value < 0) fail(folder);
    PathBeneath rule;
    rule.allowed = (kWriteFile | kMakeRegular | kTruncate) & all.handled_fs;
    rule.parent = place.value;
    if (::syscall(SYS_landlock_add_rule, ruleset.value, kRulePathBeneath, &rule, 0) != 0) fail(folder);
  }
  if (::syscall(SYS_landlock_restrict_self, ruleset.value, 0) != 0) fail("cannot be applied");
  return true;
}

}  // namespace finwait::service
