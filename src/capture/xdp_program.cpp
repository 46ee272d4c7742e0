#include "xdp_program.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <linux/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <system_error>

#include "finwait/capture/error.h"
#include "packet_ring.h"

namespace finwait::capture {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::int32_t kStamp = 8;  // bytes before the frame

constexpr bpf_insn instruction(int code, int to, int from, int offset, std::int32_t value) {
  bpf_insn made{};
  made.code = static_cast<__u8>(code);
  made.dst_reg = static_cast<__u8>(to) & 0xfU;
  made.src_reg = static_cast<__u8>(from) & 0xfU;
  made.off = static_cast<__s16>(offset);
  made.imm = value;
  return made;
}
constexpr bpf_insn copy(int to, int from) { return instruction(BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0); }
constexpr bpf_insn set(int to, std::int32_t value) { return instruction(BPF_ALU64 | BPF_MOV | BPF_K, to, 0, 0, value); }
constexpr bpf_insn add(int to, std::int32_t value) { return instruction(BPF_ALU64 | BPF_ADD | BPF_K, to, 0, 0, value); }
constexpr bpf_insn call(std::int32_t helper) { return instruction(BPF_JMP | BPF_CALL, 0, 0, 0, helper); }
constexpr bpf_insn context(int to, std::size_t offset) {
  return instruction(BPF_LDX | BPF_MEM | BPF_W, to, BPF_REG_6, static_cast<int>(offset), 0);
}
constexpr bpf_insn skip_unless(int reg, std::int32_t value, int count) {
  return instruction(BPF_JMP | BPF_JNE | BPF_K, reg, 0, count, value);
}
/// Takes the place of two instructions.
constexpr bpf_insn map(int to, int how, int descriptor) { return instruction(BPF_LD | BPF_DW | BPF_IMM, to, how, 0, descriptor); }

/// Registers: 6 what the frame is, 7 the time.
std::array<bpf_insn, 24> instructions(int sockets, int counter) {
  return {
      copy(BPF_REG_6, BPF_REG_1),
      call(BPF_FUNC_ktime_get_ns),
      copy(BPF_REG_7, BPF_REG_0),
      // Room for the stamp; a driver may have none.
      copy(BPF_REG_1, BPF_REG_6),
      set(BPF_REG_2, -kStamp),
      call(BPF_FUNC_xdp_adjust_meta),
      skip_unless(BPF_REG_0, 0, 6),
      context(BPF_REG_1, offsetof(xdp_md, data_meta)),
      context(BPF_REG_2, offsetof(xdp_md, data)),
      copy(BPF_REG_3, BPF_REG_1),
      add(BPF_REG_3, kStamp),
      instruction(BPF_JMP | BPF_JGT | BPF_X, BPF_REG_3, BPF_REG_2, 1, 0),
      instruction(BPF_STX | BPF_MEM | BPF_DW, BPF_REG_1, BPF_REG_7, 0, 0),
      // To the socket of the queue, or on into the host.
      context(BPF_REG_2, offsetof(xdp_md, rx_queue_index)),
      map(BPF_REG_1, BPF_PSEUDO_MAP_FD, sockets),
      {},
      set(BPF_REG_3, XDP_PASS),
      call(BPF_FUNC_redirect_map),
      skip_unless(BPF_REG_0, XDP_PASS, 4),
      map(BPF_REG_1, BPF_PSEUDO_MAP_VALUE, counter),
      {},
      set(BPF_REG_2, 1),
      instruction(BPF_STX | BPF_ATOMIC | BPF_DW, BPF_REG_1, BPF_REG_2, 0, BPF_ADD),
      instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
  };
}

}  // namespace

void fail_xdp(const std::string& interface, const char* what, int error) {
  if (error == EPERM || error == EACCES)
    throw CaptureError(interface + ": " + permission_advice("cap_net_raw,cap_net_admin,cap_bpf,cap_ipc_lock"));
  throw CaptureError(
      fmt::format("{}: XDP: {}: {}; leave --capture-method xdp out", interface, what, std::generic_category().message(error)));
}

XdpProgram::XdpProgram(const std::string& interface, std::uint32_t queues) {
  try {
    load(interface, queues);
  } catch (...) {
    clear();
    throw;
  }
}

XdpProgram::~XdpProgram() { clear(); }

void XdpProgram::clear() noexcept {
  if (counted_ != nullptr) ::munmap(counted_, kPage);
  for (int* const descriptor : {&program_, &counter_, &sockets_}) {
    if (*descriptor >= 0) ::close(*descriptor);
    *descriptor = -1;
  }
  counted_ = nullptr;
}

void XdpProgram::load(const std::string& interface, std::uint32_t queues) {
  libbpf_set_print(nullptr);  // what went wrong is said in our one line
  sockets_ = bpf_map_create(BPF_MAP_TYPE_XSKMAP, "finwait_sockets", sizeof(std::uint32_t), sizeof(int), queues, nullptr);
  if (sockets_ < 0) fail_xdp(interface, "the kernel has no map of sockets", errno);
  bpf_map_create_opts shared{};
  shared.sz = sizeof shared;
  shared.map_flags = BPF_F_MMAPABLE;
  counter_ = bpf_map_create(BPF_MAP_TYPE_ARRAY, "finwait_passed", sizeof(std::uint32_t), sizeof(std::uint64_t), 1, &shared);
  if (counter_ < 0) fail_xdp(interface, "the kernel has no counter to share", errno);
  void* const page = ::mmap(nullptr, kPage, PROT_READ, MAP_SHARED, counter_, 0);
  if (page == MAP_FAILED) fail_xdp(interface, "the kernel's counter cannot be mapped", errno);
  counted_ = page;
  const auto text = instructions(sockets_, counter_);
  bpf_prog_load_opts kind{};
  kind.sz = sizeof kind;
  kind.expected_attach_type = BPF_XDP;
  // None of the functions that it calls is for programs of one licence only.
  program_ = bpf_prog_load(BPF_PROG_TYPE_XDP, "finwait", "Apache-2.0", text.data(), text.size(), &kind);
  if (program_ < 0) fail_xdp(interface, "the kernel refuses the program", errno);
}

/// A word that the kernel counts in (the program's atomic addition); it orders nothing.
std::uint64_t XdpProgram::passed() const noexcept {
  return std::atomic_ref<std::uint64_t>(*static_cast<std::uint64_t*>(counted_)).load(std::memory_order_relaxed);
}

}  // namespace finwait::capture
