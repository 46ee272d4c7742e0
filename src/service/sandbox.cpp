#include "finwait/service/sandbox.h"

#include <sys/prctl.h>

#include <cerrno>
#include <system_error>

#include "landlock.h"
#include "system_calls.h"

namespace finwait::service {

std::vector<std::string> confine(const std::vector<std::string>& folders) {
  std::vector<std::string> missing;
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    throw SandboxError("no_new_privs: " + std::generic_category().message(errno) + "; --no-sandbox does without");
  if (!apply_landlock(folders)) missing.emplace_back("this kernel has no Landlock: what files can be written, permissions alone decide");
  if (!filter_system_calls(!folders.empty())) missing.emplace_back("this kernel cannot filter system calls: all of them remain");
  return missing;
}

}  // namespace finwait::service
