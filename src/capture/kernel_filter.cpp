#include "kernel_filter.h"

#include <linux/if_packet.h>
#include <net/if_arp.h>
#include <pcap/pcap.h>
#include <sys/socket.h>

#include <memory>

#include "dlt.h"

namespace finwait::capture {
namespace {

constexpr std::uint16_t kLoad = BPF_LD | BPF_W | BPF_ABS;
constexpr std::uint16_t kIfEqual = BPF_JMP | BPF_JEQ | BPF_K;
constexpr std::uint16_t kReturn = BPF_RET | BPF_K;

std::uint32_t beside(int what) { return static_cast<std::uint32_t>(SKF_AD_OFF + what); }

/// libpcap's program for an expression; empty if it is not valid for the link type. `snapshot_length` is what it returns for a match.
std::vector<sock_filter> compile(const KernelFilter& filter) {
  std::vector<sock_filter> program;
  const std::unique_ptr<pcap_t, void (*)(pcap_t*)> handle(
      pcap_open_dead(dlt_of(filter.link_type), static_cast<int>(filter.snapshot_length)), &pcap_close);
  bpf_program compiled{};
  if (!handle || pcap_compile(handle.get(), &compiled, filter.expression.c_str(), 1, PCAP_NETMASK_UNKNOWN) != 0) return program;
  for (unsigned n = 0; n < compiled.bf_len; ++n) {
    const bpf_insn& step = compiled.bf_insns[n];
    program.push_back({step.code, step.jt, step.jf, step.k});
  }
  pcap_freecode(&compiled);
  return program;
}

}  // namespace

std::vector<sock_filter> kernel_program(const KernelFilter& filter) {
  std::vector<sock_filter> program;
  if (filter.loopback) {
    program.push_back({kLoad, 0, 0, beside(SKF_AD_PKTTYPE)});
    program.push_back({kIfEqual, 0, 3, PACKET_OUTGOING});
    program.push_back({kLoad, 0, 0, beside(SKF_AD_HATYPE)});
    program.push_back({kIfEqual, 0, 1, ARPHRD_LOOPBACK});
    program.push_back({kReturn, 0, 0, 0});
  }
  std::vector<sock_filter> asked;
  if (filter.expression.find_first_not_of(" \t\r\n") != std::string::npos) asked = compile(filter);
  if (asked.empty() || program.size() + asked.size() + 3 > BPF_MAXINSNS) {
    program.push_back({kReturn, 0, 0, filter.snapshot_length});
    return program;
  }
  program.push_back({kLoad, 0, 0, beside(SKF_AD_VLAN_TAG_PRESENT)});
  program.push_back({kIfEqual, 1, 0, 0});
  program.push_back({kReturn, 0, 0, filter.snapshot_length});
  program.insert(program.end(), asked.begin(), asked.end());
  return program;
}

std::vector<sock_filter> closed_program() { return {{kReturn, 0, 0, 0}}; }

bool attach(int socket, const std::vector<sock_filter>& program) {
  sock_fprog code{};
  code.len = static_cast<unsigned short>(program.size());
  code.filter = const_cast<sock_filter*>(program.data());  // the kernel only reads it
  return ::setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &code, sizeof code) == 0;
}

}  // namespace finwait::capture
