#include "system_calls.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <system_error>
#include <utility>

#include "finwait/service/sandbox.h"

namespace finwait::service {
namespace {

/// Those that are harmless whatever their arguments.
constexpr std::array kPlain{
    // what is open is read, written, waited for, closed
    SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(close), SCMP_SYS(lseek),
    SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(ftruncate), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(select), SCMP_SYS(pselect6),
    SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_ctl), SCMP_SYS(timerfd_settime), SCMP_SYS(fcntl),
    // sockets that are open
    SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(sendmsg), SCMP_SYS(shutdown), SCMP_SYS(getsockopt),
    SCMP_SYS(getsockname), SCMP_SYS(getpeername),
    // memory, but for code
    SCMP_SYS(munmap), SCMP_SYS(madvise), SCMP_SYS(brk),
    // threads, time, signals, chance
    SCMP_SYS(futex), SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity), SCMP_SYS(gettid),
    SCMP_SYS(getpid), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(exit), SCMP_SYS(exit_group),
    SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday), SCMP_SYS(restart_syscall),
    SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack), SCMP_SYS(getrandom),
    SCMP_SYS(getrusage), SCMP_SYS(sysinfo), SCMP_SYS(uname)};

/// Requests of ioctl(2): what a terminal is, how large, how it behaves; waiting or not. Not those that type for the user.
constexpr std::array<unsigned long, 8> kRequests{TCGETS, TCSETS, TCSETSW, TCSETSF, TIOCGWINSZ, TIOCGPGRP, FIONBIO, FIONREAD};

// What libseccomp's own macros make are compound literals, which C++ does not have.
scmp_arg_cmp equals(unsigned argument, scmp_datum_t value) noexcept { return {argument, SCMP_CMP_EQ, value, 0}; }
scmp_arg_cmp masked(unsigned argument, scmp_datum_t mask, scmp_datum_t value) noexcept {
  return {argument, SCMP_CMP_MASKED_EQ, mask, value};
}

class Filter {
 public:
  Filter() : context_(seccomp_init(SCMP_ACT_ERRNO(EPERM)), &seccomp_release) {
    if (context_ == nullptr) throw SandboxError("seccomp: no memory");
  }

  void allow(int call, std::initializer_list<scmp_arg_cmp> conditions = {}) { add(SCMP_ACT_ALLOW, call, conditions); }
  void add(std::uint32_t action, int call, std::initializer_list<scmp_arg_cmp> conditions = {}) {
    const int error = seccomp_rule_add_array(context_.get(), action, call, static_cast<unsigned>(conditions.size()), conditions.begin());
    if (error != 0 && error != -EDOM && error != -EFAULT) fail(-error);  // a call that this machine does not have
  }
  [[nodiscard]] int load() { return -seccomp_load(context_.get()); }
  [[noreturn]] static void fail(int error) {
    throw SandboxError("seccomp: " + std::generic_category().message(error) + "; --no-sandbox does without");
  }

 private:
  std::unique_ptr<void, decltype(&seccomp_release)> context_;
};

void allow_memory(Filter& filter) {
  for (const int call : {SCMP_SYS(mmap), SCMP_SYS(mprotect)}) filter.allow(call, {masked(2, PROT_EXEC, 0)});
  filter.allow(SCMP_SYS(mremap));
}

/// Threads, and no processes. clone3 keeps its flags in memory, where no filter sees them: without it the C library uses clone.
void allow_threads(Filter& filter) {
  filter.allow(SCMP_SYS(clone), {masked(0, CLONE_THREAD | CLONE_VM, CLONE_THREAD | CLONE_VM)});
  filter.add(SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3));
  filter.allow(SCMP_SYS(prctl), {equals(0, PR_SET_NAME)});
  filter.allow(SCMP_SYS(tgkill), {equals(0, static_cast<scmp_datum_t>(::getpid()))});  // abort(3)
  filter.allow(SCMP_SYS(prlimit64), {equals(0, 0), equals(2, 0)});                     // asked, not set
}

void allow_sockets(Filter& filter) {
  filter.allow(SCMP_SYS(sendto), {equals(4, 0)});  // to whom the socket belongs, nobody else
  for (const int level : {SOL_SOCKET, int{IPPROTO_TCP}, int{SOL_PACKET}})
    filter.allow(SCMP_SYS(setsockopt), {equals(1, static_cast<scmp_datum_t>(level))});
}

/// For writing only, and no file that does something when it is opened.
void allow_new_files(Filter& filter) {
  constexpr scmp_datum_t kLook = O_ACCMODE | O_CREAT | O_APPEND | O_PATH;
  filter.allow(SCMP_SYS(openat), {masked(2, kLook, O_WRONLY | O_CREAT | O_APPEND)});
}

}  // namespace

bool filter_system_calls(bool files) {
  Filter filter;
  for (const int call : kPlain) filter.allow(call);
  for (const unsigned long request : kRequests) filter.allow(SCMP_SYS(ioctl), {equals(1, request)});
  allow_memory(filter);
  allow_threads(filter);
  allow_sockets(filter);
  if (files) allow_new_files(filter);
#ifdef FINWAIT_SANITIZED  // they try an address by writing from it into a pipe
  for (const int call : {SCMP_SYS(pipe), SCMP_SYS(pipe2), SCMP_SYS(readlink)}) filter.allow(call);
#endif
  const int error = filter.load();
  if (error == ENOSYS || error == EINVAL) return false;
  if (error != 0) Filter::fail(error);
  return true;
}

}  // namespace finwait::service
