// Ways to bring a capture file's bytes to the records: read(2) or pread(2) into a small buffer, a mapping, io_uring. To be compared on a
// file that is in the page cache: reading_bench --pcap FILE (pcap, as finwait_gen writes it).
//
// "each" is the processor time of a record, the kernel's work included (an io_uring worker's is not): its header is read and a word of its
// IP header, as a decoder does. All ways must come to the same number of records and the same sum. What was measured: bench/README.md.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#ifdef FINWAIT_BENCH_URING
#include <liburing.h>
#endif

#include "finwait/capture/source.h"
#include "pcap_option.h"

namespace {

using finwait::bench::pcap_path;
using finwait::capture::Frame;

constexpr std::size_t kFileHeader = 24;
constexpr std::size_t kRecordHeader = 16;
constexpr std::size_t kTouched = 26;  // in an Ethernet frame: the IPv4 source address
constexpr std::size_t kKiB = 1024;
constexpr std::size_t kMiB = 1024 * kKiB;
/// Room in front of a buffer for what the one before left over.
constexpr std::size_t kFront = 64 * kKiB + kRecordHeader;

struct Walk {
  std::uint64_t records = 0;
  std::uint64_t sum = 0;

  bool operator==(const Walk&) const = default;
  void touch(const std::uint8_t* frame) noexcept {
    std::uint32_t word = 0;
    std::memcpy(&word, frame + kTouched, sizeof word);
    sum += word;
    ++records;
  }
  /// The records that lie in [at, end) as a whole; returns where the first stands that does not.
  const std::uint8_t* over(const std::uint8_t* at, const std::uint8_t* end, std::size_t ahead = 0) noexcept {
    while (static_cast<std::size_t>(end - at) >= kRecordHeader) {
      std::uint32_t captured = 0;
      std::memcpy(&captured, at + 8, sizeof captured);
      if (captured > static_cast<std::size_t>(end - at) - kRecordHeader) break;
      if (ahead != 0) __builtin_prefetch(at + ahead);
      touch(at + kRecordHeader);
      at += kRecordHeader + captured;
    }
    return at;
  }
};

class File {
 public:
  explicit File(const std::string& path) : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    struct stat status {};
    if (descriptor_ < 0 || ::fstat(descriptor_, &status) != 0) throw std::runtime_error(path + ": cannot be opened");
    size_ = static_cast<std::size_t>(status.st_size);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { ::close(descriptor_); }
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  int descriptor_;
  std::size_t size_ = 0;
};

template <class Read>
Walk through_buffer(std::size_t capacity, Read&& read) {
  std::vector<std::uint8_t> buffer(kFront + capacity);
  std::uint8_t* const front = buffer.data() + kFront;
  Walk walk;
  std::size_t left = 0;
  for (bool first = true; const std::size_t n = read(front, capacity); first = false) {
    const std::uint8_t* rest = walk.over(front - left + (first ? kFileHeader : 0), front + n);
    left = static_cast<std::size_t>(front + n - rest);
    std::memmove(front - left, rest, left);
  }
  return walk;
}

Walk by_read(const File& file, std::size_t capacity) {
  ::lseek(file.descriptor(), 0, SEEK_SET);
  return through_buffer(capacity, [&](std::uint8_t* to, std::size_t n) {
    return static_cast<std::size_t>(std::max<ssize_t>(0, ::read(file.descriptor(), to, n)));
  });
}

Walk by_pread(const File& file, std::size_t capacity) {
  off_t at = 0;
  return through_buffer(capacity, [&](std::uint8_t* to, std::size_t n) {
    const ssize_t got = std::max<ssize_t>(0, ::pread(file.descriptor(), to, n, at));
    at += got;
    return static_cast<std::size_t>(got);
  });
}

struct Mapping {
  int flags = 0;           // of mmap, beside MAP_PRIVATE
  int advice = 0;          // of madvise; 0: none
  std::size_t ahead = 0;   // bytes prefetched ahead; 0: none
  std::size_t window = 0;  // bytes mapped at a time; 0: all
};

Walk by_mapping(const File& file, const Mapping& how) {
  const std::size_t window = how.window == 0 ? file.size() : how.window;
  Walk walk;
  std::size_t at = kFileHeader;
  while (at < file.size()) {
    const std::size_t from = at / 4096 * 4096;
    const std::size_t length = std::min(window, file.size() - from);
    void* area = ::mmap(nullptr, length, PROT_READ, MAP_PRIVATE | how.flags, file.descriptor(), static_cast<off_t>(from));
    if (area == MAP_FAILED) throw std::runtime_error("the file cannot be mapped");
    if (how.advice != 0) ::madvise(area, length, how.advice);
    const auto* base = static_cast<const std::uint8_t*>(area);
    const std::uint8_t* end = walk.over(base + (at - from), base + length, how.ahead);
    ::munmap(area, length);
    const std::size_t next = from + static_cast<std::size_t>(end - base);
    if (next == at) break;
    at = next;
  }
  return walk;
}

#ifdef FINWAIT_BENCH_URING
/// Four reads under way, into buffers the kernel knows.
class Uring {
 public:
  Uring(const File& file, std::size_t capacity) : file_(file), capacity_(capacity), memory_(kDepth * (kFront + capacity)) {
    if (io_uring_queue_init(kDepth, &ring_, 0) != 0) throw std::runtime_error("io_uring is not permitted here");
    std::array<iovec, kDepth> buffers{};
    for (unsigned i = 0; i != kDepth; ++i) buffers[i] = {buffer(i), capacity_};
    if (io_uring_register_buffers(&ring_, buffers.data(), kDepth) != 0) throw std::runtime_error("the buffers cannot be registered");
    for (unsigned i = 0; i != kDepth; ++i) ask(i);
  }
  Uring(const Uring&) = delete;
  Uring& operator=(const Uring&) = delete;
  ~Uring() { io_uring_queue_exit(&ring_); }

  Walk walk() {
    Walk walk;
    std::vector<std::uint8_t> rest;
    unsigned i = 0;
    for (std::size_t done = 0; done < file_.size(); i = (i + 1) % kDepth) {
      const std::size_t n = wait(i);
      std::uint8_t* const from = buffer(i) - rest.size();
      std::copy(rest.begin(), rest.end(), from);
      const std::uint8_t* const end = buffer(i) + n;
      rest.assign(walk.over(from + (done == 0 ? kFileHeader : 0), end), end);
      done += n;
      ask(i);
    }
    return walk;
  }

 private:
  static constexpr unsigned kDepth = 4;

  std::uint8_t* buffer(unsigned i) { return memory_.data() + i * (kFront + capacity_) + kFront; }
  void ask(unsigned i) {
    if (asked_ >= file_.size()) return;
    io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
    const std::size_t n = std::min(capacity_, file_.size() - asked_);
    io_uring_prep_read_fixed(sqe, file_.descriptor(), buffer(i), static_cast<unsigned>(n), asked_, static_cast<int>(i));
    io_uring_sqe_set_data64(sqe, i);
    io_uring_submit(&ring_);
    asked_ += n;
  }
  std::size_t wait(unsigned i) {
    while (got_[i] == 0) {
      io_uring_cqe* cqe = nullptr;
      if (io_uring_wait_cqe(&ring_, &cqe) != 0 || cqe->res <= 0) throw std::runtime_error("a read failed");
      got_[static_cast<std::size_t>(io_uring_cqe_get_data64(cqe))] = static_cast<std::size_t>(cqe->res);
      io_uring_cqe_seen(&ring_, cqe);
    }
    return std::exchange(got_[i], 0);
  }

  const File& file_;
  std::size_t capacity_;
  std::vector<std::uint8_t> memory_;
  io_uring ring_{};
  std::size_t asked_ = 0;
  std::array<std::size_t, kDepth> got_{};
};
#endif

/// The reader that is in the program, a batch at a time.
Walk by_finwait() {
  const auto source = finwait::capture::open_file(pcap_path());
  std::vector<Frame> batch(512);
  Walk walk;
  while (const std::size_t n = source->read(batch)) {
    for (std::size_t i = 0; i != n; ++i) walk.touch(batch[i].data);
  }
  return walk;
}

template <class Way>
void measure(const std::string& name, Way&& way) {
  benchmark::RegisterBenchmark(name.c_str(), [way](benchmark::State& state) {
    const File file(pcap_path());
    const Walk expected = by_finwait();
    if (way(file) != expected) return state.SkipWithError("other records than the program's reader finds");
    for (auto _ : state) benchmark::DoNotOptimize(way(file));
    const auto records = static_cast<double>(state.iterations()) * static_cast<double>(expected.records);
    state.counters["each"] = benchmark::Counter(records, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(file.size()));
  })->Unit(benchmark::kMillisecond);
}

void add_benchmarks() {
  measure("finwait", [](const File&) { return by_finwait(); });
  for (const std::size_t kib : {64U, 128U, 256U, 512U, 1024U}) {
    measure("read/" + std::to_string(kib) + "K", [kib](const File& file) { return by_read(file, kib * kKiB); });
  }
  measure("pread/256K", [](const File& file) { return by_pread(file, 256 * kKiB); });
  measure("mmap", [](const File& file) { return by_mapping(file, {}); });
  measure("mmap/prefetch", [](const File& file) { return by_mapping(file, {.ahead = 1024}); });
  measure("mmap/sequential", [](const File& file) { return by_mapping(file, {.advice = MADV_SEQUENTIAL}); });
  measure("mmap/huge", [](const File& file) { return by_mapping(file, {.advice = MADV_HUGEPAGE}); });
  measure("mmap/populate", [](const File& file) { return by_mapping(file, {.flags = MAP_POPULATE}); });
  measure("mmap/populate/prefetch", [](const File& file) { return by_mapping(file, {.flags = MAP_POPULATE, .ahead = 1024}); });
  measure("mmap/populate/2M", [](const File& file) { return by_mapping(file, {.flags = MAP_POPULATE, .window = 2 * kMiB}); });
  measure("mmap/populate/16M", [](const File& file) { return by_mapping(file, {.flags = MAP_POPULATE, .window = 16 * kMiB}); });
#ifdef FINWAIT_BENCH_URING
  for (const std::size_t kib : {64U, 256U}) {
    measure("io_uring/" + std::to_string(kib) + "K", [kib](const File& file) { return Uring(file, kib * kKiB).walk(); });
  }
#endif
}

}  // namespace

int main(int argc, char** argv) { return finwait::bench::run(argc, argv, add_benchmarks); }
