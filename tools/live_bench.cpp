// For measuring live capture on a virtual link: sends the frames of a capture at a rate, or reads a ring and counts.
//
//   live_bench send INTERFACE FILE RATE COUNT    frames per second (0: as fast as it goes), how many; begins again at the end of the file
//   live_bench read INTERFACE SECONDS [KIB [RINGS | xdp]]  the rings, or AF_XDP, alone: what reading costs when nothing is made of it
//
// tools/live_rate.py drives it. Sends no faster than one thread can, and only where it may: it needs cap_net_raw.
#include <fmt/format.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "finwait/capture/live_source.h"
#include "finwait/capture/stop.h"

namespace {

using Clock = std::chrono::steady_clock;
using finwait::capture::Frame;

constexpr std::size_t kKept = 6'000'000;  // frames of the file
constexpr std::size_t kAtOnce = 64;

struct Load {
  std::vector<std::uint8_t> bytes;
  std::vector<std::pair<std::size_t, std::size_t>> frames;  // where, how long
};

Load load(const std::string& path) {
  Load result;
  const auto source = finwait::capture::open_file(path);
  std::array<Frame, 256> batch;
  for (std::size_t count = 0; result.frames.size() < kKept && (count = source->read(batch)) != 0;) {
    for (const Frame& frame : std::span(batch).first(count)) {
      result.frames.emplace_back(result.bytes.size(), frame.captured);
      result.bytes.insert(result.bytes.end(), frame.data, frame.data + frame.captured);
    }
  }
  if (result.frames.empty()) throw std::runtime_error(path + ": no frames in it");
  return result;
}

int open_sender(const std::string& interface) {
  const int socket = ::socket(AF_PACKET, SOCK_RAW, 0);
  const int bypass = 1;
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_ifindex = static_cast<int>(if_nametoindex(interface.c_str()));
  if (socket < 0 || ::setsockopt(socket, SOL_PACKET, PACKET_QDISC_BYPASS, &bypass, sizeof bypass) != 0 ||
      ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw std::runtime_error(interface + ": cannot be sent on");
  return socket;
}

int send(const std::string& interface, const std::string& path, double rate, std::uint64_t count) {
  Load load = ::load(path);
  const int socket = open_sender(interface);
  std::array<mmsghdr, kAtOnce> messages{};
  std::array<iovec, kAtOnce> parts{};
  std::uint64_t sent = 0;
  const auto start = Clock::now();
  while (sent < count) {
    const std::size_t now = std::min<std::uint64_t>(kAtOnce, count - sent);
    for (std::size_t n = 0; n < now; ++n) {
      const auto& [at, length] = load.frames[(sent + n) % load.frames.size()];
      parts[n] = {load.bytes.data() + at, length};
      messages[n].msg_hdr.msg_iov = &parts[n];
      messages[n].msg_hdr.msg_iovlen = 1;
    }
    const int done = ::sendmmsg(socket, messages.data(), static_cast<unsigned>(now), 0);
    if (done > 0) sent += static_cast<std::uint64_t>(done);
    if (rate > 0) {
      const auto due = start + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(static_cast<double>(sent) / rate));
      while (Clock::now() < due) std::this_thread::yield();
    }
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  fmt::print("{{\"sent\":{},\"seconds\":{:.3f},\"rate\":{:.0f}}}\n", sent, seconds, static_cast<double>(sent) / seconds);
  return 0;
}

int read(const std::string& interface, double seconds, std::uint64_t kib, const std::string& rings) {
  finwait::capture::LiveOptions options;
  options.interfaces = {interface};
  if (kib != 0) options.buffer = kib << 10U;
  if (rings == "xdp") {
    options.method = finwait::capture::CaptureMethod::kXdp;
  } else {
    options.rings = static_cast<std::uint32_t>(std::stoul(rings));
  }
  const auto source = finwait::capture::open_live(options);
  std::signal(SIGINT, [](int) { finwait::capture::request_stop(); });
  std::fputs("listening\n", stderr);
  std::vector<Frame> batch(512);
  std::uint64_t frames = 0;
  std::uint64_t bytes = 0;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  for (bool ended = false; !ended;) {
    const auto arrival = source->next(batch, finwait::base::kSecond / 10);
    frames += arrival.frames;
    for (std::size_t n = 0; n < arrival.frames; ++n) bytes += batch[n].captured;
    ended = arrival.ended;
    if (finwait::capture::stop_requested() || Clock::now() >= end) source->close();
  }
  const auto stats = source->stats();
  fmt::print(stderr, "{} frames, {} bytes; {} of {} packets were dropped\n", frames, bytes, stats.dropped_by_kernel, stats.received);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv, argv + argc);
  try {
    if (argc == 6 && words[1] == "send") return send(words[2], words[3], std::stod(words[4]), std::stoull(words[5]));
    if (argc >= 4 && words[1] == "read")
      return read(words[2], std::stod(words[3]), argc > 4 ? std::stoull(words[4]) : 0, argc > 5 ? words[5] : "1");
  } catch (const std::exception& e) {
    fmt::print(stderr, "live_bench: {}\n", e.what());
    return 1;
  }
  fmt::print(stderr, "usage: live_bench send INTERFACE FILE RATE COUNT\n       live_bench read INTERFACE SECONDS [KIB [RINGS | xdp]]\n");
  return 2;
}
