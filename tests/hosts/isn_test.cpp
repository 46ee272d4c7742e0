// What the collector says of hosts whose generator is known: the right verdict, no alarm on the innocent, an honest guess.
#include "finwait/hosts/isn.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "finwait/hosts/isn_analysis.h"
#include "isn_generators.h"

namespace {

using namespace finwait::hosts;
using namespace isn_test;

bool alarm(const IsnFinding& f) { return f.kind != IsnKind::kQuality; }
bool any_alarm(const std::vector<IsnFinding>& findings) { return std::any_of(findings.begin(), findings.end(), alarm); }

/// One host of this kind, as the only one of a capture.
IsnFinding judge(std::string_view kind, std::size_t n, std::uint64_t seed, Traffic traffic = {}) {
  Random random(seed);
  const auto found = findings_of(record(generator(kind, seed), 0x0a000001, n, random, traffic));
  EXPECT_EQ(found.size(), 1U) << kind << " " << n;
  return found.empty() ? IsnFinding{} : found.front();
}

struct Expectation {
  std::string kind;
  std::size_t n;
  std::set<IsnVerdict> verdicts;
};

class IsnWeak : public testing::TestWithParam<Expectation> {};

TEST_P(IsnWeak, IsFoundAndNamedWhateverTheSeedAndTheRate) {
  const Expectation& e = GetParam();
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Traffic traffic;
    traffic.rate = std::exp2(static_cast<double>(seed % 7) - 4);
    traffic.drift = (static_cast<double>(seed) - 10) * 1e-5;
    if (e.kind == "hash-no-address") traffic.ports = 4;
    if (e.kind == "hash-no-port") traffic.clients = 4;
    const IsnFinding f = judge(e.kind, e.n, seed, traffic);
    EXPECT_EQ(f.kind, IsnKind::kPredictable) << e.kind << " seed " << seed;
    EXPECT_EQ(f.severity, IsnSeverity::kAlert);
    EXPECT_TRUE(e.verdicts.contains(f.verdict)) << e.kind << " seed " << seed << " " << name(f.verdict) << ": " << f.text;
    EXPECT_LE(f.p_value, 0.01);
    EXPECT_FALSE(f.text.empty());
    EXPECT_FALSE(f.connections.empty());
    EXPECT_LE(f.connections.size(), 10U);
  }
}

constexpr auto kConstant = IsnVerdict::kConstant;
constexpr auto kSequential = IsnVerdict::kSequential;
constexpr auto kClock = IsnVerdict::kClock;
constexpr auto kWeakHash = IsnVerdict::kClockWeakHash;
constexpr auto kLowEntropy = IsnVerdict::kLowEntropy;
constexpr auto kLinear = IsnVerdict::kLinear;

INSTANTIATE_TEST_SUITE_P(Generators, IsnWeak,
                         testing::Values(Expectation{"constant", 4, {kConstant}}, Expectation{"constant", 64, {kConstant}},
                                         Expectation{"pool8", 16, {kLowEntropy, kConstant}}, Expectation{"pool8", 64, {kLowEntropy}},
                                         Expectation{"plus1", 4, {kSequential}}, Expectation{"plus1", 64, {kSequential}},
                                         Expectation{"plus64000", 4, {kSequential}}, Expectation{"plus64000", 256, {kSequential}},
                                         Expectation{"randinc17", 4, {kSequential}}, Expectation{"randinc17", 64, {kSequential}},
                                         Expectation{"clock250k", 6, {kClock, kSequential}}, Expectation{"clock250k", 16, {kClock}},
                                         Expectation{"clock1M", 16, {kClock}}, Expectation{"clock64ns", 16, {kClock}},
                                         Expectation{"clock64ns", 1000, {kClock}}, Expectation{"clock3.7M", 16, {kClock}},
                                         Expectation{"clock250k+8bits", 16, {kClock}}, Expectation{"hash-no-port", 32, {kWeakHash}},
                                         Expectation{"hash-no-address", 32, {kWeakHash}},
                                         Expectation{"range16", 16, {kLowEntropy, kSequential}}, Expectation{"range16", 32, {kLowEntropy}},
                                         Expectation{"lcg32", 16, {kLinear}}, Expectation{"lcg31", 16, {kLinear}},
                                         Expectation{"lcg31", 256, {kLinear}}, Expectation{"minstd", 16, {kLinear}},
                                         Expectation{"lcg-odd-modulus", 32, {kLinear}}, Expectation{"rand48", 16, {kLinear}},
                                         Expectation{"xorshift32", 48, {kLinear}}, Expectation{"rand15x2", 32, {kLowEntropy}}),
                         [](const auto& param_info) {
                           std::string text = param_info.param.kind + "_" + std::to_string(param_info.param.n);
                           std::replace_if(
                               text.begin(), text.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
                           return text;
                         });

TEST(IsnClock, GivesTheSlopeWithinItsDrift) {
  for (const auto& [kind, rate] : std::map<std::string, double>{{"clock250k", 250e3}, {"clock64ns", 15.625e6}, {"clock3.7M", 3.7e6}}) {
    const IsnFinding f = judge(kind, 64, 7);
    ASSERT_TRUE(f.slope.has_value()) << kind;
    EXPECT_NEAR(*f.slope, rate, rate * 1e-3) << kind;
  }
}

TEST(IsnOriginator, OwnPortAndPeerCountAsPartsOfTheTuple) {
  Traffic traffic;
  traffic.originator = true;
  traffic.clients = 5;
  EXPECT_EQ(judge("hash-no-port", 32, 3, traffic).verdict, kWeakHash);
  const IsnFinding f = judge("clock250k", 16, 3, traffic);
  EXPECT_EQ(f.verdict, kClock);
  EXPECT_FALSE(f.port.has_value());
}

TEST(IsnLoss, RecurrencesSurviveConnectionsThatTheCaptureMissed) {
  Traffic traffic;
  traffic.loss = 0.1;
  for (const char* kind : {"lcg32", "xorshift32", "rand48", "plus64000"}) EXPECT_TRUE(alarm(judge(kind, 128, 5, traffic))) << kind;
}

// ---- the innocent
// -------------------------------------------------------------------------------------------------------------------------------

class IsnInnocent : public testing::TestWithParam<const char*> {};

TEST_P(IsnInnocent, ThousandsOfHostsInOneCaptureRaiseNoAlarm) {
  Random random(std::hash<std::string_view>()(GetParam()));
  IsnCollector collector;
  for (std::uint32_t host = 1; host <= 3000; ++host) {
    Traffic traffic;
    traffic.rate = std::exp2(static_cast<double>(random() % 10) - 5);
    traffic.clients = static_cast<unsigned>(1 + random() % 20);
    traffic.ports = random() % 4 == 0 ? 8 : 28000;  // 4-tuples come again
    traffic.originator = host % 2 == 0;
    for (const IsnSample& s : record(generator(GetParam(), host), host, 4 + random() % 60, random, traffic)) collector.add(s);
  }
  const auto findings = collector.finish();
  EXPECT_EQ(findings.size(), 3000U);
  for (const IsnFinding& f : findings) EXPECT_FALSE(alarm(f)) << f.text << " p " << f.p_value;
}

TEST_P(IsnInnocent, TheLeastPValueKeepsItsPromise) {
  // Over single hosts, not corrected for their number: at most 1 % below 0.01, at most 1 in 1,000 below 0.001.
  Random random(11 + std::hash<std::string_view>()(GetParam()));
  constexpr int kHosts = 4000;
  int below_hundredth = 0;
  int below_thousandth = 0;
  for (std::uint32_t host = 1; host <= kHosts; ++host) {
    const std::size_t n = 4 + random() % 40;
    std::vector<IsnObservation> observations;
    for (const IsnSample& s : record(generator(GetParam(), random()), host, n, random)) {
      observations.push_back({s.time, s.connection, s.isn, s.peer.bytes[15], s.host_port, s.peer_port, s.ttl, s.options_signature, false});
    }
    const double p = weigh(make_series(observations), true).p();
    below_hundredth += p <= 0.01;
    below_thousandth += p <= 0.001;
  }
  EXPECT_LE(below_hundredth, kHosts / 100 + 18);  // three standard deviations of the binomial
  EXPECT_LE(below_thousandth, kHosts / 1000 + 6);
}

INSTANTIATE_TEST_SUITE_P(Generators, IsnInnocent, testing::Values("uniform", "rfc6528-64ns", "rfc6528-4us", "freebsd", "syn-cookies"),
                         [](const auto& param_info) {
                           std::string text = param_info.param;
                           std::replace(text.begin(), text.end(), '-', '_');
                           return text;
                         });

/// One set of a host whose numbers have only so many random bits, at any place.
std::vector<IsnObservation> observed(std::string_view kind, std::size_t n, const Traffic& traffic, unsigned bits, Random& random) {
  std::vector<IsnObservation> observations;
  const auto low = static_cast<unsigned>(random() % (33 - bits));
  const std::uint32_t mask = bits == 32 ? 0xffff'ffff : ((std::uint32_t{1} << bits) - 1) << low;
  for (const IsnSample& s : record(generator(kind, random()), 1, n, random, traffic)) {
    const bool again = !observations.empty() && random() % 200 == 0;
    observations.push_back({s.time, s.connection, again ? observations.back().isn : s.isn & mask, s.peer.bytes[15], s.host_port,
                            s.peer_port, s.ttl, s.options_signature, random() % 500 == 0});
  }
  return observations;
}

TEST(IsnQuickWeight, IsThatOfAllTestsToTheLastBit) {
  Random random(5);
  const std::vector<std::string_view> kinds = {
      "uniform",    "uniform",    "uniform", "uniform",      "rfc6528-64ns",    "freebsd",         "syn-cookies",     "clock250k",
      "clock3.7M+", "randinc17",  "pool8",   "hash-no-port", "hash-no-address", "lcg-odd-modulus", "minstd",          "lcg32",
      "rand48",     "xorshift32", "range16", "rand15x2",     "plus64000",       "clock64ns",       "clock250k+8bits", "lcg31"};
  int something = 0;
  int nothing = 0;
  for (int round = 0; round != 12'000; ++round) {
    Traffic traffic;
    traffic.rate = std::exp2(static_cast<double>(random() % 16) - 6);
    traffic.clients = static_cast<unsigned>(1 + random() % 40);
    traffic.ports = random() % 3 == 0 ? 6 : 28000;
    traffic.originator = random() % 2 == 0;
    traffic.loss = random() % 4 == 0 ? 0.3 : 0;
    traffic.jitter = random() % 4 == 0 ? 100 : 1e-4;
    const std::size_t n = round % 500 == 0 ? 200 + random() % 1500 : random() % (round % 20 == 0 ? 140 : 24);
    const unsigned bits = random() % 8 == 0 ? static_cast<unsigned>(1 + random() % 32) : 32;
    const IsnSeries series = make_series(observed(kinds[static_cast<std::size_t>(round) % kinds.size()], n, traffic, bits, random));
    const IsnEvidence evidence = weigh(series, !traffic.originator);
    const IsnWeight quick = weigh_quickly(series, !traffic.originator);
    ASSERT_EQ(quick.p, evidence.p()) << round << " samples " << n;
    ASSERT_EQ(quick.tests, evidence.tests) << round;
    something += evidence.p() < 1;
    nothing += evidence.p() == 1;
  }
  EXPECT_GT(something, 3000);
  EXPECT_GT(nothing, 3000);
}

TEST(IsnInnocentVerdict, ThirtyTwoSamplesAreEnoughToSayRandomLikeAndNoFewer) {
  EXPECT_EQ(judge("uniform", 31, 1).verdict, IsnVerdict::kInconclusive);
  EXPECT_EQ(judge("uniform", 32, 1).verdict, IsnVerdict::kRandomLike);
  EXPECT_EQ(judge("syn-cookies", 64, 1).verdict, IsnVerdict::kRandomLike);
  EXPECT_DOUBLE_EQ(judge("uniform", 32, 1).guess.share, 0.95);
}

TEST(IsnInnocentVerdict, TheClockOfOneTupleIsGoodNews) {
  Traffic traffic;
  traffic.clients = 2;
  traffic.ports = 4;
  traffic.rate = 0.1;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    for (const char* kind : {"rfc6528-64ns", "rfc6528-4us", "freebsd"}) {
      const IsnFinding f = judge(kind, 40, seed, traffic);
      EXPECT_EQ(f.verdict, IsnVerdict::kRfc6528Like) << kind << ": " << f.text;
      EXPECT_TRUE(f.slope.has_value());
    }
    EXPECT_EQ(judge("uniform", 40, seed, traffic).verdict, IsnVerdict::kRandomLike);
    EXPECT_EQ(judge("syn-cookies", 40, seed, traffic).verdict, IsnVerdict::kRandomLike);
  }
}

TEST(IsnInnocentVerdict, OneTupleUsedAgainAndAgainIsOneSample) {
  // RFC 6528 makes a clock of it by design.
  Traffic traffic;
  traffic.clients = 1;
  traffic.ports = 1;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) EXPECT_FALSE(alarm(judge("rfc6528-64ns", 100, seed, traffic)));
}

TEST(IsnTimeWait, LinuxGoesOnFromTheOldNumbersByDesign) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Random random(seed);
    std::vector<IsnSample> samples = record(generator("uniform", seed), 1, 20, random);
    for (std::size_t i = 1; i < samples.size(); ++i) {
      IsnSample& s = samples[i];
      s.after_time_wait = true;
      s.previous_snd_nxt = samples[i - 1].isn + 5000;
      s.isn = s.previous_snd_nxt + 65537;
      // Even where the caller has matched other 4-tuples.
    }
    EXPECT_FALSE(any_alarm(findings_of(samples)));
    for (IsnSample& s : samples) s.after_time_wait = false;
    EXPECT_TRUE(any_alarm(findings_of(samples)));  // the same numbers without that excuse
  }
}

TEST(IsnTranslation, OneSynSeenBeforeAndBehindATranslatorIsOneSample) {
  for (const std::uint8_t ttl_behind : {std::uint8_t{64}, std::uint8_t{63}}) {
    Random random(9);
    Traffic traffic;
    traffic.originator = true;
    std::vector<IsnSample> samples;
    for (IsnSample& s : record(generator("rfc6528-64ns", 9), 1, 40, random, traffic)) {
      samples.push_back(s);
      s.time += 300'000;
      s.connection += 1'000'000;
      s.peer = address(0xc0a80001U);
      s.peer_port = 8080;
      s.ttl = ttl_behind;
      samples.push_back(s);
    }
    EXPECT_FALSE(any_alarm(findings_of(samples)));
  }
}

// ---- several machines
// ----------------------------------------------------------------------------------------------------------------------------

std::vector<IsnSample> mixture(std::initializer_list<std::pair<const char*, std::uint8_t>> parts, std::size_t each, std::uint64_t seed) {
  std::vector<IsnSample> all;
  std::uint64_t number = 0;
  for (const auto& [kind, ttl] : parts) {
    Random random(seed * 100 + ++number);
    Traffic traffic;
    traffic.ttl = ttl;
    auto samples = record(generator(kind, seed * 1000 + number), 1, each, random, traffic);
    const auto shift = static_cast<Timestamp>(1'000'000'000'000'000) - samples.front().time;
    for (IsnSample& s : samples) s.time += shift + static_cast<Timestamp>(number);
    all.insert(all.end(), samples.begin(), samples.end());
  }
  std::sort(all.begin(), all.end(), [](const IsnSample& a, const IsnSample& b) { return a.time < b.time; });
  return all;
}

TEST(IsnMachines, GoodOnesBehindALoadBalancerRaiseNoAlarm) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const auto told_apart = findings_of(mixture({{"rfc6528-64ns", 61}, {"uniform", 62}, {"rfc6528-4us", 63}}, 20, seed));
    EXPECT_EQ(told_apart.size(), 3U);
    EXPECT_FALSE(any_alarm(told_apart));
    EXPECT_FALSE(any_alarm(findings_of(mixture({{"rfc6528-64ns", 61}, {"uniform", 61}, {"freebsd", 61}}, 20, seed))));
  }
}

TEST(IsnMachines, ABadOneAmongGoodOnesIsFound) {
  const std::map<std::string, IsnVerdict> bad = {
      {"constant", kConstant}, {"randinc17", kSequential}, {"plus64000", kSequential}, {"clock64ns", kClock}, {"lcg32", kLinear}};
  for (const auto& [kind, verdict] : bad) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      int alarms = 0;
      for (const IsnFinding& f : findings_of(mixture({{"rfc6528-64ns", 63}, {kind.c_str(), 249}}, 20, seed))) {
        if (!alarm(f)) continue;
        ++alarms;
        EXPECT_EQ(f.verdict, verdict) << f.text;
        EXPECT_EQ(f.ttl, 249);
      }
      EXPECT_EQ(alarms, 1) << kind;
    }
  }
}

TEST(IsnMachines, ABadOneThatLooksLikeItsNeighbourIsFoundTogetherWithIt) {
  for (const char* kind : {"constant", "randinc17", "clock250k"}) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed)
      EXPECT_TRUE(any_alarm(findings_of(mixture({{"uniform", 64}, {kind, 64}}, 20, seed)))) << kind;
  }
}

// ---- the guess
// ------------------------------------------------------------------------------------------------------------------------------------

TEST(IsnGuess, HoldsTheNextNumberAsOftenAsItSays) {
  for (const char* kind : {"constant", "plus64000", "randinc17", "clock250k", "clock250k+8bits", "lcg32", "rand48", "xorshift32"}) {
    int held = 0;
    constexpr int kHosts = 200;
    for (std::uint64_t seed = 1; seed <= kHosts; ++seed) {
      Random random(seed);
      auto samples = record(generator(kind, seed), 1, 49, random);
      const IsnSample next = samples.back();
      samples.pop_back();
      const IsnFinding f = findings_of(samples).front();
      if (!f.guess.from) continue;  // two connections so close that the capture has them in the wrong order
      const double moved = f.slope.value_or(0) * static_cast<double>(next.time - samples.back().time) * 1e-9;
      const std::uint32_t from = *f.guess.from + static_cast<std::uint32_t>(std::llround(moved));
      held += next.isn - from <= f.guess.width;
      EXPECT_LT(f.guess.share, 0.01) << kind;
    }
    EXPECT_GE(held, kHosts * 9 / 10) << kind;
  }
}

TEST(IsnGuess, RangeOfFewResiduesIsWiderThanTheyAre) {
  const Range range = prediction_range({10, 20, 30, 40});
  EXPECT_LT(range.low, 0);
  EXPECT_GT(range.high, 50);
}

// ---- nmap, merging, reporting
// ---------------------------------------------------------------------------------------------------------------------

TEST(IsnNmap, ComputesItsThreeMeasuresAsNmapDoes) {
  // Six probes 100 ms apart, each 64,000 higher: GCD 64,000; 640,000 a second; log2 of it times eight is 154.3; no deviation.
  std::vector<IsnObservation> samples;
  for (std::uint32_t i = 0; i < 6; ++i) samples.push_back({Timestamp{i} * 100'000'000, i, 0xffff0000U + i * 64000, 0, 0, 0, 0, 0, false});
  const NmapIsn measures = nmap_measures(samples);
  EXPECT_EQ(measures.gcd, 64000U);
  EXPECT_EQ(measures.isr, 154U);
  EXPECT_EQ(measures.sp, 0U);
  for (IsnObservation& s : samples) s.isn = 7;
  EXPECT_EQ(nmap_measures(samples).gcd, 0U);
  // Steps of 10 and 30 in turn: rates 100 and 300, mean 180, GCD 10, deviation of the rates over ten 10.954: log2 times eight is 27.6.
  std::uint32_t isn = 0;
  for (std::size_t i = 0; i < 6; ++i) {
    samples[i].isn = isn;
    isn += i % 2 == 0 ? 10U : 30U;
  }
  EXPECT_EQ(nmap_measures(samples).gcd, 10U);
  EXPECT_EQ(nmap_measures(samples).isr, 60U);
  EXPECT_EQ(nmap_measures(samples).sp, 28U);
}

TEST(IsnCollector, FewerThanFourSamplesSayNothingUnlessTheyRepeat) {
  Random random(3);
  EXPECT_TRUE(findings_of(record(generator("clock250k", 1), 1, 3, random)).empty());
  Traffic slow;  // far enough apart not to be two sights of one segment
  slow.rate = 0.001;
  const auto found = findings_of(record(generator("constant", 1), 1, 2, random, slow));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].verdict, kConstant);
  EXPECT_EQ(found[0].guess.width, 0U);
}

TEST(IsnCollector, OneNumberThatComesTwiceAmongManyIsARepetitionNotAWeakGenerator) {
  Random random(4);
  auto samples = record(generator("uniform", 4), 1, 40, random);
  samples[30].isn = samples[3].isn;
  const auto found = findings_of(samples);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].kind, IsnKind::kRepeated);
  EXPECT_EQ(found[0].severity, IsnSeverity::kWarning);
}

TEST(IsnCollector, NetworksAndPortsAreDifferentHosts) {
  Random random(5);
  auto samples = record(generator("uniform", 5), 1, 8, random);
  const std::size_t n = samples.size();
  for (std::size_t i = 0; i < n; ++i) {
    IsnSample other = samples[i];
    other.network = 0x01000007;
    samples.push_back(other);
    other.network = 0;
    other.port = 80;
    samples.push_back(other);
  }
  EXPECT_EQ(findings_of(samples).size(), 3U);
}

TEST(IsnCollector, AnyNumberOfThreadsFindsTheSame) {
  std::vector<IsnSample> samples;
  Random random(9);
  const char* const kinds[] = {"uniform", "plus64000", "lcg32", "clock250k", "constant"};
  for (std::uint32_t host = 1; host <= 40; ++host) {
    for (const IsnSample& s : record(generator(kinds[host % 5], host), host, 32, random)) samples.push_back(s);
  }
  const auto texts = [&](unsigned threads) {
    IsnLimits limits;
    limits.threads = threads;
    IsnCollector collector(limits);
    for (const IsnSample& s : samples) collector.add(s);
    std::vector<std::string> all;
    for (const IsnFinding& f : collector.finish()) all.push_back(f.text + std::to_string(f.p_value));
    return all;
  };
  const auto alone = texts(1);
  EXPECT_EQ(alone.size(), 40U);
  for (const unsigned threads : {2U, 3U, 64U}) EXPECT_EQ(texts(threads), alone) << threads;
}

TEST(IsnCollector, WhatHasNoWeaknessCanBeCountedInstead) {
  // Sound and weak hosts, listeners and originators, with many samples and few; machines behind one address; 4-tuples used again.
  Random random(12);
  IsnCollector collector;
  const char* const kinds[] = {"uniform", "plus64000", "rfc6528-64ns", "uniform", "uniform"};
  for (std::uint32_t host = 1; host <= 60; ++host) {
    Traffic traffic;
    traffic.originator = host % 3 == 0;
    traffic.clients = 1 + host % 2;
    traffic.ports = host % 4 == 0 ? 8 : 28000;
    for (IsnSample& s : record(generator(kinds[host % 5], host), host, 2 + host, random, traffic)) {
      if (host % 7 == 0) s.ttl = s.connection % 2 == 0 ? 64 : 128;
      collector.add(s);
    }
  }
  IsnVerdictCounts expected{};
  std::vector<std::string> weak;
  for (const IsnFinding& f : collector.finish()) {
    if (f.kind == IsnKind::kQuality) {
      ++expected[static_cast<std::size_t>(f.verdict)];
    } else {
      weak.push_back(f.text + std::to_string(f.p_value));
    }
  }
  IsnVerdictCounts sound{};
  std::vector<std::string> found;
  for (const IsnFinding& f : collector.finish(sound)) found.push_back(f.text + std::to_string(f.p_value));
  EXPECT_EQ(found, weak);
  EXPECT_EQ(sound, expected);
  EXPECT_FALSE(weak.empty());
  EXPECT_NE(sound[static_cast<std::size_t>(IsnVerdict::kRandomLike)], 0U);
  EXPECT_NE(sound[static_cast<std::size_t>(IsnVerdict::kInconclusive)], 0U);
}

TEST(IsnCollector, AnyStampsAndNumbersAreTakenWithoutHarm) {
  Random random(6);
  IsnCollector collector(IsnLimits{IsnCollector::kLeastMemory, 0.01, 0});
  for (int i = 0; i < 20000; ++i) {
    IsnSample s;
    s.time = static_cast<Timestamp>(random());
    s.connection = random();
    s.isn = static_cast<std::uint32_t>(random() >> (random() % 32));
    s.host = address(static_cast<std::uint32_t>(random() % 5));
    s.port = static_cast<std::uint16_t>(random() % 2);
    s.peer = address(static_cast<std::uint32_t>(random() % 3));
    s.peer_port = static_cast<std::uint16_t>(random() % 5);
    s.ttl = static_cast<std::uint8_t>(random() % 3);
    s.after_time_wait = random() % 2 == 0;
    s.previous_snd_nxt = static_cast<std::uint32_t>(random());
    collector.add(s);
  }
  EXPECT_FALSE(collector.finish().empty());
}

// ---- power
// ------------------------------------------------------------------------------------------------------------------------------------------

TEST(IsnPower, ShareOfHostsFoundAmongAThousandBySamples) {
  // Each weak host stands among 999 innocent ones: a p-value must be below 0.01 / 1000 (Holm's first step). This prints the table of
  // docs/isn.md.
  constexpr int kHosts = 60;
  const std::vector<std::size_t> sizes = {4, 6, 8, 16, 32, 64};
  const std::map<std::string, std::size_t> certain_from = {
      {"constant", 4},      {"pool8", 16},           {"plus1", 4},     {"plus64000", 4},   {"randinc17", 4},
      {"clock250k", 6},     {"clock1M", 6},          {"clock64ns", 6}, {"clock3.7M", 6},   {"clock250k+8bits", 6},
      {"hash-no-port", 16}, {"hash-no-address", 32}, {"range16", 6},   {"lcg32", 16},      {"lcg31", 16},
      {"minstd", 16},       {"lcg-odd-modulus", 32}, {"rand48", 6},    {"xorshift32", 64}, {"rand15x2", 32}};
  std::printf("%-18s", "generator");
  for (const std::size_t n : sizes) std::printf("%6zu", n);
  std::printf("\n");
  for (const auto& [kind, certain] : certain_from) {
    std::printf("%-18s", kind.c_str());
    for (const std::size_t n : sizes) {
      int found = 0;
      for (std::uint64_t seed = 1; seed <= kHosts; ++seed) {
        Random random(seed * 31 + n);
        Traffic traffic;
        traffic.clients = 6;
        traffic.ports = kind == "hash-no-address" ? 6 : 28000;
        std::vector<IsnObservation> observations;
        for (const IsnSample& s : record(generator(kind, seed + n), 1, n, random, traffic)) {
          observations.push_back(
              {s.time, s.connection, s.isn, s.peer.bytes[15], s.host_port, s.peer_port, s.ttl, s.options_signature, false});
        }
        found += weigh(make_series(observations), true).p() <= 0.01 / 1000;
      }
      std::printf("%5d%%", found * 100 / kHosts);
      if (n >= certain) {
        EXPECT_GE(found * 100, kHosts * 98) << kind << " with " << n;
      }
    }
    std::printf("\n");
  }
}

}  // namespace
