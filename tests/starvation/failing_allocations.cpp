// Linked into a copy of the program: the allocation that the environment names fails, once or with all that follow.
//
//   FINWAIT_FAILING_ALLOCATION=K    the K-th fails, counted from 1 when the program is loaded; 0 or absent: none
//   FINWAIT_FAILING_FROM_THERE=1    and so do all after it, if it comes after main() has begun
//   FINWAIT_COUNT_ALLOCATIONS=FILE  how many there were is written there at the end
//
// An allocation is a call of operator new, of mmap() for memory without a file and, unless a sanitizer has them, of malloc() and its
// relatives, whoever calls: the program, libstdc++, libc or another library. What fails does so as the real one would: by
// std::bad_alloc, by a null pointer with ENOMEM, by MAP_FAILED. Nothing here allocates. One thread is assumed.
//
// Two kinds are spared. Before main() libstdc++ takes room for the exceptions of a program that is out of memory: it may have to do
// without, but not when nothing else can be had either, as nothing could be thrown then. And libpcap's scanner of filters ends the process
// when one of its first four buffers cannot be had (flex does so): the program makes sure of them just before.
#include <fcntl.h>
#include <pcap/pcap.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FINWAIT_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define FINWAIT_SANITIZED 1
#endif
#endif

namespace {

// Static storage without initialisation at run time: the loader allocates before any constructor has run.
constinit std::uint64_t g_count = 0;
constinit std::uint64_t g_failing = 0;
constinit bool g_from_there = false;
constinit bool g_asked = false;
constinit int g_spared = 0;

/// getenv() is safe this early, and allocates nothing.
void ask_environment() noexcept {
  g_asked = true;
  if (const char* const which = std::getenv("FINWAIT_FAILING_ALLOCATION")) g_failing = std::strtoull(which, nullptr, 10);
  g_from_there = std::getenv("FINWAIT_FAILING_FROM_THERE") != nullptr;
}

/// Counts one, and says whether it is to fail.
bool fails() noexcept {
  if (!g_asked) ask_environment();
  ++g_count;
  if (g_spared > 0) {
    --g_spared;
    return false;
  }
  if (g_failing == 0 || g_count < g_failing || (g_count > g_failing && !g_from_there)) return false;
  errno = ENOMEM;
  return true;
}

__attribute__((destructor)) void write_count() {
  const char* const path = std::getenv("FINWAIT_COUNT_ALLOCATIONS");
  if (path == nullptr) return;
  const int file = ::open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  char digits[24];
  char* at = digits + sizeof digits;
  *--at = '\n';
  for (std::uint64_t left = g_count; left != 0 || at == digits + sizeof digits - 1; left /= 10) *--at = static_cast<char>('0' + left % 10);
  const auto length = static_cast<std::size_t>(digits + sizeof digits - at);
  if (::write(file, at, length) != static_cast<ssize_t>(length)) std::abort();
  ::close(file);
}

}  // namespace

/// main.cpp's, under another name.
int finwait_main(int argc, char** argv);

int main(int argc, char** argv) {
  if (g_failing <= g_count) g_from_there = false;
  return finwait_main(argc, argv);
}

extern "C" {

// The linker directs the program's calls here (--wrap).
int __real_pcap_compile(pcap_t* handle, bpf_program* into, const char* expression, int optimize, bpf_u_int32 netmask);
int __wrap_pcap_compile(pcap_t* handle, bpf_program* into, const char* expression, int optimize, bpf_u_int32 netmask) {
  g_spared = 4;
  const int result = __real_pcap_compile(handle, into, expression, optimize, netmask);
  g_spared = 0;
  return result;
}

#ifndef FINWAIT_SANITIZED
// glibc's own, below what is replaced here.
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) noexcept { return fails() ? nullptr : __libc_malloc(size); }
void* calloc(std::size_t count, std::size_t size) noexcept { return fails() ? nullptr : __libc_calloc(count, size); }
void* realloc(void* old, std::size_t size) noexcept { return fails() ? nullptr : __libc_realloc(old, size); }
void* memalign(std::size_t alignment, std::size_t size) noexcept { return fails() ? nullptr : __libc_memalign(alignment, size); }
void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept { return fails() ? nullptr : __libc_memalign(alignment, size); }
int posix_memalign(void** into, std::size_t alignment, std::size_t size) noexcept {
  void* const area = fails() ? nullptr : __libc_memalign(alignment, size);
  if (area == nullptr) return ENOMEM;
  *into = area;
  return 0;
}
#endif

void* mmap(void* address, std::size_t length, int protection, int flags, int file, off_t offset) noexcept {
  if ((flags & MAP_ANONYMOUS) != 0 && fails()) return MAP_FAILED;
  // syscall() gives -1, which is MAP_FAILED, and sets errno.
  return reinterpret_cast<void*>(::syscall(SYS_mmap, address, length, protection, flags, file, offset));
}

}  // extern "C"

#ifdef FINWAIT_SANITIZED
// Through malloc(), so that the sanitizer guards what is given out. The other forms of operator new come down to these two.
void* operator new(std::size_t size) {
  void* const area = fails() ? nullptr : std::malloc(size == 0 ? 1 : size);
  if (area == nullptr) throw std::bad_alloc();
  return area;
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  const auto unit = static_cast<std::size_t>(alignment);
  void* const area = fails() ? nullptr : std::aligned_alloc(unit, (size + unit) / unit * unit);
  if (area == nullptr) throw std::bad_alloc();
  return area;
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return fails() ? nullptr : std::malloc(size == 0 ? 1 : size); }
void* operator new[](std::size_t size) { return operator new(size); }
void* operator new[](std::size_t size, std::align_val_t alignment) { return operator new(size, alignment); }
void* operator new[](std::size_t size, const std::nothrow_t& tag) noexcept { return operator new(size, tag); }
void operator delete(void* area) noexcept { std::free(area); }
void operator delete(void* area, std::size_t) noexcept { std::free(area); }
void operator delete(void* area, std::align_val_t) noexcept { std::free(area); }
void operator delete(void* area, std::size_t, std::align_val_t) noexcept { std::free(area); }
void operator delete(void* area, const std::nothrow_t&) noexcept { std::free(area); }
void operator delete[](void* area) noexcept { std::free(area); }
void operator delete[](void* area, std::size_t) noexcept { std::free(area); }
void operator delete[](void* area, std::align_val_t) noexcept { std::free(area); }
void operator delete[](void* area, std::size_t, std::align_val_t) noexcept { std::free(area); }
void operator delete[](void* area, const std::nothrow_t&) noexcept { std::free(area); }
#endif
