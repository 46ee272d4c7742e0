// The kernel's Landlock (landlock(7)), for a process that writes into a few folders and does nothing else with the file system.
//
// By system calls of our own: there is no library in Debian 12, and its headers do not know what newer kernels can.
#pragma once

#include <string>
#include <vector>

namespace finwait::service {

/// Only in these folders files can be made and written; nothing can be read, executed or taken away anywhere. Where the kernel can, also no
/// TCP port can be bound or connected to, and nobody outside be signalled. Needs no_new_privs. Returns false if the kernel has no Landlock.
/// Throws SandboxError.
[[nodiscard]] bool apply_landlock(const std::vector<std::string>& folders);

}  // namespace finwait::service
