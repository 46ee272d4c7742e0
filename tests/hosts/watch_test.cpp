// What is found of hosts: captures made here, with known numbers, through the real state machine.
#include "finwait/hosts/watch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <thread>

#include "finwait/base/hash.h"
#include "finwait/tcp/tracker.h"

namespace finwait::hosts {
namespace {

namespace flag = wire::tcp_flag;
constexpr base::Timestamp kStart = 1'700'000'000 * base::kSecond;

/// An end of a conversation: 10.b.c.d and a port.
struct Who {
  std::uint32_t ip = 0;
  std::uint16_t port = 0;
};

wire::Address address(std::uint32_t ip) {
  const std::array<std::uint8_t, 4> four{10, static_cast<std::uint8_t>(ip >> 16), static_cast<std::uint8_t>(ip >> 8),
                                         static_cast<std::uint8_t>(ip)};
  return wire::Address::v4(four.data());
}

/// Segments of many connections in any order; sorted by time before they are tracked.
class Scene {
 public:
  /// Options that an operating system's SYN brings.
  bool rich = true;
  /// Other numbers for the same ports.
  std::uint64_t round = 0;

  void segment(base::Timestamp at, const Who& from, const Who& to, std::uint16_t flags, std::uint32_t seq, std::uint32_t ack = 0,
               std::uint32_t payload = 0) {
    wire::Segment s;
    const wire::Address a = address(from.ip);
    const wire::Address b = address(to.ip);
    const bool low = std::tie(a, from.port) <= std::tie(b, to.port);
    s.key.low = low ? a : b;
    s.key.high = low ? b : a;
    s.key.low_port = low ? from.port : to.port;
    s.key.high_port = low ? to.port : from.port;
    s.direction = low ? 0 : 1;
    s.time = kStart + at;
    s.seq = seq;
    s.ack = ack;
    s.flags = flags;
    s.window = 65535;
    s.ttl = 64;
    s.payload_length = payload;
    s.ip_length = 40 + payload;
    s.ip_id = ++ip_id_;
    if ((flags & flag::kSyn) != 0 && rich) s.present |= wire::present::kSackPermitted;
    segments_.push_back(s);
  }

  /// SYN, SYN-ACK, ACK, a request of 100 bytes and its answer; 1 ms each. Returns when it is over.
  base::Timestamp open(base::Timestamp at, const Who& c, const Who& s) {
    const std::uint32_t a = number(c, s);
    const std::uint32_t b = number(s, c);
    segment(at, c, s, flag::kSyn, a);
    segment(at += base::kMillisecond, s, c, flag::kSyn | flag::kAck, b, a + 1);
    segment(at += base::kMillisecond, c, s, flag::kAck, a + 1, b + 1);
    segment(at += base::kMillisecond, c, s, flag::kAck, a + 1, b + 1, 100);
    segment(at += base::kMillisecond, s, c, flag::kAck, b + 1, a + 101, 100);
    segment(at += base::kMillisecond, c, s, flag::kAck, a + 101, b + 101);
    return at;
  }
  /// Closed by `x`, answered by an ACK.
  base::Timestamp half_close(base::Timestamp at, const Who& x, const Who& y) {
    segment(at += base::kMillisecond, x, y, flag::kFin | flag::kAck, number(x, y) + 101, number(y, x) + 101);
    segment(at += base::kMillisecond, y, x, flag::kAck, number(y, x) + 101, number(x, y) + 102);
    return at;
  }
  base::Timestamp close(base::Timestamp at, const Who& x, const Who& y) {
    at = half_close(at, x, y);
    segment(at += base::kMillisecond, y, x, flag::kFin | flag::kAck, number(y, x) + 101, number(x, y) + 102);
    segment(at += base::kMillisecond, x, y, flag::kAck, number(x, y) + 102, number(y, x) + 102);
    return at;
  }
  void probe(base::Timestamp at, const Who& c, const Who& s, bool refused) {
    const std::uint32_t a = number(c, s);
    segment(at, c, s, flag::kSyn, a);
    if (refused) segment(at + base::kMillisecond, s, c, flag::kRst | flag::kAck, 0, a + 1);
  }
  void leave_half_open(base::Timestamp at, const Who& c, const Who& s) {
    const std::uint32_t a = number(c, s);
    segment(at, c, s, flag::kSyn, a);
    segment(at + base::kMillisecond, s, c, flag::kSyn | flag::kAck, number(s, c), a + 1);
  }
  /// A number that nobody can guess.
  [[nodiscard]] std::uint32_t number(const Who& x, const Who& y) const {
    std::uint64_t z = (std::uint64_t{x.ip} << 32 | y.ip) * 0x9e37'79b9'7f4a'7c15 + (round << 32 | std::uint64_t{x.port} << 16 | y.port);
    z = (z ^ z >> 30) * 0xbf58'476d'1ce4'e5b9;
    z = (z ^ z >> 27) * 0x94d0'49bb'1331'11eb;
    return static_cast<std::uint32_t>(z >> 32);
  }

  /// All through so many trackers, a flow always through the same one, into a watch, its parts in threads of their own if `apart`; the
  /// capture ends `more` after the last segment.
  [[nodiscard]] HostWatch watch(base::Duration more = 0, const HostOptions& options = {}, std::uint32_t trackers = 1, bool apart = false) {
    std::stable_sort(segments_.begin(), segments_.end(), [](const auto& x, const auto& y) { return x.time < y.time; });
    HostWatch watch(options);
    std::vector<Life> lives;
    const base::Timestamp last = segments_.empty() ? 0 : segments_.back().time + more;
    watch.conclude(last);
    for (std::uint32_t n = 0; n != trackers; ++n) {
      track(n, trackers, last,
            [&](tcp::Tracker& tracker) { tracker.drain([&](const tcp::Outcome& outcome) { lives.push_back(life_of(outcome)); }); });
    }
    if (trackers != 1) std::sort(lives.begin(), lives.end(), comes_before);
    if (!apart) {
      for (const Life& life : lives) watch.observe(life);
      return watch;
    }
    std::vector<std::thread> threads;
    for (const HostPart part : kHostParts) {
      threads.emplace_back([&, part] {
        for (const Life& life : lives) watch.observe(part, life);
      });
    }
    for (std::thread& thread : threads) thread.join();
    return watch;
  }
  /// The same by the short records alone, as where nothing more is asked for; those that never opened some at a time if `together`.
  [[nodiscard]] HostWatch watch_briefs(base::Duration more, bool together) {
    std::stable_sort(segments_.begin(), segments_.end(), [](const auto& x, const auto& y) { return x.time < y.time; });
    HostWatch watch;
    const base::Timestamp last = segments_.back().time + more;
    watch.conclude(last);
    track(0, 1, last, [&](tcp::Tracker& tracker) {
      const auto observe = [&](const auto& outcome) {
        if constexpr (std::is_same_v<decltype(outcome), const tcp::BriefOutcome&>) {
          watch.observe(outcome);
        } else {
          watch.observe(life_of(outcome));
        }
      };
      if (together) {
        tracker.drain(observe, [&](std::span<const tcp::Unopened> unopened) { watch.observe(unopened); });
      } else {
        tracker.drain(true, observe);
      }
    });
    return watch;
  }

 private:
  /// Those of one of several trackers; take(tracker) takes what is over.
  void track(std::uint32_t which, std::uint32_t trackers, base::Timestamp last, const std::function<void(tcp::Tracker&)>& take) {
    tcp::TrackerOptions limits;
    limits.max_connections = 1U << 18;
    tcp::Tracker tracker(limits);
    const auto hand_on = [&] { take(tracker); };
    std::uint64_t frame = 0;
    for (wire::Segment s : segments_) {
      s.clock = s.time;
      s.frame = ++frame;
      s.hash = tracker.hash(s.key);
      if (base::shard_of(s.hash, trackers) == which) tracker.track(std::span(&s, 1));
      tracker.advance(s.clock);
      if (frame % 64 == 0) hand_on();
    }
    tracker.finish(last);
    hand_on();
  }

  std::vector<wire::Segment> segments_;
  std::uint16_t ip_id_ = 0;
};

/// Everything but what is said of initial sequence numbers without a weakness.
std::vector<HostFinding> odd(const HostWatch& watch) {
  auto all = watch.findings();
  std::erase_if(all, [](const HostFinding& f) { return f.kind == HostKind::kIsnQuality; });
  return all;
}

double number(const HostFinding& f, std::string_view name) {
  const auto at = std::find_if(f.measures.begin(), f.measures.end(), [name](const Measure& m) { return m.name == name; });
  return at == f.measures.end() ? std::nan("") : at->value;
}

void expect_about(double value, double expected) { EXPECT_NEAR(value, expected, expected * 0.05); }

/// The one finding, of this kind.
HostFinding only(const HostWatch& watch, HostKind kind) {
  const auto all = odd(watch);
  EXPECT_EQ(all.size(), 1U);
  for (const HostFinding& f : all) {
    if (f.kind == kind) return f;
    ADD_FAILURE() << info(f.kind).name << ": " << f.text;
  }
  ADD_FAILURE() << "no " << info(kind).name;
  return {};
}

constexpr Who kServer{0x000102, 443};

/// Half-open connections from addresses that do not exist; the SYN-ACK is repeated as Linux does, or never.
void flood(Scene& scene, int count, base::Duration apart, bool cookies) {
  for (int n = 0; n < count; ++n) {
    const Who c{0x800000U + static_cast<std::uint32_t>(n), static_cast<std::uint16_t>(1024 + n % 60'000)};
    const base::Timestamp at = n * apart;
    scene.segment(at, c, kServer, flag::kSyn, scene.number(c, kServer));
    for (const int after : {0, 1, 3, 7}) {
      if (after != 0 && cookies) break;
      scene.segment(at + base::kMillisecond + after * base::kSecond, kServer, c, flag::kSyn | flag::kAck, scene.number(kServer, c),
                    scene.number(c, kServer) + 1);
    }
  }
}

TEST(SynFlood, is_told_by_half_open_connections_at_once_and_their_rate) {
  Scene scene;
  flood(scene, 2'000, 10 * base::kMillisecond, false);
  for (std::uint16_t n = 0; n < 100; ++n)
    static_cast<void>(scene.open(n * 200 * base::kMillisecond, {7, static_cast<std::uint16_t>(40'000 + n)}, kServer));
  const HostFinding f = only(scene.watch(), HostKind::kSynFlood);
  EXPECT_EQ(f.severity, tcp::Severity::kAlert);
  EXPECT_EQ(f.ip, address(kServer.ip));
  EXPECT_EQ(f.port, kServer.port);
  EXPECT_EQ(number(f, "half_open"), 2'000);
  expect_about(number(f, "half_open_at_once"), 2'000);
  expect_about(number(f, "per_second"), 100);
  expect_about(number(f, "share"), 2'000.0 / 2'100);
  EXPECT_EQ(number(f, "syn_cookies"), 0);
  EXPECT_EQ(f.connections.size(), 10U);
}

TEST(SynFlood, knows_syn_cookies_by_answers_that_are_never_repeated) {
  Scene scene;
  flood(scene, 2'000, 10 * base::kMillisecond, true);
  const HostFinding f = only(scene.watch(), HostKind::kSynFlood);
  EXPECT_EQ(f.severity, tcp::Severity::kNotice);
  EXPECT_EQ(number(f, "syn_cookies"), 1);
}

TEST(SynFlood, counts_those_at_once_and_not_all_that_ever_were) {
  Scene scene;
  flood(scene, 4'000, 100 * base::kMillisecond, true);  // each is given up after 65 s
  const HostFinding f = only(scene.watch(), HostKind::kSynFlood);
  EXPECT_EQ(number(f, "half_open"), 4'000);
  expect_about(number(f, "half_open_at_once"), 650);
}

TEST(SynFlood, is_not_seen_in_syns_that_nobody_answered_nor_in_a_few_lost_clients) {
  Scene scene;
  for (std::uint32_t n = 0; n < 3'000; ++n) scene.probe(n * base::kMillisecond, {0x800000U + n, 1025}, kServer, false);
  flood(scene, 90, base::kMillisecond, false);
  EXPECT_TRUE(odd(scene.watch()).empty());
}

TEST(SynFlood, from_hosts_without_number_stays_within_its_memory_and_keeps_the_heaviest) {
  Scene scene;
  scene.rich = false;
  for (std::uint16_t n = 0; n < 600; ++n) {  // ordinary clients of another listener, all along
    static_cast<void>(scene.close(scene.open(n * 100 * base::kMillisecond, {7, static_cast<std::uint16_t>(40'000 + n)}, {9, 80}),
                                  {7, static_cast<std::uint16_t>(40'000 + n)}, {9, 80}));
  }
  flood(scene, 200'000, 300 * base::kMicrosecond, true);
  const HostWatch watch = scene.watch();
  const HostFinding f = only(watch, HostKind::kSynFlood);
  expect_about(number(f, "half_open"), 200'000);
  EXPECT_LT(watch.memory(), std::size_t{93} << 20) << "docs/hosts.md says what it comes to";
  EXPECT_GT(watch.evicted(), 0U);
}

/// `full`: the listener drops the last ACK of the handshake, as if it had never come, and repeats its SYN-ACK.
void take_over(Scene& scene, int count, int full) {
  for (int n = 0; n < count; ++n) {
    const Who c{7, static_cast<std::uint16_t>(40'000 + n)};
    const base::Timestamp at = n * 50 * base::kMillisecond;
    if (n >= full) {
      static_cast<void>(scene.close(scene.open(at, c, kServer), c, kServer));
      continue;
    }
    const std::uint32_t a = scene.number(c, kServer);
    const std::uint32_t b = scene.number(kServer, c);
    scene.segment(at, c, kServer, flag::kSyn, a);
    for (const int again : {1, 1'001, 3'001}) {
      scene.segment(at + again * base::kMillisecond, kServer, c, flag::kSyn | flag::kAck, b, a + 1);
      scene.segment(at + (again + 1) * base::kMillisecond, c, kServer, flag::kAck, a + 1, b + 1);
    }
  }
}

TEST(AcceptQueueOverflow, is_a_syn_ack_repeated_after_the_handshake_on_many_connections) {
  Scene scene;
  take_over(scene, 200, 40);
  const HostFinding f = only(scene.watch(), HostKind::kAcceptQueueOverflow);
  EXPECT_EQ(f.ip, address(kServer.ip));
  EXPECT_EQ(f.port, kServer.port);
  EXPECT_EQ(number(f, "connections"), 40);
}

TEST(AcceptQueueOverflow, is_not_seen_in_a_few_acks_that_were_lost) {
  Scene scene;
  take_over(scene, 200, 9);
  EXPECT_TRUE(odd(scene.watch()).empty());
}

TEST(PortScan, vertical_is_told_by_the_ports_of_one_host) {
  for (const bool rich : {false, true}) {
    Scene scene;
    scene.rich = rich;
    for (std::uint16_t port = 1; port <= 1'000; ++port) scene.probe(port * 5 * base::kMillisecond, {66, 50'000}, {9, port}, port % 10 != 0);
    const HostFinding f = only(scene.watch(), HostKind::kPortScan);
    EXPECT_EQ(f.ip, address(66));
    EXPECT_FALSE(f.port);
    EXPECT_EQ(f.peer, address(9));
    EXPECT_EQ(number(f, "ports"), 1'000);
    EXPECT_EQ(number(f, "refused"), 900);
    EXPECT_NE(f.text.find(rich ? "by connect" : "by SYN"), std::string::npos) << f.text;
  }
}

TEST(PortScan, horizontal_is_told_by_the_hosts_on_one_port) {
  Scene scene;
  scene.rich = false;
  for (std::uint32_t n = 0; n < 5'000; ++n) scene.probe(n * base::kMillisecond, {66, 50'000}, {0x10000 + n, 22}, n % 2 == 0);
  const HostFinding f = only(scene.watch(), HostKind::kPortScan);
  EXPECT_EQ(f.peer_port, 22);
  expect_about(number(f, "hosts"), 5'000);
  expect_about(number(f, "refused"), 2'500);
}

TEST(PortScan, knows_fin_null_and_xmas) {
  const std::map<std::uint16_t, std::string> techniques{
      {flag::kFin, "by FIN"}, {0, "by null"}, {flag::kFin | flag::kPsh | flag::kUrg, "by Xmas"}};
  for (const auto& [flags, name] : techniques) {
    Scene scene;
    for (std::uint16_t port = 1; port <= 100; ++port) {
      scene.segment(port * base::kMillisecond, {66, 50'000}, {9, port}, flags, 7);
      if (port % 2 == 0)
        scene.segment(port * base::kMillisecond + 1'000, {9, port}, {66, 50'000}, flag::kRst | flag::kAck, 0, flags == 0 ? 7 : 8);
    }
    const auto all = odd(scene.watch());
    ASSERT_EQ(all.size(), 1U) << name;
    EXPECT_EQ(all[0].kind, HostKind::kPortScan);
    EXPECT_EQ(number(all[0], "ports"), 100) << name;
    EXPECT_NE(all[0].text.find(name), std::string::npos) << all[0].text;
  }
}

TEST(PortScan, is_not_seen_in_many_services_that_answer_nor_in_one_that_is_down) {
  Scene scene;
  for (std::uint16_t n = 0; n < 200; ++n) {
    const Who c{66, static_cast<std::uint16_t>(40'000 + n)};
    const Who s{9, static_cast<std::uint16_t>(20'000 + n)};
    static_cast<void>(scene.close(scene.open(n * base::kMillisecond, c, s), c, s));
    scene.probe(n * base::kMillisecond, {66, static_cast<std::uint16_t>(50'000 + n)}, {10, 80}, true);
  }
  EXPECT_TRUE(odd(scene.watch()).empty());
}

void short_connections(Scene& scene, int count, base::Duration apart, int ports) {
  for (int n = 0; n < count; ++n) {
    const Who c{7, static_cast<std::uint16_t>(32'768 + n * 7 % ports)};
    scene.round = static_cast<std::uint64_t>(n / ports);
    static_cast<void>(scene.close(scene.open(n * apart, c, kServer), c, kServer));
  }
}

TEST(TimeWaitPressure, is_a_share_of_the_ephemeral_range_and_runs_out) {
  Scene scene;
  short_connections(scene, 20'000, base::kMillisecond, 28'232);
  const HostFinding f = only(scene.watch(), HostKind::kTimeWaitPressure);
  EXPECT_EQ(f.ip, address(7));
  EXPECT_EQ(f.peer, address(kServer.ip));
  EXPECT_EQ(f.peer_port, kServer.port);
  expect_about(number(f, "held_at_once"), 20'000);
  EXPECT_EQ(number(f, "range"), 28'232);
  expect_about(number(f, "share"), 20'000.0 / 28'232);
  expect_about(number(f, "per_second"), 1'000);
  expect_about(number(f, "seconds_until_exhausted"), 8.2);
}

TEST(TimeWaitPressure, knows_a_narrow_range_by_its_ports_coming_again) {
  Scene scene;
  short_connections(scene, 4'500, 70 * base::kMillisecond, 1'000);
  const HostFinding f = only(scene.watch(), HostKind::kTimeWaitPressure);
  EXPECT_EQ(number(f, "range"), 1'000);
  expect_about(number(f, "held_at_once"), 63 / 0.07);
}

TEST(TimeWaitPressure, is_not_seen_where_the_range_is_wide_enough) {
  Scene scene;
  short_connections(scene, 5'000, 20 * base::kMillisecond, 28'232);
  EXPECT_TRUE(odd(scene.watch()).empty());
}

/// `count` connections closed by the client, one a second, of which the server never closes `stuck`.
void leak(Scene& scene, int count, int stuck) {
  for (int n = 0; n < count; ++n) {
    const Who c{static_cast<std::uint32_t>(100 + n), 40'000};
    const base::Timestamp over = scene.open(n * base::kSecond, c, kServer);
    static_cast<void>(n * stuck / count != (n + 1) * stuck / count ? scene.half_close(over, c, kServer) : scene.close(over, c, kServer));
  }
}

TEST(CloseWaitLeak, is_a_growing_number_of_connections_stuck_at_one_listener) {
  Scene scene;
  leak(scene, 200, 50);
  const HostFinding f = only(scene.watch(90 * base::kSecond), HostKind::kCloseWaitLeak);
  EXPECT_EQ(f.ip, address(kServer.ip));
  EXPECT_EQ(f.port, kServer.port);
  EXPECT_EQ(number(f, "stuck"), 50);
  expect_about(number(f, "per_minute"), 15);
}

TEST(CloseWaitLeak, is_not_seen_in_a_few) {
  Scene scene;
  leak(scene, 200, 9);
  EXPECT_TRUE(odd(scene.watch(90 * base::kSecond)).empty());
}

TEST(FinWait2Leak, is_seen_at_the_one_client_whose_peers_do_not_close) {
  Scene scene;
  for (std::uint32_t n = 0; n < 30; ++n) {
    const Who c{7, static_cast<std::uint16_t>(40'000 + n)};
    const Who s{200 + n, 80};
    static_cast<void>(scene.half_close(scene.open(n * base::kSecond, c, s), c, s));
  }
  const HostFinding f = only(scene.watch(90 * base::kSecond), HostKind::kFinWait2Leak);
  EXPECT_EQ(f.ip, address(7));
  EXPECT_FALSE(f.port);
  EXPECT_EQ(number(f, "stuck"), 30);
}

TEST(ResetRate, is_a_share_of_connections_with_data) {
  for (const int every : {2, 4}) {
    Scene scene;
    for (int n = 0; n < 200; ++n) {
      const Who c{static_cast<std::uint32_t>(100 + n), 40'000};
      const base::Timestamp over = scene.open(n * 100 * base::kMillisecond, c, kServer);
      if (n % every != 0) {
        static_cast<void>(scene.close(over, kServer, c));
      } else {
        scene.segment(over + base::kMillisecond, kServer, c, flag::kRst | flag::kAck, scene.number(kServer, c) + 101,
                      scene.number(c, kServer) + 101);
      }
    }
    if (every == 4) {
      EXPECT_TRUE(odd(scene.watch()).empty());
      continue;
    }
    const HostFinding f = only(scene.watch(), HostKind::kResetRate);
    EXPECT_EQ(number(f, "resets"), 100);
    EXPECT_EQ(number(f, "connections"), 200);
  }
}

TEST(RetransmissionRate, is_a_share_of_what_a_host_sent) {
  Scene scene;
  for (int n = 0; n < 200; ++n) {
    const Who c{static_cast<std::uint32_t>(100 + n), 40'000};
    base::Timestamp at = scene.open(n * base::kSecond, c, kServer);
    scene.segment(at += 300 * base::kMillisecond, kServer, c, flag::kAck, scene.number(kServer, c) + 1, scene.number(c, kServer) + 101,
                  100);
    static_cast<void>(scene.close(at, c, kServer));
  }
  const HostFinding f = only(scene.watch(), HostKind::kRetransmissionRate);
  EXPECT_EQ(f.port, kServer.port);
  EXPECT_EQ(number(f, "retransmitted"), 200);
  EXPECT_EQ(number(f, "segments"), 1'000);
}

TEST(CaptureLoss, is_about_no_host) {
  Scene scene;
  for (int n = 0; n < 20; ++n) {
    const Who c{static_cast<std::uint32_t>(100 + n), 40'000};
    base::Timestamp at = scene.open(n * base::kSecond, c, kServer);
    scene.segment(at += base::kMillisecond, c, kServer, flag::kAck, scene.number(c, kServer) + 101, scene.number(kServer, c) + 101 + 1'000);
  }
  const HostFinding f = only(scene.watch(), HostKind::kCaptureLoss);
  EXPECT_FALSE(f.ip);
  EXPECT_EQ(number(f, "missing_bytes"), 20'000);
  EXPECT_EQ(f.severity, tcp::Severity::kWarning);
}

TEST(Numbers, of_hosts_are_judged_once_for_each_connection_attempt) {
  Scene scene;
  for (std::uint32_t n = 0; n < 40; ++n) {  // every SYN three times, every SYN-ACK twice; the listener counts
    const Who c{100 + n, static_cast<std::uint16_t>(40'000 + n)};
    const base::Timestamp at = n * base::kSecond;
    for (const int again : {0, 100, 300}) scene.segment(at + again * base::kMillisecond, c, kServer, flag::kSyn, scene.number(c, kServer));
    for (const int again : {1, 310}) {
      scene.segment(at + again * base::kMillisecond, kServer, c, flag::kSyn | flag::kAck, 64'000 * n, scene.number(c, kServer) + 1);
    }
    scene.segment(at + 320 * base::kMillisecond, c, kServer, flag::kAck, scene.number(c, kServer) + 1, 64'000 * n + 1);
  }
  const auto all = scene.watch().findings();
  ASSERT_FALSE(all.empty());
  EXPECT_EQ(all[0].kind, HostKind::kIsnPredictable) << "the gravest first";
  EXPECT_EQ(all[0].port, kServer.port);
  ASSERT_TRUE(all[0].isn);
  EXPECT_EQ(all[0].isn->samples, 40U);
  EXPECT_EQ(all[0].isn->verdict, IsnVerdict::kSequential);
}

TEST(Populations, count_ends_in_each_state_over_time) {
  Scene scene;
  for (std::uint16_t n = 0; n < 100; ++n) {
    const Who c{7, static_cast<std::uint16_t>(40'000 + n)};
    const base::Timestamp over = scene.open(n * base::kMillisecond, c, kServer);
    static_cast<void>(scene.close(over + 300 * base::kSecond, c, kServer));
  }
  const Populations p = scene.watch().populations();
  const auto& established = p.ends[static_cast<std::size_t>(tcp::State::kEstablished)];
  const auto& time_wait = p.ends[static_cast<std::size_t>(tcp::State::kTimeWait)];
  ASSERT_FALSE(established.empty());
  ASSERT_EQ(established.size(), time_wait.size());
  const auto at = [&](base::Duration after) { return static_cast<std::size_t>((kStart + after - p.from) / p.step); };
  EXPECT_EQ(established[at(150 * base::kSecond)], 200) << "both ends of each";
  EXPECT_EQ(established.back(), 0);
  EXPECT_EQ(time_wait.back(), 100);
  EXPECT_TRUE(p.ends[static_cast<std::size_t>(tcp::State::kClosed)].empty());
}

TEST(HostWatch, finds_the_same_at_any_number_of_trackers_and_threads) {
  Scene scene;
  for (std::uint32_t n = 0; n != 400; ++n) {  // a flood, a scan, leaks, resets and ordinary connections, all at once
    const base::Timestamp at = n * 20 * base::kMillisecond;
    scene.segment(at, {0x100'000 + n, 1024}, {1, 80}, flag::kSyn, n * 77'777);
    scene.segment(at + base::kMillisecond, {1, 80}, {0x100'000 + n, 1024}, flag::kSyn | flag::kAck, n * 99'991, n * 77'777 + 1);
    scene.probe(at, {2, 40'000}, {3, static_cast<std::uint16_t>(n + 1)}, n % 2 == 0);
    const Who client{4 + n % 5, static_cast<std::uint16_t>(30'000 + n)};
    const base::Timestamp opened = scene.open(at, client, {9, 443});
    if (n % 3 == 0) scene.half_close(opened, client, {9, 443});
    if (n % 3 == 1) scene.close(opened, client, {9, 443});
    if (n % 3 == 2) scene.segment(opened, client, {9, 443}, flag::kRst, scene.number(client, {9, 443}) + 101);
  }
  const HostWatch one = scene.watch(200 * base::kSecond);
  ASSERT_GE(odd(one).size(), 4U);
  for (const std::uint32_t trackers : {1U, 2U, 3U, 8U}) {
    const HostWatch many = scene.watch(200 * base::kSecond, {}, trackers, trackers % 2 == 1);
    const auto expected = one.findings();
    const auto found = many.findings();
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t n = 0; n != found.size(); ++n) {
      EXPECT_EQ(found[n].text, expected[n].text);
      EXPECT_EQ(found[n].connections, expected[n].connections);
      EXPECT_EQ(found[n].series.values, expected[n].series.values);
    }
    EXPECT_EQ(many.populations().ends, one.populations().ends);
  }
}

TEST(HostWatch, finds_the_same_of_a_brief_as_of_its_life) {
  for (std::uint64_t seed = 0; seed != 8; ++seed) {
    std::mt19937_64 random(seed);
    const auto any = [&random](std::uint32_t of) { return static_cast<std::uint32_t>(random() % of); };
    Scene scene;
    // Attempts of few hosts at few ports, so that ports are used again, hosts repeat themselves and scans are found; most of them SYNs
    // alone.
    for (std::uint32_t n = 0; n != 6'000; ++n) {
      scene.rich = any(2) == 0;
      scene.round = any(3);
      const base::Timestamp at = n * 20 * base::kMillisecond;
      const Who client{1 + any(6), static_cast<std::uint16_t>(2'000 + any(30))};
      const Who server{100 + any(5), static_cast<std::uint16_t>(1 + any(60))};
      switch (any(8)) {
        case 0:
          scene.close(scene.open(at, client, server), client, server);
          break;
        case 1:
          scene.probe(at, client, server, true);
          break;
        case 2:
          scene.segment(at, client, server, flag::kSyn, scene.number(client, server), 0, any(2) * 20);
          break;
        case 3:
        case 4:
          scene.leave_half_open(at, client, server);
          break;
        default:
          scene.probe(at, client, server, false);
      }
    }
    const base::Duration more = any(2) * 100 * base::kSecond;
    const HostWatch by_lives = scene.watch(more);
    const auto expected = by_lives.findings();
    EXPECT_GT(odd(by_lives).size(), 5U);
    for (const bool together : {false, true}) {
      const HostWatch by_briefs = scene.watch_briefs(more, together);
      const auto found = by_briefs.findings();
      ASSERT_EQ(found.size(), expected.size());
      for (std::size_t n = 0; n != found.size(); ++n) {
        EXPECT_EQ(found[n].text, expected[n].text);
        EXPECT_EQ(found[n].connections, expected[n].connections);
        EXPECT_EQ(found[n].from, expected[n].from);
        EXPECT_EQ(found[n].to, expected[n].to);
      }
      EXPECT_EQ(by_briefs.populations().ends, by_lives.populations().ends);
      EXPECT_EQ(by_briefs.populations().from, by_lives.populations().from);
    }
  }
}

TEST(HostWatch, finds_nothing_in_nothing) {
  const HostWatch watch;
  EXPECT_TRUE(watch.findings().empty());
  EXPECT_EQ(watch.populations().step, 0);
}

TEST(HostKinds, have_a_row_each_that_is_found_by_its_name) {
  for (const HostKindInfo& row : host_kinds()) {
    EXPECT_EQ(host_kind(row.name), row.kind);
    EXPECT_FALSE(row.meaning.empty() || row.causes.empty() || row.next_step.empty() || row.otherwise.empty()) << row.name;
  }
  EXPECT_FALSE(host_kind("port-scam"));
}

}  // namespace
}  // namespace finwait::hosts
