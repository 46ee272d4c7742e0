#include "finwait/report/eve_sink.h"

#include <gtest/gtest.h>

#include <string>

#include "outcomes.h"

namespace finwait::report {
namespace {

using test::Player;
using test::read_file;
using test::TemporaryFile;

constexpr base::Timestamp kStart = 1'709'208'000'950'000'999;  // 2024-02-29 12:00:00.95

std::string written(Player& player) {
  const TemporaryFile file;
  EveSink sink(file.path(), false);
  player.give(sink);
  sink.finish(Totals{});
  return read_file(file.path());
}

/// The value of a key that occurs once, as it stands.
std::string value(const std::string& json, const std::string& key) {
  const std::size_t at = json.find("\"" + key + "\":");
  if (at == std::string::npos) return "absent";
  const std::size_t from = at + key.size() + 3;
  return json.substr(from, json.find_first_of(",}", from) - from);
}

/// The object behind a key.
std::string object(const std::string& json, const std::string& key) {
  const std::size_t at = json.find("\"" + key + "\":{");
  return at == std::string::npos ? "" : json.substr(at, json.find('}', at) - at + 1);
}

TEST(EveSink, a_connection_is_a_flow_event) {
  Player player;
  player.at(kStart).client("S", 0, 0).server("SA", 0, 1).client("A", 1, 1).client("PA", 1, 1, 100).server("A", 1, 101);
  player.at(kStart + 61 * base::kSecond + base::kSecond / 10).client("FA", 101, 1).server("FA", 1, 102).client("A", 102, 2);
  const std::string json = written(player);
  EXPECT_EQ(value(json, "timestamp"), "\"2024-02-29T12:01:02.050000+0000\"");
  EXPECT_EQ(value(json, "event_type"), "\"flow\"");
  EXPECT_EQ(value(json, "src_ip"), "\"10.0.0.9\"");
  EXPECT_EQ(value(json, "src_port"), "40000");
  EXPECT_EQ(value(json, "dest_ip"), "\"192.88.99.1\"");
  EXPECT_EQ(value(json, "dest_port"), "80");
  EXPECT_EQ(value(json, "proto"), "\"TCP\"");
  EXPECT_LE(std::stoull(value(json, "flow_id")), (1ULL << 53) - 1);

  const std::string flow = object(json, "flow");
  EXPECT_EQ(value(flow, "pkts_toserver"), "5");
  EXPECT_EQ(value(flow, "pkts_toclient"), "3");
  EXPECT_EQ(value(flow, "bytes_toserver"), std::to_string(5 * 40 + 100));
  EXPECT_EQ(value(flow, "bytes_toclient"), std::to_string(3 * 40));
  EXPECT_EQ(value(flow, "start"), "\"2024-02-29T12:00:00.950000+0000\"");
  EXPECT_EQ(value(flow, "end"), "\"2024-02-29T12:01:02.050000+0000\"");
  EXPECT_EQ(value(flow, "age"), "62") << "the difference of whole seconds, as Suricata has it";
  EXPECT_EQ(value(flow, "state"), "\"closed\"");
  EXPECT_EQ(value(flow, "reason"), "\"shutdown\"");
  EXPECT_EQ(value(flow, "alerted"), "false");

  const std::string tcp = object(json, "tcp");
  EXPECT_EQ(value(tcp, "tcp_flags"), "\"1b\"");
  EXPECT_EQ(value(tcp, "tcp_flags_ts"), "\"1b\"");
  EXPECT_EQ(value(tcp, "tcp_flags_tc"), "\"13\"");
  for (const char* set : {"syn", "fin", "psh", "ack"}) EXPECT_EQ(value(tcp, set), "true") << set;
  for (const char* unset : {"rst", "urg", "ecn", "cwr"}) EXPECT_EQ(value(tcp, unset), "absent") << unset;
  EXPECT_EQ(value(tcp, "state"), "\"closed\"");
}

TEST(EveSink, states_are_suricatas) {
  const auto states = [](Player& player) {
    const std::string json = written(player);
    return value(object(json, "flow"), "state") + " " + value(object(json, "tcp"), "state");
  };
  Player attempt;
  attempt.at(kStart).client("S", 0, 0);
  EXPECT_EQ(states(attempt), "\"new\" \"syn_sent\"");
  Player half_open;
  half_open.at(kStart).client("S", 0, 0).server("SA", 0, 1);
  EXPECT_EQ(states(half_open), "\"new\" \"syn_recv\"");
  Player open;
  open.at(kStart).client("S", 0, 0).server("SA", 0, 1).client("A", 1, 1);
  EXPECT_EQ(states(open), "\"established\" \"established\"");
  Player half_closed;
  half_closed.at(kStart).client("S", 0, 0).server("SA", 0, 1).client("A", 1, 1).client("FA", 1, 1).server("A", 1, 2);
  EXPECT_EQ(states(half_closed), "\"established\" \"fin_wait2\"");
  Player closed_by_server;
  closed_by_server.at(kStart).client("S", 0, 0).server("SA", 0, 1).client("A", 1, 1).server("FA", 1, 1).client("A", 1, 2);
  EXPECT_EQ(states(closed_by_server), "\"established\" \"close_wait\"");
  Player reset;
  reset.at(kStart).client("S", 0, 0).server("SA", 0, 1).client("A", 1, 1).server("R", 1, 0);
  EXPECT_EQ(states(reset), "\"closed\" \"closed\"");
}

TEST(EveSink, the_same_connection_has_the_same_flow_id_and_others_have_others) {
  const auto id = [](base::Timestamp start) {
    Player player;
    player.at(start).client("S", 0, 0);
    return value(written(player), "flow_id");
  };
  EXPECT_EQ(id(kStart), id(kStart));
  EXPECT_NE(id(kStart), id(kStart + 1));
}

}  // namespace
}  // namespace finwait::report
