// The list of system calls that a capture needs once everything is open (seccomp(2), by libseccomp).
#pragma once

namespace finwait::service {

/// All others fail with EPERM, in this thread and those it starts. `files`: new files may be opened, for writing only. Needs no_new_privs.
/// Returns false if the kernel has no filters for system calls. Throws SandboxError.
[[nodiscard]] bool filter_system_calls(bool files);

}  // namespace finwait::service
