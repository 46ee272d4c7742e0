#include "../../src/app/options.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <initializer_list>

namespace finwait::app {
namespace {

Options parse(std::initializer_list<const char*> words) {
  std::vector<const char*> argv{"finwait"};
  argv.insert(argv.end(), words);
  return parse_options(static_cast<int>(argv.size()), argv.data());
}

std::string complaint(std::initializer_list<const char*> words) {
  try {
    static_cast<void>(parse(words));
  } catch (const UsageError& e) {
    return e.what();
  }
  return "";
}

TEST(Options, take_a_capture_and_a_filter_as_tcpdump_does) {
  const Options options = parse({"-n", "-r", "a.pcap", "tcp", "port", "80"});
  EXPECT_EQ(options.captures, std::vector<std::string>{"a.pcap"});
  EXPECT_EQ(options.filter, "tcp port 80");
  EXPECT_EQ(parse({"-nr", "a.pcap", "-c5", "tcp"}).pipeline.frame_limit, 5U) << "letters may stand together";
}

TEST(Options, files_that_are_changed_need_a_file_and_a_sensible_measure) {
  const Options options = parse({"-r", "a.pcap", "-o", "json=%H.json", "--rotate-size", "10M", "--rotate-every", "1h"});
  EXPECT_EQ(options.rotation.bytes, 10U << 20);
  EXPECT_EQ(options.rotation.every, 3600 * base::kSecond);
  EXPECT_NE(complaint({"-r", "a.pcap", "-o", "json", "--rotate-every", "1h"}), "");
  EXPECT_NE(complaint({"-r", "a.pcap", "-o", "json=a", "--rotate-every", "500ms"}), "");
  EXPECT_NE(complaint({"-r", "a.pcap", "-o", "json=a", "--rotate-size", "0"}), "");
}

TEST(Options, what_is_for_a_live_capture_is_refused_without_one) {
  const Options live = parse({"-i", "eth0", "--metrics", ":9090", "--user", "nobody"});
  EXPECT_TRUE(live.sandbox);
  EXPECT_EQ(live.user, "nobody");
  EXPECT_EQ(live.metrics->address, "127.0.0.1");
  EXPECT_EQ(live.metrics->port, 9090);
  EXPECT_FALSE(parse({"-i", "eth0", "--no-sandbox"}).sandbox);
  EXPECT_NE(complaint({"-r", "a.pcap", "--metrics", "9090"}).find("-i"), std::string::npos);
  EXPECT_NE(complaint({"-r", "a.pcap", "--no-sandbox"}).find("-i"), std::string::npos);
  EXPECT_NE(complaint({"-i", "eth0", "--metrics", "localhost:9090"}).find("--metrics localhost:9090"), std::string::npos);
  EXPECT_NE(complaint({"-i", "eth0", "--user", "a", "--no-sandbox"}), "");
}

TEST(Options, take_words_that_are_files_for_captures_up_to_the_first_that_is_none) {
  const std::string folder = ::testing::TempDir();
  const std::string one = folder + "finwait_options_1.pcap";
  const std::string two = folder + "finwait_options_2.pcap";
  std::ofstream(one) << 'x';
  std::ofstream(two) << 'x';
  const Options options = parse({"-r", one.c_str(), two.c_str(), "host", "192.0.2.1"});
  EXPECT_EQ(options.captures, (std::vector<std::string>{one, two}));
  EXPECT_EQ(options.filter, "host 192.0.2.1");
  EXPECT_EQ(parse({"-r", "x", "host", two.c_str()}).captures.size(), 1U) << "a file's name after another word belongs to the filter";
  std::filesystem::remove(one);
  std::filesystem::remove(two);
}

TEST(Options, may_be_repeated_where_that_makes_sense) {
  const Options options = parse({"-r", "a", "-r", "b", "-o", "json=x", "-o", "summary", "--only", "reset,refused", "--only", "half-close"});
  EXPECT_EQ(options.captures.size(), 2U);
  ASSERT_EQ(options.outputs.size(), 2U);
  EXPECT_EQ(options.outputs[0].path, "x");
  EXPECT_EQ(options.outputs[1].path, "-");
  EXPECT_EQ(options.only_words, "reset, refused, half-close");
}

TEST(Options, set_timers_and_limits) {
  const Options options = parse({"-r", "a", "--msl", "2m", "--idle", "500ms", "--seed", "7", "--max-connections", "100", "-s", "96"});
  EXPECT_EQ(options.pipeline.tracker.timers.msl, 120 * base::kSecond);
  EXPECT_EQ(options.pipeline.tracker.timers.idle, 500 * base::kMillisecond);
  EXPECT_EQ(options.seed, 7U);
  EXPECT_EQ(options.max_connections, 100U);
  EXPECT_EQ(options.pipeline.snapshot_length, 96U);
}

TEST(Options, set_thresholds_of_connections_and_hosts) {
  const Options options = parse({"-r", "a", "--threshold", "storm=3", "--threshold", "host-reset-share=50%", "--threshold", "stall=500ms"});
  EXPECT_EQ(options.pipeline.tracker.timers.thresholds.storm, 3U);
  EXPECT_EQ(options.pipeline.tracker.timers.thresholds.stall, 500 * base::kMillisecond);
  EXPECT_EQ(options.host_thresholds.reset_share, 0.5);
  EXPECT_EQ(options.host_thresholds.resets, hosts::HostThresholds{}.resets) << "what is not named keeps its default";
}

TEST(Options, complain_in_one_clear_line) {
  EXPECT_NE(complaint({}).find("no capture given"), std::string::npos);
  EXPECT_NE(complaint({"-r", "a", "--nonsense"}).find("nonsense"), std::string::npos);
  EXPECT_NE(complaint({"-r", "a", "-i", "eth0"}).find("-i"), std::string::npos);
  EXPECT_NE(complaint({"-r", "a", "-o", "xml"}).find("no such format"), std::string::npos);
  EXPECT_NE(complaint({"-r", "a", "-o", "json", "-o", "summary"}).find("standard output"), std::string::npos);
  EXPECT_NE(complaint({"-r", "a", "--only", "nonsense"}).find("half-open"), std::string::npos) << "it lists what there is";
  EXPECT_NE(complaint({"-r", "a", "--msl", "soon"}).find("--msl soon"), std::string::npos);
  EXPECT_NE(complaint({"-r", "a", "--threshold", "nonsense=1"}).find("host-loss-share"), std::string::npos) << "it lists what there is";
  EXPECT_NE(complaint({"-r", "a", "--threshold", "storm=x"}).find("--threshold storm=x: a whole number"), std::string::npos);
  EXPECT_NE(complaint({"-r", "a", "--local-nets", "10.0.0.0/40"}).find("--local-nets 10.0.0.0/40"), std::string::npos);
  EXPECT_NE(complaint({"-r", "a", "--fail-on", "never"}).find("warning"), std::string::npos);
  EXPECT_NE(complaint({"-r", "a", "--from", "2024-01-02", "--to", "2024-01-01"}).find("nothing lies between"), std::string::npos);
  EXPECT_NE(complaint({"-r", "a", "--explain", "1", "--only", "reset"}).find("--only"), std::string::npos);
  EXPECT_NE(complaint({"-r", "a", "--max-connections", "0"}).find("at least 1"), std::string::npos);
}

TEST(Options, ask_for_other_things_than_an_analysis) {
  EXPECT_EQ(parse({"--help"}).task, Task::kHelp);
  EXPECT_EQ(parse({"--version"}).task, Task::kVersion);
  EXPECT_EQ(parse({"-D"}).task, Task::kListInterfaces);
  EXPECT_EQ(parse({"--describe", "reset"}).task, Task::kDescribe);
}

TEST(HelpText, fits_the_screen) {
  std::size_t line = 0;
  for (const char c : help_text()) {
    line = c == '\n' ? 0 : line + 1;
    EXPECT_LE(line, 84U);
  }
}

TEST(Options, write_packets_of_what_can_be_read_twice) {
  EXPECT_EQ(parse({"-r", "a.pcap", "-w", "b.pcapng"}).write, "b.pcapng");
  EXPECT_EQ(complaint({"-r", "-", "-w", "b.pcapng"}),
            "-w reads the input twice, and standard input can be read only once: save it to a file first");
  EXPECT_NE(complaint({"-r", "a.pcap", "-w", "-", "-o", "json"}).find("two outputs to standard output"), std::string::npos);
  EXPECT_NE(complaint({"-r", "a.pcap", "-w", "b", "-o", "json=b"}).find("two outputs to b"), std::string::npos);
  EXPECT_NE(complaint({"-r", "a.pcap", "-w", "b", "--explain", "1"}).find("leave -w out"), std::string::npos);
}

TEST(Options, take_interfaces_instead_of_captures) {
  const Options options = parse({"-i", "eth0", "-i", "eth1", "-p", "-B", "4096", "tcp", "port", "80"});
  EXPECT_EQ(options.interfaces, (std::vector<std::string>{"eth0", "eth1"}));
  EXPECT_EQ(options.filter, "tcp port 80");
  EXPECT_EQ(options.buffer, 4096U << 10U) << "in KiB, as tcpdump's";
  EXPECT_FALSE(options.promiscuous);
  EXPECT_TRUE(parse({"-i", "any"}).promiscuous);
  EXPECT_EQ(parse({"-i", "any", "--counters", "5s"}).counters, 5 * base::kSecond);
}

TEST(Options, do_not_mix_what_is_live_with_what_is_read) {
  EXPECT_NE(complaint({"-i", "eth0", "-r", "a.pcap"}), "");
  EXPECT_NE(complaint({"-i", "eth0", "--explain", "1"}), "");
  EXPECT_NE(complaint({"-r", "a.pcap", "-B", "4096"}), "");
  EXPECT_NE(complaint({"-r", "a.pcap", "-p"}), "");
  EXPECT_NE(complaint({"-r", "a.pcap", "--counters", "1s"}), "");
  EXPECT_NE(complaint({"-i", "eth0", "-B", "4"}), "") << "too small for two blocks";
  EXPECT_EQ(complaint({"-i", "eth0", "-w", "packets.pcapng"}), "") << "nothing is read twice";
}

TEST(Options, take_a_number_of_threads) {
  EXPECT_FALSE(parse({"-r", "a.pcap"}).threads.has_value()) << "as many as help";
  EXPECT_EQ(parse({"-r", "a.pcap", "-t4"}).threads, 4U);
  EXPECT_EQ(parse({"-r", "a.pcap", "--threads", "1"}).threads, 1U);
  EXPECT_NE(complaint({"-r", "a.pcap", "-t0"}).find("--threads 0"), std::string::npos);
  EXPECT_NE(complaint({"-r", "a.pcap", "-t1000"}).find("at most 256"), std::string::npos);
}

}  // namespace
}  // namespace finwait::app
