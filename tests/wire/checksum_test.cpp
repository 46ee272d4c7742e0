#include "finwait/wire/checksum.h"

#include <gtest/gtest.h>

#include <vector>

namespace finwait::wire {
namespace {

using Bytes = std::vector<std::uint8_t>;

std::uint16_t sum_of(const Bytes& bytes) {
  OnesSum sum;
  sum.add(bytes.data(), bytes.size());
  return sum.folded();
}

/// RFC 1071, 4.1, as it stands there.
std::uint16_t reference(const Bytes& bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 2)
    sum += static_cast<std::uint32_t>(bytes[i] << 8) + (i + 1 < bytes.size() ? bytes[i + 1] : 0U);
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

TEST(OnesSum, TheExampleOfRfc1071) { EXPECT_EQ(sum_of({0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7}), 0xddf2); }

TEST(OnesSum, EveryLengthAndAlignment) {
  Bytes bytes;
  for (std::size_t size = 0; size < 200; ++size) {
    EXPECT_EQ(sum_of(bytes), reference(bytes)) << size;
    for (std::size_t skip = 0; skip < 8 && skip <= size; ++skip) {
      OnesSum sum;
      sum.add(bytes.data() + skip, size - skip);
      EXPECT_EQ(sum.folded(), reference(Bytes(bytes.begin() + static_cast<std::ptrdiff_t>(skip), bytes.end())));
    }
    bytes.push_back(static_cast<std::uint8_t>(size * 193 + 7));
  }
}

TEST(OnesSum, CarriesAreNotLost) {
  EXPECT_EQ(sum_of(Bytes(70000, 0xff)), 0xffff);
  EXPECT_EQ(sum_of(Bytes(70000, 0)), 0);
}

TEST(OnesSum, NumbersAndBytesAreTheSame) {
  OnesSum numbers;
  numbers.add(std::uint16_t{0x1234});
  numbers.add_long(0x00fe'dcba);
  EXPECT_EQ(numbers.folded(), sum_of({0x12, 0x34, 0x00, 0xfe, 0xdc, 0xba}));
}

TEST(OnesSum, OneNormalFormOfZero) {
  EXPECT_EQ(normal_sum(0xffff), 0);
  EXPECT_EQ(normal_sum(0), 0);
  EXPECT_EQ(normal_sum(0xfffe), 0xfffe);
}

}  // namespace
}  // namespace finwait::wire
