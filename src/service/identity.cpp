// Root and capabilities, given up.
#include <cap-ng.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

#include "finwait/service/sandbox.h"

namespace finwait::service {
namespace {

std::optional<Identity> by_name(const std::string& name) {
  const passwd* entry = getpwnam(name.c_str());
  if (entry == nullptr) return std::nullopt;
  return Identity{entry->pw_uid, entry->pw_gid, name};
}

/// Who called sudo(8): it tells by numbers, and root is nobody to become.
std::optional<Identity> caller_of_sudo() {
  const auto number = [](const char* variable) -> std::optional<unsigned long> {
    const char* text = std::getenv(variable);
    if (text == nullptr || *text == '\0') return std::nullopt;
    char* end = nullptr;
    const unsigned long value = std::strtoul(text, &end, 10);
    if (*end != '\0' || value == 0 || value >= static_cast<uid_t>(-1)) return std::nullopt;
    return value;
  };
  const auto user = number("SUDO_UID");
  const auto group = number("SUDO_GID");
  if (!user || !group) return std::nullopt;
  const char* name = std::getenv("SUDO_USER");
  return Identity{static_cast<uid_t>(*user), static_cast<gid_t>(*group), name != nullptr ? name : std::to_string(*user)};
}

}  // namespace

std::optional<Identity> choose_identity(const std::string& user) {
  if (geteuid() != 0) {
    if (!user.empty()) throw SandboxError("--user " + user + ": only root can become somebody else: leave it out");
    return std::nullopt;
  }
  if (!user.empty()) {
    const auto named = by_name(user);
    if (!named) throw SandboxError("--user " + user + ": there is no such user");
    return named;
  }
  if (const auto caller = caller_of_sudo()) return caller;
  const auto nobody = by_name("nobody");
  return nobody ? *nobody : Identity{65534, 65534, "nobody"};
}

void give_up_root(const std::optional<Identity>& identity) {
  const auto fail = [](const std::string& what) {
    throw SandboxError(what + ": " + std::generic_category().message(errno) + "; --no-sandbox keeps the privileges");
  };
  capng_clear(CAPNG_SELECT_ALL);
  const bool other = identity && (identity->user != geteuid() || identity->user != getuid() || identity->group != getegid());
  if (other) {
    const auto flags = static_cast<capng_flags_t>(CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING);
    errno = 0;
    if (capng_change_id(static_cast<int>(identity->user), static_cast<int>(identity->group), flags) != 0)
      fail("cannot become " + identity->name);
    capng_clear(CAPNG_SELECT_ALL);
  } else if (geteuid() == 0) {
    if (setgroups(0, nullptr) != 0) fail("cannot give up supplementary groups");
    if (capng_apply(CAPNG_SELECT_BOUNDS) != 0) fail("cannot give up capabilities");
  }
  if (capng_apply(CAPNG_SELECT_CAPS) != 0) fail("cannot give up capabilities");
  if (capng_have_capabilities(CAPNG_SELECT_CAPS) != CAPNG_NONE) fail("capabilities are left");
}

}  // namespace finwait::service
