#include "finwait/base/memory.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstring>

namespace finwait::base {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
/// Below two huge pages the pages saved are not worth zeroing what may never be used.
constexpr std::size_t kHugeFrom = 2 * kHugePage;

std::byte* map(std::size_t bytes) {
  void* area = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (area == MAP_FAILED) throw std::bad_alloc();
  return static_cast<std::byte*>(area);
}

/// Maps more than asked for and gives back what lies outside the huge-page boundaries.
std::byte* map_aligned(std::size_t bytes, std::size_t seldom) {
  std::byte* area = map(bytes + kHugePage);
  const std::size_t head = (kHugePage - reinterpret_cast<std::uintptr_t>(area) % kHugePage) % kHugePage;
  const std::size_t tail = kHugePage - head;
  if (head != 0) ::munmap(area, head);
  if (tail != 0) ::munmap(area + head + bytes, tail);
  // Advice only: without huge pages everything is as right, and slower.
  // What does not fill one is left to small pages: it would be there as a whole however little of it is needed.
  const std::size_t first = (seldom + kHugePage - 1) / kHugePage * kHugePage;
  const std::size_t last = bytes / kHugePage * kHugePage;
  if (first < last) ::madvise(area + head + first, last - first, MADV_HUGEPAGE);
  return area + head;
}

std::size_t rounded(std::size_t bytes) {
  constexpr std::size_t kPage = 4096;
  if (bytes > std::numeric_limits<std::size_t>::max() / 2) throw std::bad_alloc();
  return (bytes + kPage - 1) / kPage * kPage;
}

}  // namespace

Pages::Pages(std::size_t bytes, PageSize size, std::size_t seldom) : bytes_(rounded(bytes)) {
  if (bytes_ != 0) data_ = bytes_ >= kHugeFrom && size == PageSize::kHugeIfLarge ? map_aligned(bytes_, seldom) : map(bytes_);
}

// As it is advice, it may be refused (locked pages are): then the area is made zeros by hand, which is as right.
void Pages::give_back() noexcept {
  if (data_ != nullptr && ::madvise(data_, bytes_, MADV_DONTNEED) != 0) std::memset(data_, 0, bytes_);
}

Pages::~Pages() {
  if (data_ != nullptr) ::munmap(data_, bytes_);
}

}  // namespace finwait::base
