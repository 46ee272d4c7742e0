#include "finwait/capture/pcapng_blocks.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace finwait::capture {
namespace {

/// A section, an interface, two packets; where each block ends.
struct Bytes {
  std::string all;
  std::vector<std::size_t> ends;

  Bytes() {
    const std::array<std::uint8_t, 5> data{1, 2, 3, 4, 5};
    const Frame frame{data.data(), 5, 5, 7, 1, 0};
    const auto note = [this] { ends.push_back(all.size()); };
    append_section(all), note();
    append_interface(all, 1, 65535, "eth0"), note();
    append_packet(all, 0, frame, 65535, "odd"), note();
    append_packet(all, 0, frame, 65535), note();
  }
};

TEST(PcapngBlocks, WholeOnesEndWhereABlockEnds) {
  const Bytes bytes;
  std::size_t expected = 0;
  for (std::size_t most = 0; most <= bytes.all.size(); ++most) {
    for (const std::size_t end : bytes.ends)
      if (end <= most) expected = end;
    EXPECT_EQ(whole_blocks(bytes.all, most), expected) << most;
  }
}

TEST(PcapngBlocks, OnlyPacketsAreCountedAndOnlyWholeOnes) {
  const Bytes bytes;
  EXPECT_EQ(count_packets(bytes.all), 2U);
  EXPECT_EQ(count_packets(std::string_view(bytes.all).substr(0, bytes.all.size() - 1)), 1U);
  EXPECT_EQ(count_packets(""), 0U);
}

TEST(PcapngBlocks, WhereNoBlockCanBeEverythingIsWhole) {
  const std::string zeros(40, '\0');
  EXPECT_EQ(whole_blocks(zeros, zeros.size()), zeros.size());
  EXPECT_EQ(count_packets(zeros), 0U);
}

TEST(PcapngBlocks, AreMultiplesOfFourBytesThatTellTheirLengthTwice) {
  const Bytes bytes;
  std::size_t begin = 0;
  for (const std::size_t end : bytes.ends) {
    EXPECT_EQ((end - begin) % 4, 0U);
    EXPECT_EQ(bytes.all.substr(begin + 4, 4), bytes.all.substr(end - 4, 4));
    begin = end;
  }
}

}  // namespace
}  // namespace finwait::capture
