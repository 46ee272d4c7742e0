// A filter expression as a program for the kernel, in front of a packet socket's ring.
//
// Always true: it lets through every frame that Filter::matches in user space. The kernel takes a VLAN tag off the frame and keeps it
// beside it; libpcap's program looks for it in the bytes. So a frame with a tag is let through and judged in user space, where it has its
// tag again. Frames that loopback shows a second time on their way out are left out, as tcpdump does.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <string>
#include <vector>

namespace finwait::capture {

struct KernelFilter {
  std::string expression;  ///< empty: everything
  std::uint16_t link_type = 1;
  bool loopback = false;                   ///< the interface may be a loopback one
  std::uint32_t snapshot_length = 262144;  ///< bytes of a frame that are copied into the ring
};

/// An expression that is not valid for the link type, or too long for the kernel, is left to user space.
[[nodiscard]] std::vector<sock_filter> kernel_program(const KernelFilter& filter);

/// Lets nothing through.
[[nodiscard]] std::vector<sock_filter> closed_program();

/// Replaces the socket's filter. False with errno set if the kernel refuses.
[[nodiscard]] bool attach(int socket, const std::vector<sock_filter>& program);

}  // namespace finwait::capture
