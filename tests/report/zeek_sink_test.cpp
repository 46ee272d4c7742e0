#include "finwait/report/zeek_sink.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "outcomes.h"

namespace finwait::report {
namespace {

using test::address;
using test::Player;
using test::read_file;
using test::TemporaryFile;

constexpr base::Timestamp kStart = 1'709'208'000'250'000'999;  // 2024-02-29 12:00:00.25

/// A whole connection from 10.0.0.9 to 192.88.99.1: 100 bytes one way, 2000 the other, 1.5 s.
void play_connection(Player& p) {
  p.at(kStart).client("S", 0, 0).server("SA", 0, 1).client("A", 1, 1);
  p.at(kStart + base::kSecond / 2).client("PA", 1, 1, 100).server("A", 1, 101).server("PA", 1, 101, 2000).client("A", 101, 2001);
  p.at(kStart + 3 * base::kSecond / 2).client("FA", 101, 2001).server("FA", 2001, 102).client("A", 102, 2002);
}

std::string written(ZeekSink::Format format, Player& player, const LocalNets& nets = LocalNets()) {
  const TemporaryFile file;
  ZeekSink sink(file.path(), format, nets, false);
  player.give(sink);
  Totals totals;
  totals.capture.first = kStart;
  totals.capture.last = kStart + 60 * base::kSecond;
  sink.finish(totals);
  return read_file(file.path());
}

std::vector<std::string> split(const std::string& text, char by) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == by) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

TEST(ZeekSink, columns_are_a_conn_log) {
  Player player;
  play_connection(player);
  const std::vector<std::string> lines = split(written(ZeekSink::Format::kColumns, player), '\n');
  ASSERT_EQ(lines.size(), 11U);
  EXPECT_EQ(lines[0], "#separator \\x09");
  EXPECT_EQ(lines[1], "#set_separator\t,");
  EXPECT_EQ(lines[2], "#empty_field\t(empty)");
  EXPECT_EQ(lines[3], "#unset_field\t-");
  EXPECT_EQ(lines[4], "#path\tconn");
  EXPECT_EQ(lines[5], "#open\t2024-02-29-12-00-00");
  EXPECT_EQ(lines[9], "#close\t2024-02-29-12-01-00");
  EXPECT_EQ(lines[10], "");

  const std::vector<std::string> fields = split(lines[6], '\t');
  const std::vector<std::string> types = split(lines[7], '\t');
  const std::vector<std::string> values = split(lines[8], '\t');
  ASSERT_EQ(fields.size(), 24U);
  ASSERT_EQ(types.size(), fields.size());
  ASSERT_EQ(values.size() + 1, fields.size());
  EXPECT_EQ(fields[0], "#fields");
  EXPECT_EQ(types[0], "#types");
  const auto value = [&](const std::string& field) {
    const auto found = std::find(fields.begin(), fields.end(), field);
    return found == fields.end() ? "no such field" : values[static_cast<std::size_t>(found - fields.begin()) - 1];
  };
  EXPECT_EQ(value("ts"), "1709208000.250000");
  EXPECT_EQ(value("uid").size(), 18U);
  EXPECT_EQ(value("id.orig_h"), "10.0.0.9");
  EXPECT_EQ(value("id.orig_p"), "40000");
  EXPECT_EQ(value("id.resp_h"), "192.88.99.1");
  EXPECT_EQ(value("id.resp_p"), "80");
  EXPECT_EQ(value("proto"), "tcp");
  EXPECT_EQ(value("service"), "-");
  EXPECT_EQ(value("duration"), "1.500000");
  EXPECT_EQ(value("orig_bytes"), "100");
  EXPECT_EQ(value("resp_bytes"), "2000");
  EXPECT_EQ(value("conn_state"), "SF");
  EXPECT_EQ(value("local_orig"), "T");
  EXPECT_EQ(value("local_resp"), "F");
  EXPECT_EQ(value("missed_bytes"), "0");
  EXPECT_EQ(value("history"), "ShADadFf");
  EXPECT_EQ(value("orig_pkts"), "6");
  EXPECT_EQ(value("orig_ip_bytes"), std::to_string(6 * 40 + 100));
  EXPECT_EQ(value("resp_pkts"), "4");
  EXPECT_EQ(value("resp_ip_bytes"), std::to_string(4 * 40 + 2000));
  EXPECT_EQ(value("tunnel_parents"), "-");
  EXPECT_EQ(value("ip_proto"), "6");
  EXPECT_TRUE(value("community_id").starts_with("1:"));
}

TEST(ZeekSink, json_leaves_out_what_is_not_set) {
  Player player;
  player.at(kStart).client("S", 0, 0);
  const std::string text = written(ZeekSink::Format::kJson, player);
  EXPECT_TRUE(text.starts_with("{\"ts\":1709208000.25,\"uid\":\"C")) << text;
  EXPECT_NE(text.find("\"id.orig_h\":\"10.0.0.9\",\"id.orig_p\":40000,\"id.resp_h\":\"192.88.99.1\",\"id.resp_p\":80,\"proto\":\"tcp\","
                      "\"conn_state\":\"S0\",\"local_orig\":true,\"local_resp\":false,\"missed_bytes\":0,\"history\":\"S\","
                      "\"orig_pkts\":1,\"orig_ip_bytes\":40,\"resp_pkts\":0,\"resp_ip_bytes\":0,\"ip_proto\":6,\"community_id\":\"1:"),
            std::string::npos)
      << text;
  EXPECT_EQ(text.find("duration"), std::string::npos);
  EXPECT_EQ(text.back(), '\n');
}

TEST(ZeekSink, json_has_duration_and_bytes_of_what_lasted) {
  Player player;
  play_connection(player);
  EXPECT_NE(written(ZeekSink::Format::kJson, player).find("\"duration\":1.5,\"orig_bytes\":100,\"resp_bytes\":2000,"), std::string::npos);
}

TEST(ZeekSink, stamps_before_1970_are_right) {
  Player player;
  player.at(-250'000'000).client("S", 0, 0);
  EXPECT_TRUE(written(ZeekSink::Format::kJson, player).starts_with("{\"ts\":-0.25,"));
  Player earlier;
  earlier.at(-2'000'000'000).client("S", 0, 0);
  EXPECT_TRUE(written(ZeekSink::Format::kJson, earlier).starts_with("{\"ts\":-2.0,"));
}

TEST(ZeekSink, the_list_of_local_networks_decides_alone) {
  Player player;
  play_connection(player);
  const std::string text = written(ZeekSink::Format::kJson, player, LocalNets("192.88.99.0/24"));
  EXPECT_NE(text.find("\"local_orig\":false,\"local_resp\":true"), std::string::npos);
}

TEST(ZeekSink, an_empty_log_has_its_header) {
  Player nothing;
  const std::string text = written(ZeekSink::Format::kColumns, nothing);
  EXPECT_EQ(split(text, '\n').size(), 10U);
  EXPECT_NE(text.find("#open\t2024-02-29-12-00-00\n#fields\tts\tuid"), std::string::npos);
  Player none;
  EXPECT_EQ(written(ZeekSink::Format::kJson, none), "");
}

// Zeek takes the first sender for the originator where it sees no opening; finwait knows better by the port. A line follows Zeek
// throughout.
TEST(ZeekSink, originator_letters_and_counters_are_of_one_mind) {
  Player player;
  player.at(kStart).server("PA", 1, 1, 100).server("PA", 101, 1, 100).client("A", 1, 201);
  const std::string text = written(ZeekSink::Format::kJson, player);
  EXPECT_NE(text.find("\"id.orig_h\":\"192.88.99.1\",\"id.orig_p\":80"), std::string::npos) << text;
  EXPECT_NE(text.find("\"history\":\"Da\",\"orig_pkts\":2"), std::string::npos) << text;
}

}  // namespace
}  // namespace finwait::report
