#include "finwait/report/anomaly_groups.h"

#include <gtest/gtest.h>

namespace finwait::report {
namespace {

using K = tcp::AnomalyKind;

/// From a numbered host to 192.0.2.1:443.
tcp::Brief connection(std::uint32_t host, std::uint64_t id) {
  tcp::Brief c{};
  const std::array<std::uint8_t, 4> low{10, static_cast<std::uint8_t>(host >> 16), static_cast<std::uint8_t>(host >> 8),
                                        static_cast<std::uint8_t>(host)};
  const std::array<std::uint8_t, 4> high{192, 0, 2, 1};
  c.key.low = wire::Address::v4(low.data());
  c.key.high = wire::Address::v4(high.data());
  c.key.low_port = static_cast<std::uint16_t>(40'000 + id % 1000);
  c.key.high_port = 443;
  c.id = id;
  return c;
}

tcp::Anomaly finding(K kind, std::uint64_t frame, std::uint32_t count = 1) {
  tcp::Anomaly a;
  a.kind = kind;
  a.severity = tcp::info(kind).severity;
  a.count = count;
  a.frames[0] = frame;
  return a;
}

/// At once, as if it had not waited for others.
void enter(AnomalyGroups& groups, const tcp::Anomaly& anomaly, const tcp::Brief& connection) {
  groups.add(anomaly, connection);
  groups.enter_waiting();
}

TEST(AnomalyGroups, make_one_of_a_million_alike_with_the_first_as_examples) {
  AnomalyGroups groups;
  for (std::uint64_t n = 1'000'000; n != 0; --n) enter(groups, finding(K::kHalfOpen, n + 1, 2), connection(7, n));
  const auto top = groups.top(5);
  ASSERT_EQ(top.size(), 1U);
  EXPECT_EQ(top[0].connections, 1'000'000U);
  EXPECT_EQ(top[0].occurrences, 2'000'000U);
  EXPECT_EQ(top[0].pair.port, 443);
  EXPECT_EQ(top[0].examples[0].connection, 1U);
  EXPECT_EQ(top[0].examples[0].frame, 2U);
  EXPECT_EQ(top[0].examples[2].connection, 3U);
  EXPECT_TRUE(groups.exact());
}

TEST(AnomalyGroups, are_by_kind_and_by_pair_whoever_has_the_lower_address) {
  AnomalyGroups groups;
  enter(groups, finding(K::kHalfOpen, 1), connection(1, 1));
  enter(groups, finding(K::kHalfOpen, 2), connection(2, 2));
  enter(groups, finding(K::kHalfOpen, 3), connection(2, 3));
  enter(groups, finding(K::kFinUnanswered, 4), connection(2, 3));
  tcp::Brief turned = connection(2, 4);
  turned.originator = 1;
  enter(groups, finding(K::kHalfOpen, 5), turned);
  EXPECT_EQ(groups.of(K::kHalfOpen), 3U);
  EXPECT_EQ(groups.of(K::kFinUnanswered), 1U);
  const auto top = groups.top(2);
  ASSERT_EQ(top.size(), 3U) << "two of the three of one kind, and the other kind's";
  EXPECT_EQ(top[0].kind, K::kHalfOpen);
  EXPECT_EQ(top[0].connections, 2U) << "the one that touches most connections first";
  EXPECT_EQ(top[1].connections, 1U);
  EXPECT_EQ(top[2].kind, K::kFinUnanswered);
}

TEST(AnomalyGroups, carry_the_gravest_severity_found) {
  AnomalyGroups groups;
  tcp::Anomaly grave = finding(K::kResetSuspectedForged, 1);
  tcp::Anomaly light = grave;
  light.severity = tcp::Severity::kInfo;
  enter(groups, light, connection(1, 1));
  enter(groups, grave, connection(1, 2));
  enter(groups, light, connection(1, 3));
  EXPECT_EQ(groups.top(1)[0].severity, tcp::Severity::kAlert);
}

TEST(AnomalyGroups, stay_within_their_room_and_keep_what_is_grave_or_frequent) {
  AnomalyGroups groups;
  enter(groups, finding(K::kOverlapInconsistent, 1), connection(0xff'fffe, 1));
  for (std::uint32_t n = 0; n < 4 * AnomalyGroups::kRoom; ++n) {
    enter(groups, finding(K::kHalfOpen, n + 2), connection(n, n + 2));
    if (n % 100 == 0) enter(groups, finding(K::kHalfOpen, n + 2), connection(0xff'ffff, n + 2));
  }
  EXPECT_FALSE(groups.exact());
  EXPECT_LE(groups.of(K::kHalfOpen), AnomalyGroups::kRoom);
  const auto top = groups.top(1);
  ASSERT_EQ(top.size(), 2U);
  EXPECT_EQ(top[0].connections, (4 * AnomalyGroups::kRoom + 99) / 100) << "never forgotten, so counted in full";
  EXPECT_EQ(top[1].kind, K::kOverlapInconsistent) << "rare, and an alert";
}

TEST(AnomalyGroups, once_full_have_lesser_newcomers_wait_for_their_second_connection) {
  AnomalyGroups groups;
  for (std::uint32_t n = 0; n <= AnomalyGroups::kRoom; ++n) enter(groups, finding(K::kHalfOpen, n + 1), connection(n, n + 1));
  ASSERT_FALSE(groups.exact());
  const std::uint64_t before = groups.of(K::kHalfOpen);
  enter(groups, finding(K::kHalfOpen, 7), connection(0xff'fff0, 80'000));
  EXPECT_EQ(groups.of(K::kHalfOpen), before) << "it waits";
  enter(groups, finding(K::kOverlapInconsistent, 9), connection(0xff'fff0, 80'000));
  EXPECT_EQ(groups.of(K::kOverlapInconsistent), 1U) << "grave: it need not wait";
  enter(groups, finding(K::kHalfOpen, 8, 5), connection(0xff'fff0, 80'001));
  enter(groups, finding(K::kHalfOpen, 9), connection(0xff'fff1, 80'002));
  EXPECT_EQ(groups.of(K::kHalfOpen), before + 1);
  const AnomalyGroup top = groups.top(1)[0];
  EXPECT_EQ(top.connections, 2U);
  EXPECT_EQ(top.occurrences, 6U);
  EXPECT_EQ(top.examples[0].connection, 80'000U) << "with what it came with first";
}

TEST(AnomalyGroups, are_the_same_in_whatever_order_findings_come) {
  AnomalyGroups forward;
  AnomalyGroups backward;
  for (std::uint32_t n = 1; n <= 60; ++n) enter(forward, finding(K::kFinMoved, n), connection(n % 7, n));
  for (std::uint32_t n = 60; n != 0; --n) enter(backward, finding(K::kFinMoved, n), connection(n % 7, n));
  const auto a = forward.top(10);
  const auto b = backward.top(10);
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t n = 0; n < a.size(); ++n) {
    EXPECT_EQ(a[n].pair, b[n].pair);
    EXPECT_EQ(a[n].connections, b[n].connections);
    for (std::size_t k = 0; k < AnomalyGroup::kExamples; ++k) EXPECT_EQ(a[n].examples[k].connection, b[n].examples[k].connection);
  }
}

TEST(AnomalyGroups, are_the_same_whether_findings_wait_for_others_or_not) {
  AnomalyGroups one_by_one;
  AnomalyGroups together;
  for (std::uint32_t n = 0; n != 3 * AnomalyGroups::kRoom; ++n) {
    const auto host = static_cast<std::uint32_t>(n * 7 % (2 * AnomalyGroups::kRoom));
    const tcp::Anomaly anomaly = finding(n % 5 == 0 ? K::kFinMoved : K::kHalfOpen, n + 1, 1 + n % 3);
    enter(one_by_one, anomaly, connection(host, n + 1));
    together.add(anomaly, connection(host, n + 1));
  }
  together.enter_waiting();
  EXPECT_EQ(together.exact(), one_by_one.exact());
  const auto expected = one_by_one.top(AnomalyGroups::kRoom);
  const auto top = together.top(AnomalyGroups::kRoom);
  ASSERT_EQ(top.size(), expected.size());
  for (std::size_t n = 0; n != top.size(); ++n) {
    ASSERT_EQ(top[n].kind, expected[n].kind);
    ASSERT_EQ(top[n].pair, expected[n].pair);
    ASSERT_EQ(top[n].connections, expected[n].connections);
    ASSERT_EQ(top[n].occurrences, expected[n].occurrences);
  }
}

}  // namespace
}  // namespace finwait::report
