// What is said of hosts in json and on the screen.
#include <gtest/gtest.h>

#include <string>

#include "finwait/report/json_record.h"
#include "finwait/report/summary_sink.h"

namespace finwait::report {
namespace {

hosts::HostFinding scan() {
  hosts::HostFinding f;
  f.kind = hosts::HostKind::kPortScan;
  f.severity = tcp::Severity::kWarning;
  f.origins = tcp::origin::kAttacker;
  const std::array<std::uint8_t, 4> four{192, 0, 2, 1};
  f.ip = wire::Address::v4(four.data());
  f.peer = f.ip;
  f.from = 0;
  f.to = 1'500'000'000;
  f.text = "tried 1000 ports";
  f.connections = {7, 9};
  f.measures = {{"ports", 1000}, {"share", 0.25, 2}};
  f.series = {0, 1'000'000'000, {1, 2}};
  return f;
}

TEST(HostRecord, gives_whom_the_numbers_and_the_examples) {
  Text text;
  put_host(text, scan());
  EXPECT_EQ(text.view(),
            "{\"type\":\"host\",\"kind\":\"port-scan\",\"severity\":\"warning\",\"origin\":[\"attacker\"],\"ip\":\"192.0.2.1\","
            "\"peer_ip\":\"192.0.2.1\",\"from\":\"1970-01-01T00:00:00.000000000Z\",\"to\":\"1970-01-01T00:00:01.500000000Z\","
            "\"text\":\"tried 1000 ports\",\"numbers\":{\"ports\":1000,\"share\":0.25},"
            "\"series\":{\"from\":\"1970-01-01T00:00:00.000000000Z\",\"step\":1.000000000,\"values\":[1,2]},\"connections\":[7,9]}\n");
}

TEST(HostRecord, gives_the_verdict_on_initial_sequence_numbers) {
  hosts::HostFinding f = scan();
  f.kind = hosts::HostKind::kIsnPredictable;
  f.isn.emplace();
  f.isn->verdict = hosts::IsnVerdict::kClock;
  f.isn->samples = 40;
  f.isn->p_value = 1e-300;
  f.isn->slope = 250'000;
  f.isn->guess = {0.5, 17, 99};
  f.isn->nmap = {1, 2, 3};
  Text text;
  put_host(text, f);
  EXPECT_NE(text.view().find("\"samples\":40,\"verdict\":\"clock\",\"p_value\":1e-300,\"slope\":250000.000,"
                             "\"guess_interval\":{\"share\":0.5,\"from\":17,\"width\":99},\"nmap\":{\"gcd\":1,\"isr\":2,\"sp\":3}"),
            std::string_view::npos)
      << text.view();
}

TEST(SummaryObject, has_the_population_of_each_state) {
  Totals totals;
  totals.populations.step = 1'000'000'000;
  totals.populations.ends[static_cast<std::size_t>(tcp::State::kSynSent)] = {3, 0};
  Text text;
  put_summary(text, totals);
  EXPECT_NE(text.view().find("\"states\":{\"from\":\"1970-01-01T00:00:00.000000000Z\",\"step\":1.000000000,\"ends\":{\"SYN-SENT\":[3,0]}}"),
            std::string_view::npos)
      << text.view();
}

TEST(SummaryScreen, counts_the_hosts_whose_numbers_show_no_weakness) {
  Totals totals;
  totals.counts.connections = 2;
  totals.sound_numbers[static_cast<std::size_t>(hosts::IsnVerdict::kRandomLike)] = 3;
  totals.sound_numbers[static_cast<std::size_t>(hosts::IsnVerdict::kInconclusive)] = 12;
  Text text;
  put_summary_screen(text, SummaryData(), totals, {"finwait -r a.pcap", "", false}, false);
  EXPECT_NE(text.view().find("\nHosts\n  Initial sequence numbers without a weakness found: 3 random-like, 12\n  inconclusive.\n"),
            std::string_view::npos)
      << text.view();
}

TEST(SummaryScreen, shows_hosts_with_the_command_to_look_further) {
  Totals totals;
  totals.counts.connections = 2;
  totals.hosts = {scan()};
  Text text;
  put_summary_screen(text, SummaryData(), totals, {"finwait -r a.pcap", "", false}, false);
  EXPECT_NE(text.view().find("warning  port-scan  192.0.2.1\n"), std::string_view::npos);
  EXPECT_NE(text.view().find("finwait -r a.pcap --explain 7  also 9\n"), std::string_view::npos) << text.view();
}

}  // namespace
}  // namespace finwait::report
