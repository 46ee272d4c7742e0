// Any bytes of any length, as any link type, have a fate; no byte beyond the captured ones is read (run under AddressSanitizer).
#include <gtest/gtest.h>

#include <random>

#include "finwait/wire/reassembly.h"
#include "wire/frames.h"

namespace finwait::wire {
namespace {

using namespace frames;

const std::uint16_t kLinks[] = {0,   1,   8,   9,   10,  12,  50,  51,  100, 101, 104, 105, 107,  108, 109,
                                113, 117, 119, 122, 127, 129, 138, 163, 166, 192, 204, 205, 206,  219, 228,
                                229, 239, 240, 241, 242, 274, 276, 281, 282, 284, 285, 189, 65535};

/// Frames in which much is nested.
std::vector<std::pair<std::uint16_t, Bytes>> samples() {
  const Bytes options = {2, 4, 5, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 3, 3, 7, 34, 6, 1, 2, 3, 4, 1, 1};
  const Bytes segment = tcp({.options = options, .payload = zeros(40)});
  const Bytes vxlan = udp(4789, be(0x08000000, 4) + be(0x100, 4) + ethernet(0x0800, ip4(6, segment)));
  const Bytes extended =
      Bytes{43, 0, 1, 4, 0, 0, 0, 0} + Bytes{60, 2, 0, 1, 0, 0, 0, 0} + kServer6 + Bytes{6, 0, 1, 4, 0, 0, 0, 0} + tcp6();
  return {
      {1, ethernet(0x0800, ip4(6, segment))},
      {1, ethernet(0x8100, vlan(7, 0x88a8, vlan(8, 0x86dd, ip6(0, extended))))},
      {1, ethernet(0x0800, ip4(47, be(0x3000'88be, 4) + zeros(8) + zeros(8) + ethernet(0x0800, ip4(17, vxlan))))},
      {1, ethernet(0x8847, be(0x00010140, 4) + zeros(4) + ethernet4())},
      {1, ethernet(0x8864, Bytes{0x11, 0, 0, 1} + be(2 + ip4().size(), 2) + be(0x0021, 2) + ip4())},
      {127, Bytes{0, 0, 17, 0, 3, 0, 0, 0} + zeros(8) + Bytes{0x20, 0x88, 1} + zeros(26) + snap(0x0800, ip4())},
      {239, Bytes{2, 0, 0, 0} + le(6, 2) + le(10, 2) + zeros(4) + le(4 + ip4().size(), 2) + le(9, 2) + ip4()},
      {101, ip4(1, be(0x0304, 2) + zeros(6) + ip4())},
      {101, ip6(58, be(0x0200, 2) + zeros(6) + ip6())},
      {101, ip6(44, Bytes{6, 0, 0, 1} + zeros(4) + tcp({.payload = zeros(4)}))},
      {107, Bytes{0x18, 0x41, 3, 0, 0x80, 0, 0, 0} + be(0x0800, 2) + ip4()},
  };
}

TEST(AnyBytes, RandomOnesHaveAFate) {
  std::mt19937 random(1);
  for (int round = 0; round < 60000; ++round) {
    Bytes bytes(random() % (round % 16 == 0 ? 300 : 80));
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
    const std::uint16_t link = kLinks[static_cast<std::size_t>(round) % std::size(kLinks)];
    const std::size_t length = bytes.size() + (random() % 2 == 0 ? random() % 5000 : 0);
    EXPECT_LE(static_cast<int>(decode_frame(link, bytes, bytes.size(), length).fate), static_cast<int>(Fate::kMalformed));
  }
}

TEST(AnyBytes, DamagedFramesHaveAFate) {
  std::mt19937 random(2);
  const auto all = samples();
  Reassembler reassembler{{}};
  Segment segment;
  for (int round = 0; round < 100000; ++round) {
    auto [link, bytes] = all[static_cast<std::size_t>(round) % all.size()];
    for (unsigned changes = 1 + random() % 4; changes != 0; --changes) bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
    const std::size_t captured = random() % 4 == 0 ? random() % (bytes.size() + 1) : bytes.size();
    const Fate fate = decode_frame(link, bytes, captured, bytes.size()).fate;
    EXPECT_LE(static_cast<int>(fate), static_cast<int>(Fate::kMalformed));
    const std::unique_ptr<std::uint8_t[]> exact(new std::uint8_t[captured]);
    std::copy_n(bytes.begin(), captured, exact.get());
    const FrameView view{exact.get(), static_cast<std::uint32_t>(captured), static_cast<std::uint32_t>(bytes.size()), link};
    const Fate whole = decode(view, {}, reassembler, round, segment);
    if (fate != Fate::kFragment) {
      EXPECT_EQ(whole, fate);
    }
  }
}

/// The more is captured, the more is known: truncated at first, then what it is, and nothing else.
TEST(AnyBytes, ValidFramesCutAnywhereAreTruncatedOrWhatTheyAre) {
  for (const auto& [link, bytes] : samples()) {
    const Decoded whole = decode_frame(link, bytes);
    bool known = false;
    for (std::size_t captured = 0; captured <= bytes.size(); ++captured) {
      const Decoded cut = decode_frame(link, bytes, captured, bytes.size());
      if (cut.fate == Fate::kTruncated) {
        EXPECT_FALSE(known) << "link type " << link << ", " << captured << " bytes";
        continue;
      }
      // A pseudowire is recognised by what is in it: cut before that it is not IP.
      if (cut.fate == Fate::kNotIp && whole.segment.encapsulation.tunnels() == 1 && !known) continue;
      known = true;
      ASSERT_EQ(cut.fate, whole.fate) << "link type " << link << ", " << captured << " bytes";
      if (cut.fate == Fate::kTcp) {
        EXPECT_EQ(cut.segment.key, whole.segment.key);
        EXPECT_EQ(cut.segment.seq, whole.segment.seq);
        EXPECT_EQ(cut.segment.payload_length, whole.segment.payload_length);
      }
    }
    EXPECT_TRUE(known);
  }
}

TEST(AnyBytes, ALengthBelowTheCapturedOneIsNotReliedOn) {
  Bytes bytes = ethernet4();
  EXPECT_EQ(decode_frame(1, bytes, bytes.size(), 0).segment.payload_length, 5U);
  put16(bytes, 16, 0);
  EXPECT_EQ(decode_frame(1, bytes, bytes.size(), 60000).segment.payload_length, 60000U - 54);
  EXPECT_EQ(decode_frame(1, bytes, bytes.size(), 30).segment.ip_length, 45U);
}

}  // namespace
}  // namespace finwait::wire
