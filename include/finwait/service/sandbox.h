// Gives up what a capture no longer needs once its interfaces are open: root, capabilities, system calls, the file system.
//
// Always true: nothing given up comes back. Both functions are for the main thread, before any other is started: threads inherit what it
// has become. What the kernel cannot do is told, in a line each; what it refuses to do throws.
//
// After confine() a process can read and write what it has open, wait, allocate, start threads, accept on sockets that already listen, and
// make and write files in the folders named. It cannot read a file, connect, make a socket, execute, fork, trace, signal another process,
// or map code. What is not allowed fails with EPERM instead of killing: a capture of weeks does not end because a library tries something.
// Not here: a limit on what is sent through sockets that are open.
#pragma once

#include <sys/types.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace finwait::service {

/// what() is one line that says what to do.
class SandboxError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Who the process becomes.
struct Identity {
  uid_t user = 0;
  gid_t group = 0;
  std::string name;
};

/// For root: `user` if it is not empty, else who called sudo(8), else nobody. For anybody else nothing, for it is somebody already.
/// Throws SandboxError for a user that does not exist, or one asked for by somebody who is not root.
[[nodiscard]] std::optional<Identity> choose_identity(const std::string& user);

/// Becomes `identity`, if any, without supplementary groups, and without any capability, now or by executing something. Throws
/// SandboxError.
void give_up_root(const std::optional<Identity>& identity);

/// No new privileges, Landlock, seccomp. `folders`: where files may be made and written; they exist. Returns what this kernel cannot do,
/// for a person. Throws SandboxError.
[[nodiscard]] std::vector<std::string> confine(const std::vector<std::string>& folders);

}  // namespace finwait::service
