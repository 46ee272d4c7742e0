// The short cut for common frames says what the walk down the headers says, or nothing.
#include "finwait/wire/common_frame.h"

#include <gtest/gtest.h>

#include <random>

#include "../../src/wire/walk.h"
#include "wire/frames.h"

namespace finwait::wire {
namespace {

using namespace frames;

const Bytes kTimestamps = {1, 1, 8, 10, 0, 0, 0, 7, 0, 0, 0, 9};
const Bytes kSynOptions = {2, 4, 5, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 3, 3, 7};
const Bytes kSynWithoutTimestamps = {2, 4, 5, 0xb4, 1, 3, 3, 7, 1, 1, 4, 2};

struct Sample {
  const char* name;
  Bytes bytes;
};

std::vector<Sample> common_frames() {
  const Bytes odd_payload = {1, 2, 3};
  return {
      {"bare ACK", ethernet(0x0800, ip4(6, tcp({.flags = tcp_flag::kAck, .payload = {}})))},
      {"data", ethernet4()},
      {"data with timestamps", ethernet(0x0800, ip4(6, tcp({.options = kTimestamps})))},
      {"SYN", ethernet(0x0800, ip4(6, tcp({.flags = tcp_flag::kSyn, .options = kSynOptions, .payload = {}})))},
      {"SYN without timestamps", ethernet(0x0800, ip4(6, tcp({.flags = tcp_flag::kSyn, .options = kSynWithoutTimestamps, .payload = {}})))},
      {"an odd number of bytes", ethernet(0x0800, ip4(6, tcp({.options = kTimestamps, .payload = odd_payload})))},
      {"padding of the link", ethernet(0x0800, ip4(6, tcp({.flags = tcp_flag::kFin | tcp_flag::kAck, .payload = {}})) + zeros(6))},
      {"a VLAN tag", ethernet(0x8100, vlan(7, 0x0800, ip4()))},
      {"from server to client", ethernet(0x0800, ip4(6, tcp({.source_port = 80, .destination_port = 40000})))},
      {"IPv6", ethernet(0x86dd, ip6())},
      {"IPv6, timestamps", ethernet(0x86dd, ip6(6, tcp({.options = kTimestamps}, kClient6, kServer6)))},
      {"IPv6, a VLAN tag", ethernet(0x8100, vlan(9, 0x86dd, ip6()))},
  };
}

Fate walk_frame(const FrameView& frame, const DecodeOptions& options, Segment& out) {
  Walk walk;
  begin_walk(frame, options, walk);
  return walk_on(walk, out);
}

void expect_same(const Segment& a, const Segment& b) {
  EXPECT_EQ(a.key, b.key);
  EXPECT_EQ(a.direction, b.direction);
  EXPECT_EQ(a.seq, b.seq);
  EXPECT_EQ(a.ack, b.ack);
  EXPECT_EQ(a.payload_length, b.payload_length);
  EXPECT_EQ(a.ip_length, b.ip_length);
  EXPECT_EQ(a.ts_val, b.ts_val);
  EXPECT_EQ(a.ts_ecr, b.ts_ecr);
  EXPECT_EQ(a.sack_left, b.sack_left);
  EXPECT_EQ(a.sack_right, b.sack_right);
  EXPECT_EQ(a.encapsulation, b.encapsulation);
  EXPECT_EQ(a.window, b.window);
  EXPECT_EQ(a.ip_id, b.ip_id);
  EXPECT_EQ(a.flags, b.flags);
  EXPECT_EQ(a.mss, b.mss);
  EXPECT_EQ(a.present, b.present);
  EXPECT_EQ(a.payload_sum, b.payload_sum);
  EXPECT_EQ(a.window_scale, b.window_scale);
  EXPECT_EQ(a.ttl, b.ttl);
}

/// True if the short cut took it.
bool compare(const FrameView& frame, Checksums checksums) {
  Segment short_cut;
  const DecodeOptions options{checksums};
  if (!decode_common(frame, options, short_cut)) return false;
  Segment walked;
  EXPECT_EQ(walk_frame(frame, options, walked), Fate::kTcp);
  expect_same(short_cut, walked);
  return true;
}

constexpr Checksums kAll[] = {Checksums::kCount, Checksums::kVerify, Checksums::kIgnore};

TEST(CommonFrame, TakesWhatIsCommon) {
  for (const Sample& sample : common_frames()) {
    for (const Checksums checksums : kAll) {
      SCOPED_TRACE(sample.name);
      const auto size = static_cast<std::uint32_t>(sample.bytes.size());
      EXPECT_TRUE(compare({sample.bytes.data(), size, size, 1}, checksums));
    }
  }
}

TEST(CommonFrame, TakesWhatTheSnapLengthCutBehindTheHeaders) {
  const Bytes bytes = ethernet(0x0800, ip4(6, tcp({.options = kTimestamps, .payload = zeros(400)})));
  for (const Checksums checksums : kAll) EXPECT_TRUE(compare({bytes.data(), 96, static_cast<std::uint32_t>(bytes.size()), 1}, checksums));
}

TEST(CommonFrame, LeavesTheRestToTheWalk) {
  const Bytes other_checksum = [] {
    Bytes bytes = ethernet4();
    bytes.back() ^= 1;
    return bytes;
  }();
  const std::vector<Sample> rest = {
      {"UDP", ethernet(0x0800, ip4(17, zeros(40)))},
      {"ARP", ethernet(0x0806, zeros(60))},
      {"a wrong checksum", other_checksum},
      {"two tags", ethernet(0x88a8, vlan(7, 0x8100, vlan(8, 0x0800, ip4())))},
      {"an extension header", ethernet(0x86dd, ip6(60, Bytes{6, 0, 1, 4, 0, 0, 0, 0} + tcp6()))},
  };
  for (const Sample& sample : rest) {
    SCOPED_TRACE(sample.name);
    const auto size = static_cast<std::uint32_t>(sample.bytes.size());
    EXPECT_FALSE(compare({sample.bytes.data(), size, size, 1}, Checksums::kCount));
  }
}

/// Among them those left to the device, and those that are the same number as such a one but other bits (0 and 0xffff).
TEST(CommonFrame, AnyChecksumIsSeenAsTheWalkSeesIt) {
  const Bytes zeros_only = ethernet(0x0800, ip4(6, tcp({.options = kTimestamps, .payload = zeros(8)})));
  for (Bytes bytes : {zeros_only, ethernet(0x0800, ip4(6, tcp({.payload = {}}))), ethernet(0x86dd, ip6())}) {
    const std::size_t checksum = 14 + (bytes[12] == 0x08 ? 20 : 40) + 16;
    const auto size = static_cast<std::uint32_t>(bytes.size());
    int taken = 0;
    for (std::uint32_t value = 0; value != 0x10000; ++value) {
      bytes[checksum] = static_cast<std::uint8_t>(value >> 8);
      bytes[checksum + 1] = static_cast<std::uint8_t>(value);
      for (const Checksums checksums : kAll) {
        taken += compare({bytes.data(), size, size, 1}, checksums);
        taken += compare({bytes.data(), size - 1, size, 1}, checksums);
      }
    }
    EXPECT_GT(taken, 0xffff);
  }
}

TEST(CommonFrame, AnyDamageIsSeenAsTheWalkSeesIt) {
  std::mt19937 random(3);
  const auto all = common_frames();
  int taken = 0;
  for (int round = 0; round < 300000; ++round) {
    Bytes bytes = all[random() % all.size()].bytes;
    for (unsigned changes = random() % 4; changes != 0; --changes) {
      bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random() % 3 == 0 ? 0 : random());
    }
    const std::size_t captured = random() % 4 == 0 ? random() % (bytes.size() + 1) : bytes.size();
    std::size_t length = random() % 8 == 0 ? captured + random() % 3000 : bytes.size();
    if (random() % 8 == 0) length = random() % (captured + 1);  // fewer than were captured: only a damaged capture says so
    const Bytes exact(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(captured));  // a byte beyond it is an error
    taken += compare({exact.data(), static_cast<std::uint32_t>(captured), static_cast<std::uint32_t>(length), 1}, kAll[random() % 3]);
  }
  EXPECT_GT(taken, 30000);
}

}  // namespace
}  // namespace finwait::wire
