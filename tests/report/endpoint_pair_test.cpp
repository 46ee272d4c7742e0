#include "finwait/report/endpoint_pair.h"

#include <gtest/gtest.h>

#include <random>
#include <tuple>

namespace finwait::report {
namespace {

/// Few differ in their first bytes.
EndpointPair any_pair(std::mt19937& random) {
  EndpointPair pair;
  for (std::uint8_t* byte : {&pair.from.bytes[0], &pair.from.bytes[7], &pair.from.bytes[8], &pair.from.bytes[15], &pair.to.bytes[3],
                             &pair.to.bytes[8], &pair.to.bytes[14], &pair.to.bytes[15]}) {
    if (random() % 4 == 0) *byte = static_cast<std::uint8_t>(random() % 2 == 0 ? 0xff : 1);
  }
  pair.port = static_cast<std::uint16_t>(random() % 3 << 7);
  pair.ip_version = random() % 2 == 0 ? 4 : 6;
  return pair;
}

TEST(EndpointPair, IsOrderedByItsBytesThenByPortAndVersion) {
  std::mt19937 random(1);
  for (int n = 0; n != 50'000; ++n) {
    const EndpointPair a = any_pair(random);
    const EndpointPair b = any_pair(random);
    const auto fields = [](const EndpointPair& p) { return std::tie(p.from.bytes, p.to.bytes, p.port, p.ip_version); };
    ASSERT_EQ(a <=> b, fields(a) <=> fields(b)) << n;
    ASSERT_EQ(a == b, fields(a) == fields(b)) << n;
  }
}

TEST(EndpointPair, IsWhatItsWordsSayAndWhatTheKeyOfAConnectionSays) {
  std::mt19937 random(2);
  for (int n = 0; n != 1'000; ++n) {
    const EndpointPair pair = any_pair(random);
    EXPECT_EQ(EndpointPair::of(pair.words()), pair);
    wire::FlowKey key;
    key.low = pair.from;
    key.high = pair.to;
    key.low_port = static_cast<std::uint16_t>(random());
    key.high_port = pair.port;
    key.network = random() % 2 == 0 ? wire::FlowKey::kIpv6 : 0;
    for (const unsigned originator : {0U, 1U}) EXPECT_EQ(EndpointPair::of(pair_words_of(key, originator)), pair_of(key, originator));
  }
}

}  // namespace
}  // namespace finwait::report
