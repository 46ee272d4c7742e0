// The program that hands the frames of an interface to AF_XDP sockets: one for each receive queue, in a map.
//
// It runs in the kernel for each frame received. It writes the time into the eight bytes before the frame, and gives the frame to the
// socket of its queue; nobody else gets it then. A frame of a queue without a socket goes on into this host, and is counted. Written as
// instructions, so that neither a compiler for the kernel's machine nor a file is needed.
//
// Documentation/networking/af_xdp.rst of the kernel; bpf-helpers(7).
#pragma once

#include <cstdint>
#include <string>

namespace finwait::capture {

class XdpProgram {
 public:
  /// Loads it, for so many queues; it is attached to nothing. Throws CaptureError, which begins with the name of the `interface`.
  XdpProgram(const std::string& interface, std::uint32_t queues);
  ~XdpProgram();
  XdpProgram(const XdpProgram&) = delete;
  XdpProgram& operator=(const XdpProgram&) = delete;

  [[nodiscard]] int descriptor() const noexcept { return program_; }
  /// From the number of a queue to its socket.
  [[nodiscard]] int sockets() const noexcept { return sockets_; }
  /// Frames that had no socket, from the beginning on. No system call.
  [[nodiscard]] std::uint64_t passed() const noexcept;

 private:
  void clear() noexcept;
  void load(const std::string& interface, std::uint32_t queues);

  int sockets_ = -1;
  int counter_ = -1;
  int program_ = -1;
  void* counted_ = nullptr;  // the counter's page
};

/// What the kernel's answer means when something of XDP was asked for: a CaptureError to throw, in one line.
[[noreturn]] void fail_xdp(const std::string& interface, const char* what, int error);

}  // namespace finwait::capture
