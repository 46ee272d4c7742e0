// Capture files built by hand for the tests, and their frames copied out to compare.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "finwait/capture/byte_provider.h"
#include "finwait/capture/byte_window.h"
#include "finwait/capture/error.h"
#include "finwait/capture/open_capture.h"
#include "finwait/capture/source.h"

namespace finwait::capture::testing {

using Bytes = std::vector<std::uint8_t>;

enum class Order : bool { kLittle, kBig };

/// Appends integers of one byte order.
class Builder {
 public:
  explicit Builder(Order order = Order::kLittle) : order_(order) {}

  Builder& u8(unsigned value) {
    bytes.push_back(static_cast<std::uint8_t>(value));
    return *this;
  }
  Builder& u16(unsigned value) { return integer(value, 2); }
  Builder& u32(std::uint32_t value) { return integer(value, 4); }
  Builder& u64(std::uint64_t value) { return integer(value, 8); }
  Builder& raw(const Bytes& more) {
    bytes.insert(bytes.end(), more.begin(), more.end());
    return *this;
  }
  Builder& pad() {
    while (bytes.size() % 4 != 0) bytes.push_back(0);
    return *this;
  }

  [[nodiscard]] Order order() const { return order_; }

  Bytes bytes;

 private:
  Builder& integer(std::uint64_t value, unsigned width) {
    for (unsigned i = 0; i < width; ++i) {
      const unsigned shift = 8 * (order_ == Order::kLittle ? i : width - 1 - i);
      bytes.push_back(static_cast<std::uint8_t>(value >> shift));
    }
    return *this;
  }

  Order order_;
};

/// `length` bytes that differ from place to place.
inline Bytes payload(std::size_t length, unsigned seed = 0) {
  Bytes bytes;
  bytes.reserve(length);
  for (std::size_t i = 0; i < length; ++i) bytes.push_back(static_cast<std::uint8_t>(i * 7 + seed));
  return bytes;
}

/// Hands out memory at most `step` bytes a call, as a slow pipe would.
class MemoryProvider final : public ByteProvider {
 public:
  explicit MemoryProvider(Bytes bytes, std::size_t step = SIZE_MAX, std::string error = {})
      : bytes_(std::move(bytes)), step_(step), error_(std::move(error)) {}
  std::size_t read(std::span<std::uint8_t> into) override {
    const std::size_t count = std::min({into.size(), bytes_.size() - at_, step_});
    std::copy_n(bytes_.data() + at_, count, into.data());
    at_ += count;
    return count;
  }
  std::string error() const override { return at_ == bytes_.size() ? error_ : std::string{}; }

 private:
  Bytes bytes_;
  std::size_t at_ = 0;
  std::size_t step_;
  std::string error_;
};

/// A frame with its bytes.
struct Seen {
  base::Timestamp time = 0;
  std::uint32_t length = 0;
  std::uint16_t link_type = 0;
  std::uint32_t interface = 0;
  Bytes bytes;
  bool operator==(const Seen&) const = default;
};

struct Outcome {
  std::vector<Seen> frames;
  bool refused = false;  // by an exception at opening; `what` is its text
  bool damaged = false;
  std::string what;
  bool operator==(const Outcome&) const = default;
};

/// How a failed comparison shows it.
inline void PrintTo(const Outcome& outcome, std::ostream* out) {
  *out << outcome.frames.size() << " frames, refused " << outcome.refused << ", damaged " << outcome.damaged << ", \"" << outcome.what
       << '"';
}

inline void read_to_end(Source& source, std::size_t batch_size, Outcome& outcome) {
  std::vector<Frame> batch(batch_size);
  while (const std::size_t count = source.read(batch)) {
    for (const Frame& frame : std::span(batch).first(count)) {
      outcome.frames.push_back(
          {frame.time, frame.length, frame.link_type, frame.interface, Bytes(frame.data, frame.data + frame.captured)});
    }
  }
  outcome.damaged = source.status().damaged;
  outcome.what = source.status().what;
}

inline Outcome read_window(ByteWindow window, std::size_t batch_size) {
  Outcome outcome;
  try {
    read_to_end(*open_capture(std::move(window), "test.cap"), batch_size, outcome);
  } catch (const CaptureError& error) {
    outcome.refused = true;
    outcome.what = error.what();
  }
  return outcome;
}

/// Through a buffer that begins at `capacity` bytes.
inline Outcome read_bytes(const Bytes& bytes, std::size_t capacity = 4096, std::size_t batch_size = 64, std::size_t step = SIZE_MAX) {
  return read_window(ByteWindow(std::make_unique<MemoryProvider>(bytes, step), capacity), batch_size);
}

/// In place.
inline Outcome read_memory(const Bytes& bytes, std::size_t batch_size = 64) { return read_window(ByteWindow(bytes), batch_size); }

/// A directory of its own, removed at the end.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "finwait-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }
  std::string write(const std::string& name, const Bytes& bytes) const {
    std::ofstream(file(name), std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    return file(name);
  }

 private:
  std::filesystem::path path_;
};

/// What opening or doing something says when it throws; empty if it does not.
template <typename Action>
std::string error_of(Action action) {
  try {
    action();
  } catch (const CaptureError& error) {
    return error.what();
  }
  return {};
}

/// A classic pcap file.
struct PcapFile {
  Builder out;
  std::size_t record_header = 16;
  std::vector<std::size_t> boundaries;  // offsets at which a cut is no damage
  std::vector<Seen> frames;
  std::uint32_t tick = 1000;

  PcapFile(Order order, std::uint32_t magic, std::uint16_t link_type = 1, std::uint32_t snapshot = 262144, unsigned minor = 4)
      : out(order) {
    out.u32(magic).u16(2).u16(minor).u32(0).u32(0).u32(snapshot).u32(link_type);
    if (magic == 0xa1b2cd34) record_header = 24;
    if (magic == 0xa1b23c4d) tick = 1;
    if (magic == 0x1c0001ac || magic == 0x1c0001ab) out.u32(0);
    boundaries.push_back(out.bytes.size());
    link_type_ = link_type;
  }

  PcapFile& add(std::uint32_t seconds, std::uint32_t fraction, const Bytes& bytes, std::uint32_t length) {
    out.u32(seconds).u32(fraction).u32(static_cast<std::uint32_t>(bytes.size())).u32(length);
    if (record_header == 24) out.u32(1).u16(0x800).u8(0).u8(0);
    out.raw(bytes);
    boundaries.push_back(out.bytes.size());
    frames.push_back({seconds * base::kSecond + base::Timestamp{fraction} * tick, length, link_type_, 0, bytes});
    return *this;
  }

 private:
  std::uint16_t link_type_ = 0;
};

/// A pcapng file.
struct PcapngFile {
  Builder out;
  std::vector<std::size_t> boundaries;

  explicit PcapngFile(Order order = Order::kLittle) : out(order) {}

  PcapngFile& block(std::uint32_t type, const Bytes& body) {
    Bytes padded = body;
    while (padded.size() % 4 != 0) padded.push_back(0);
    const auto total = static_cast<std::uint32_t>(padded.size() + 12);
    out.u32(type).u32(total).raw(padded).u32(total);
    boundaries.push_back(out.bytes.size());
    return *this;
  }
  PcapngFile& section(unsigned major = 1, unsigned minor = 0) {
    return block(0x0a0d0d0a, Builder(out.order()).u32(0x1a2b3c4d).u16(major).u16(minor).u64(~std::uint64_t{0}).bytes);
  }
  PcapngFile& interface(std::uint16_t link_type, std::uint32_t snapshot = 0, const Bytes& options = {}) {
    return block(1, Builder(out.order()).u16(link_type).u16(0).u32(snapshot).raw(options).bytes);
  }
  PcapngFile& enhanced(std::uint32_t id, std::uint64_t ticks, const Bytes& bytes, std::uint32_t length, const Bytes& options = {}) {
    Builder body(out.order());
    body.u32(id).u32(static_cast<std::uint32_t>(ticks >> 32U)).u32(static_cast<std::uint32_t>(ticks));
    return block(6, body.u32(static_cast<std::uint32_t>(bytes.size())).u32(length).raw(bytes).pad().raw(options).bytes);
  }
  PcapngFile& obsolete(unsigned id, unsigned drops, std::uint64_t ticks, const Bytes& bytes, std::uint32_t length) {
    Builder body(out.order());
    body.u16(id).u16(drops).u32(static_cast<std::uint32_t>(ticks >> 32U)).u32(static_cast<std::uint32_t>(ticks));
    return block(2, body.u32(static_cast<std::uint32_t>(bytes.size())).u32(length).raw(bytes).bytes);
  }
  PcapngFile& simple(const Bytes& bytes, std::uint32_t length) { return block(3, Builder(out.order()).u32(length).raw(bytes).bytes); }

  [[nodiscard]] Bytes option(unsigned code, const Bytes& value) const {
    return Builder(out.order()).u16(code).u16(static_cast<unsigned>(value.size())).raw(value).pad().bytes;
  }
  [[nodiscard]] Bytes option64(unsigned code, std::uint64_t value) const { return option(code, Builder(out.order()).u64(value).bytes); }

  /// Goes on in the other byte order.
  PcapngFile& other_order() {
    Builder other(out.order() == Order::kLittle ? Order::kBig : Order::kLittle);
    other.bytes = std::move(out.bytes);
    out = std::move(other);
    return *this;
  }
};

inline Bytes joined(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

}  // namespace finwait::capture::testing
