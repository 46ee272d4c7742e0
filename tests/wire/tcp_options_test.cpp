// TCP options as they stand in a header, and what a segment says of them.
#include <gtest/gtest.h>

#include <array>
#include <random>

#include "wire/frames.h"

namespace finwait::wire {
namespace {

using namespace frames;

Segment with(const Bytes& options) {
  const Decoded decoded = decode_frame(101, ip4(6, tcp({.options = options, .payload = {}})));
  EXPECT_EQ(decoded.fate, Fate::kTcp);
  return decoded.segment;
}
std::uint16_t options_of(const Segment& segment) { return static_cast<std::uint16_t>(segment.present & ~present::kPayloadSum); }

TEST(TcpOptions, ASynOfLinux) {
  const Segment s = with({2, 4, 0x05, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7});
  EXPECT_EQ(options_of(s), present::kMss | present::kSackPermitted | present::kTimestamps | present::kWindowScale);
  EXPECT_EQ(s.mss, 1460);
  EXPECT_EQ(s.ts_val, 0x01020304U);
  EXPECT_EQ(s.ts_ecr, 0U);
  EXPECT_EQ(s.window_scale, 7);
}

TEST(TcpOptions, ASynOfWindows) {
  const Segment s = with({2, 4, 0x05, 0xb4, 1, 3, 3, 8, 1, 1, 4, 2});
  EXPECT_EQ(options_of(s), present::kMss | present::kSackPermitted | present::kWindowScale);
  EXPECT_EQ(s.mss, 1460);
  EXPECT_EQ(s.window_scale, 8);
}

/// Behind four NOPs they are read one by one.
TEST(TcpOptions, WhatIsReadAtOnceIsReadAsOneByOne) {
  const std::array<Bytes, 2> usual{Bytes{2, 4, 0x05, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 3, 3, 7},
                                   Bytes{2, 4, 0x05, 0xb4, 1, 3, 3, 8, 1, 1, 4, 2}};
  for (const Bytes& block : usual) {
    for (std::size_t at = 0; at != block.size(); ++at) {
      for (unsigned value = 0; value != 256; ++value) {
        Bytes options = block;
        options[at] = static_cast<std::uint8_t>(value);
        const Segment at_once = with(options);
        options.insert(options.begin(), 4, 1);
        const Segment one_by_one = with(options);
        ASSERT_EQ(at_once.present, one_by_one.present) << value << " at " << at;
        ASSERT_EQ(at_once.mss, one_by_one.mss) << value << " at " << at;
        ASSERT_EQ(at_once.window_scale, one_by_one.window_scale) << value << " at " << at;
        ASSERT_EQ(at_once.ts_val, one_by_one.ts_val) << value << " at " << at;
        ASSERT_EQ(at_once.ts_ecr, one_by_one.ts_ecr) << value << " at " << at;
      }
    }
  }
}

TEST(TcpOptions, AlignedTimestampsAlone) {
  const Segment s = with({1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8});
  EXPECT_EQ(options_of(s), present::kTimestamps);
  EXPECT_EQ(s.ts_val, 0x01020304U);
  EXPECT_EQ(s.ts_ecr, 0x05060708U);
}

TEST(TcpOptions, TheFirstSackBlock) {
  const Segment s = with({1, 1, 5, 18, 0, 0, 0, 10, 0, 0, 0, 20, 0, 0, 0, 30, 0, 0, 0, 40});
  EXPECT_EQ(options_of(s), present::kSack);
  EXPECT_EQ(s.sack_left, 10U);
  EXPECT_EQ(s.sack_right, 20U);
}

/// What most systems send is read in words of four bytes, up to the first that is something else: then option by option.
TEST(TcpOptions, InWordsAsOneByOne) {
  const std::vector<Bytes> words = {{2, 4, 5, 0xb4},
                                    {1, 3, 3, 7},
                                    {1, 1, 4, 2},
                                    {4, 2, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8},
                                    {1, 1, 8, 10, 9, 8, 7, 6, 5, 4, 3, 2},
                                    {1, 1, 1, 1},
                                    {2, 4, 2, 0x18},
                                    {3, 3, 14, 1},
                                    {4, 2, 1, 1},
                                    {30, 4, 0, 1},
                                    {1, 1, 5, 10, 0, 0, 0, 1, 0, 0, 0, 2},
                                    {8, 10, 1, 1},
                                    {4, 2, 8, 10},
                                    {0, 0, 0, 0},
                                    {2, 3, 1, 1}};
  std::mt19937 random(4);
  for (int round = 0; round != 20'000; ++round) {
    Bytes options;
    while (options.size() < 36 && random() % 5 != 0) options = options + words[random() % words.size()];
    if (options.size() > 36) options.resize(36);
    const Segment in_words = with(options);
    const Segment one_by_one = with(Bytes{1, 1, 1, 1} + options);
    ASSERT_EQ(in_words.present, one_by_one.present);
    ASSERT_EQ(in_words.mss, one_by_one.mss);
    ASSERT_EQ(in_words.window_scale, one_by_one.window_scale);
    ASSERT_EQ(in_words.ts_val, one_by_one.ts_val);
    ASSERT_EQ(in_words.ts_ecr, one_by_one.ts_ecr);
    ASSERT_EQ(in_words.sack_left, one_by_one.sack_left);
    ASSERT_EQ(in_words.sack_right, one_by_one.sack_right);
  }
}

struct Row {
  const char* what;
  Bytes options;
  std::uint16_t present;
};

TEST(TcpOptions, WhatEachIsNotedAs) {
  const Row rows[] = {
      {"none", {}, 0},
      {"only padding", {1, 1, 1, 0}, 0},
      {"nothing counts after the end", {0, 2, 4, 5}, 0},
      {"an unknown option", {77, 4, 1, 2}, 0},
      {"fast open, a request", {34, 2, 1, 1}, present::kFastOpen},
      {"fast open, a cookie", {34, 6, 1, 2, 3, 4, 1, 1}, present::kFastOpen | present::kFastOpenCookie},
      {"fast open, experimental request", {254, 4, 0xf9, 0x89}, present::kFastOpen},
      {"fast open, experimental cookie", {254, 8, 0xf9, 0x89, 1, 2, 3, 4}, present::kFastOpen | present::kFastOpenCookie},
      {"another experiment", {254, 4, 0xe2, 0xd4}, 0},
      {"multipath", {30, 12, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8}, present::kMptcp},
      {"MD5", Bytes{19, 18} + zeros(16) + Bytes{1, 1}, present::kSigned},
      {"AO", Bytes{29, 16} + zeros(14), present::kSigned},
  };
  for (const Row& row : rows) EXPECT_EQ(options_of(with(row.options)), row.present) << row.what;
}

TEST(TcpOptions, LengthsThatCannotBeEndTheReadingAndNothingBefore) {
  const Row rows[] = {
      {"length 0", {3, 3, 7, 8, 0, 0, 0, 0}, present::kWindowScale},
      {"length 1", {3, 3, 7, 8, 1, 0, 0, 0}, present::kWindowScale},
      {"beyond the header", {3, 3, 7, 8, 10, 0, 0, 0}, present::kWindowScale},
      {"no length at all", {3, 3, 7, 8}, present::kWindowScale},
      {"MSS of five bytes", {3, 3, 7, 2, 5, 5, 5, 5}, present::kWindowScale},
      {"SACK of half a block", {3, 3, 7, 5, 6, 0, 0, 0, 0, 1, 1, 1}, present::kWindowScale},
      {"timestamps of nine bytes", {8, 9, 1, 2, 3, 4, 5, 6, 7, 0, 0, 0}, 0},
      {"window scale of two bytes", {3, 2, 1, 1}, 0},
      {"SACK permitted of three bytes", {4, 3, 1, 1}, 0},
      {"MD5 of four bytes", {19, 4, 1, 1}, 0},
  };
  for (const Row& row : rows) EXPECT_EQ(options_of(with(row.options)), row.present | present::kOptionsMalformed) << row.what;
}

TEST(TcpOptions, TheLastOfTwoCounts) { EXPECT_EQ(with({2, 4, 0, 1, 2, 4, 0, 2}).mss, 2); }

TEST(TcpOptions, WhatTheSnapLengthCutIsNotMalformed) {
  const Bytes packet = ip4(6, tcp({.options = {2, 4, 5, 0xb4, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1}}));
  for (std::size_t kept = 40; kept < 56; ++kept) {
    const Decoded decoded = decode_frame(101, packet, kept, packet.size());
    ASSERT_EQ(decoded.fate, Fate::kTcp);
    const auto expected =
        static_cast<std::uint16_t>(present::kOptionsCut | (kept >= 44 ? present::kMss : 0) | (kept >= 54 ? present::kTimestamps : 0));
    EXPECT_EQ(decoded.segment.present, expected) << kept;
  }
  EXPECT_FALSE(decode_frame(101, packet, 56, packet.size()).segment.has(present::kOptionsCut));
}

}  // namespace
}  // namespace finwait::wire
