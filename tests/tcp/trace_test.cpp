// Every trace below tests/traces, as a specification of the tracker: states after each line, what is said at the end, and that neither
// initial sequence numbers, addresses, IP version, batch size, neighbours nor shards change a word of it.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <ostream>
#include <set>
#include <sstream>

#include "finwait/base/hash.h"
#include "finwait/tcp/tracker.h"
#include "support/trace.h"

namespace finwait::testing {
namespace {

using tcp::Who;

struct Mode {
  Addressing addressing;
  std::size_t batch = 1;  ///< 0: all at once
  bool interleaved = false;
  std::uint32_t shards = 1;
};

std::ostream& operator<<(std::ostream& out, const Mode& m) {
  return out << std::hex << "isn " << m.addressing.isn[0] << '/' << m.addressing.isn[1] << std::dec
             << (m.addressing.ipv6 ? ", IPv6" : ", IPv4") << (m.addressing.exchanged ? ", addresses exchanged" : "") << ", batch "
             << m.batch << (m.interleaved ? ", interleaved" : "") << ", " << m.shards << " shard(s)";
}

/// What was seen after one line.
struct Rung {
  std::array<tcp::State, 2> states{};  ///< by side
  bool refuted = false;
  std::set<std::string> anomalies;
};

/// What was said of one connection, in the trace's own words: sides, frames counted within the trace.
struct Said {
  std::uint64_t id = 0;
  int originator = 0;
  tcp::Verdict verdict;
  std::array<tcp::State, 2> state{};
  std::array<tcp::Counters, 2> counters;
  std::array<std::vector<tcp::Transition>, 2> path;  ///< refuted entries cancelled
  std::vector<tcp::Transition> transitions;
  std::vector<tcp::Anomaly> anomalies;
};

struct Result {
  std::vector<Rung> ladder;  ///< only with batches of one and one shard
  std::vector<Said> connections;
};

class Runner {
 public:
  Runner(const Trace& trace, const Mode& mode) : trace_(trace), mode_(mode) {
    tcp::TrackerOptions options;
    options.max_connections = 64;
    options.seed = 7;
    options.events = mode.batch == 1;
    for (std::uint32_t n = 0; n < mode.shards; ++n) trackers_.push_back(std::make_unique<tcp::Tracker>(options));
    if (ladder()) trackers_[0]->watch(key_of(mode.addressing));
  }

  Result run() {
    clock_ = mode_.addressing.start;
    for (const TraceStep& step : trace_.steps) {
      const base::Timestamp at = mode_.addressing.start + step.time;
      clock_ = std::max(clock_, at);
      if (step.kind == TraceStep::Kind::kAdvance) {
        flush();
        for (auto& t : trackers_) t->advance(clock_);
        rung();
        drain();
      } else {
        segment(step);
      }
    }
    flush();
    for (auto& t : trackers_) t->finish(clock_);
    drain();
    std::sort(result_.connections.begin(), result_.connections.end(), [](const Said& a, const Said& b) { return a.id < b.id; });
    return std::move(result_);
  }

 private:
  [[nodiscard]] bool ladder() const { return mode_.batch == 1 && mode_.shards == 1; }

  void segment(const TraceStep& step) {
    ++within_;
    if (mode_.interleaved) push(neighbour(), 0);
    push(materialise(step, mode_.addressing), within_);
    if (mode_.batch == 1 || (mode_.batch != 0 && pending_.size() >= mode_.batch)) {
      flush();
      rung();
      drain();
    }
  }

  void push(const wire::Segment& segment, std::uint64_t within) {
    wire::Segment s = segment;
    s.clock = clock_;
    s.frame = ++frame_;
    within_of_[s.frame] = within;
    s.hash = trackers_[0]->hash(s.key);
    pending_.push_back(s);
  }

  /// An unrelated conversation: one byte a segment, each acknowledged.
  wire::Segment neighbour() {
    Addressing other = mode_.addressing;
    other.network = 9;
    const bool reply = (neighbours_ & 1) != 0;
    const std::int64_t n = neighbours_++ / 2;
    TraceStep step;
    step.time = clock_ - mode_.addressing.start;
    step.side = reply ? 1 : 0;
    step.flags = wire::tcp_flag::kAck;
    step.seq = reply ? 1 : 1 + n;
    step.payload = reply ? 0 : 1;
    step.ack = reply ? 2 + n : 1;
    step.ttl = 64;
    step.ip_id = static_cast<std::uint16_t>(1 + n);
    return materialise(step, other);
  }

  void flush() {
    std::vector<std::vector<wire::Segment>> parts(trackers_.size());
    for (const auto& s : pending_) parts[base::shard_of(s.hash, mode_.shards)].push_back(s);
    for (std::size_t n = 0; n < parts.size(); ++n) {
      trackers_[n]->track(parts[n]);
      trackers_[n]->advance(clock_);
    }
    pending_.clear();
  }

  void rung() {
    if (!ladder()) return;
    tcp::Tracker& t = *trackers_[0];
    Rung rung;
    if (!t.steps().empty()) {
      const std::uint32_t index = t.steps().back().connection;
      const auto live = [&](std::uint32_t i) { return i != tcp::kNoBlock && (t.connection(i).traits & tcp::trait::kCandidate) == 0; };
      if (live(index) && t.connection(index).id >= newest_id_ && mine(t.connection(index))) see(index);
    }
    for (const tcp::Event& e : t.events()) {
      const tcp::Connection& c = t.connection(e.connection);
      if (!mine(c)) continue;
      if (c.id >= newest_id_ && (c.traits & tcp::trait::kCandidate) == 0) see(e.connection);
      if (e.kind == tcp::Event::Kind::kAnomaly)
        rung.anomalies.emplace(tcp::info(e.anomaly.kind).name);
      else
        rung.refuted |= e.transition.evidence == tcp::Proof::kRefuted;
    }
    if (newest_id_ != 0 && t.connection(newest_).id == newest_id_) {
      for (int side = 0; side < 2; ++side) {
        states_[static_cast<std::size_t>(side)] =
            t.connection(newest_).ends[static_cast<std::size_t>(end_of(mode_.addressing, side))].state;
      }
    }
    rung.states = states_;
    result_.ladder.push_back(rung);
    t.clear_events();
  }

  void see(std::uint32_t index) {
    newest_ = index;
    newest_id_ = trackers_[0]->connection(index).id;
  }

  [[nodiscard]] bool mine(const tcp::Connection& c) const { return c.key == key_of(mode_.addressing); }

  void drain() {
    for (auto& t : trackers_) {
      t->drain([this](const tcp::Outcome& o) {
        if (mine(o.connection)) result_.connections.push_back(said(o));
      });
      t->clear_events();
    }
  }

  std::uint64_t within(std::uint64_t frame) {
    const auto at = within_of_.find(frame);
    return at == within_of_.end() ? 0 : at->second;
  }

  Said said(const tcp::Outcome& o) {
    Said s;
    s.id = within(o.connection.id);
    s.verdict = o.verdict;
    const int flip = end_of(mode_.addressing, 0);  // ends[flip] is the left side
    s.originator = o.connection.originator == flip ? 0 : 1;
    for (std::size_t side = 0; side < 2; ++side) {
      const auto& end = o.connection.ends[side ^ static_cast<std::size_t>(flip)];
      s.state[side] = end.state;
      s.counters[side] = end.counters;
    }
    for (tcp::Transition t : o.transitions) {
      t.end = static_cast<std::uint8_t>(t.end ^ flip);
      t.cause_frame = within(t.cause_frame);
      t.proof_frame = within(t.proof_frame);
      s.transitions.push_back(t);
      auto& path = s.path[t.end];
      if (t.evidence != tcp::Proof::kRefuted)
        path.push_back(t);
      else if (!path.empty())
        path.pop_back();
    }
    for (tcp::Anomaly a : o.anomalies) {
      a.end = static_cast<std::uint8_t>(a.end ^ flip);
      for (auto& f : a.frames) f = within(f);
      s.anomalies.push_back(a);
    }
    return s;
  }

  const Trace& trace_;
  Mode mode_;
  std::vector<std::unique_ptr<tcp::Tracker>> trackers_;
  std::vector<wire::Segment> pending_;
  std::map<std::uint64_t, std::uint64_t> within_of_;
  base::Timestamp clock_ = 0;
  std::uint64_t frame_ = 0;
  std::uint64_t within_ = 0;
  std::int64_t neighbours_ = 0;
  std::uint32_t newest_ = 0;
  std::uint64_t newest_id_ = 0;
  std::array<tcp::State, 2> states_{};
  Result result_;
};

// ---- the words of what was said

const char* side_name(int side) { return side == 0 ? "originator" : "responder"; }

/// Verdicts speak of the end noted as originator; a trace of its left side.
Who by_side(const Said& s, Who who) {
  if (s.originator == 0) return who;
  if (who == Who::kOriginator) return Who::kResponder;
  if (who == Who::kResponder) return Who::kOriginator;
  return who;
}

std::string evidence_name(tcp::Proof p) {
  static constexpr std::array<const char*, 4> kNames{"proven", "presumed", "refuted", "timer"};
  return kNames[static_cast<std::size_t>(p)];
}

std::vector<std::string> inconclusive_of(const Said& s) {
  std::vector<std::string> kinds;
  for (int k = 0; k < tcp::kAnomalyKinds; ++k) {
    if (s.verdict.inconclusive[static_cast<std::size_t>(k)]) kinds.emplace_back(tcp::info(static_cast<tcp::AnomalyKind>(k)).name);
  }
  return kinds;
}

/// Everything that must be the same in every mode. Times count from the trace's start; frames within the trace.
std::string words_of(const Result& result, base::Timestamp start) {
  std::ostringstream out;
  for (const Said& s : result.connections) {
    const tcp::Verdict& v = s.verdict;
    out << "connection " << s.id << " opening " << name(v.opening) << " ending " << name(v.ending) << " completed_by "
        << name(v.completed_by) << " first_fin " << name(by_side(s, v.first_fin)) << " reset_by " << name(by_side(s, v.reset_by))
        << " replaced " << name(v.replaced) << " originator " << side_name(s.originator) << " by " << name(v.role_evidence)
        << " completeness " << int{v.completeness} << '\n';
    if (v.half_close) {
      out << "  half_close " << name(by_side(s, v.half_close->by)) << ' ' << v.half_close->from - start << ' ' << v.half_close->to - start
          << ' ' << v.half_close->bytes << ' ' << v.half_close->packets << '\n';
    }
    if (v.time_wait) {
      out << "  time_wait " << name(by_side(s, v.time_wait->owner)) << ' ' << v.time_wait->from - start << ' ' << v.time_wait->restarts
          << ' ' << v.time_wait->until - start << ' ' << name(v.time_wait->ended) << '\n';
    }
    for (const auto& t : s.transitions) {
      out << "  " << side_name(t.end) << ' ' << name(t.from) << " -> " << name(t.to) << " cause " << t.cause_frame << " proof "
          << t.proof_frame << " at " << t.time - start << ' ' << evidence_name(t.evidence) << '\n';
    }
    for (const auto& a : s.anomalies) {
      out << "  " << tcp::info(a.kind).name << ' ' << name(a.severity) << " origins " << int{a.origins} << " of " << side_name(a.end)
          << " count " << a.count << " at " << a.time - start << " frames " << a.frames[0] << ' ' << a.frames[1] << ' ' << a.frames[2]
          << '\n';
    }
    for (const auto& kind : inconclusive_of(s)) out << "  inconclusive " << kind << '\n';
    for (std::size_t side = 0; side < 2; ++side) {
      const auto& c = s.counters[side];
      out << "  " << side_name(static_cast<int>(side)) << ' ' << name(s.state[side]) << " packets " << c.packets << " payload "
          << c.payload_bytes << " retransmitted " << c.retransmitted_segments << '/' << c.retransmitted_bytes << " missing "
          << c.missing_bytes << " out_of_order " << c.out_of_order << " duplicates " << c.duplicates << " zero_windows " << c.zero_windows
          << " keepalives " << c.keepalives << " syn " << c.syn << " syn_ack " << c.syn_ack << " fin " << c.fin << " rst " << c.rst << '\n';
    }
  }
  return out.str();
}

// ---- the comparison

class Judge {
 public:
  Judge(const Trace& trace, const Result& result) : trace_(trace), result_(result) {}

  std::string verdict() {
    ladder();
    if (result_.connections.size() != trace_.connections.size()) {
      wrong(trace_.connections.back().line) << "expected " << trace_.connections.size() << " connection(s), got "
                                            << result_.connections.size() << '\n';
    }
    for (std::size_t n = 0; n < std::min(result_.connections.size(), trace_.connections.size()); ++n) {
      connection(trace_.connections[n], result_.connections[n]);
    }
    return out_.str();
  }

 private:
  std::ostream& wrong(int line) { return out_ << trace_.file << ':' << line << ": "; }

  static std::string column(const TraceStep& step, std::size_t side) {
    return step.states[side] ? std::string(tcp::name(*step.states[side])) : "*";
  }

  void ladder() {
    bool good = true;
    std::ostringstream text;
    for (std::size_t n = 0; n < trace_.steps.size() && n < result_.ladder.size(); ++n) {
      const TraceStep& step = trace_.steps[n];
      const Rung& rung = result_.ladder[n];
      std::string complaint;
      for (std::size_t side = 0; side < 2; ++side) {
        if (step.states[side] && *step.states[side] != rung.states[side])
          complaint += std::string(" ") + side_name(static_cast<int>(side)) + " is " + std::string(tcp::name(rung.states[side]));
      }
      bool refuted = false;
      for (const auto& e : step.events) {
        if (e == "refuted")
          refuted = true;
        else if (!rung.anomalies.contains(e))
          complaint += " no " + e;
      }
      if (refuted != rung.refuted) complaint += refuted ? " nothing was refuted" : " something was refuted";
      text << (complaint.empty() ? "    " : " -> ") << step.line << ": " << step.text << " | " << column(step, 0) << ' ' << column(step, 1);
      if (!complaint.empty()) text << "   <-- got:" << complaint;
      text << '\n';
      good &= complaint.empty();
    }
    if (!good) out_ << trace_.file << ": the states differ:\n" << text.str();
  }

  template <class T>
  void same(int line, const char* what, const T& expected, const T& got) {
    if (expected != got) wrong(line) << what << ": expected '" << expected << "', got '" << got << "'\n";
  }

  void connection(const Expected& e, const Said& s) {
    const tcp::Verdict& v = s.verdict;
    same(e.line, "opening", name(*e.opening), name(v.opening));
    same(e.line, "ending", name(*e.ending), name(v.ending));
    if (e.completed_by) same(e.line, "completed_by", *e.completed_by, std::string(name(v.completed_by)));
    if (e.first_fin) same(e.line, "first_fin", name(*e.first_fin), name(by_side(s, v.first_fin)));
    if (e.reset_by) same(e.line, "reset_by", name(*e.reset_by), name(by_side(s, v.reset_by)));
    same(e.line, "replaced", name(e.replaced), name(v.replaced));
    if (e.role_evidence) same(e.line, "role_evidence", *e.role_evidence, std::string(name(v.role_evidence)));
    same(e.line, "the originator is", std::string(side_name(e.originator)), std::string(side_name(s.originator)));
    objects(e, s);
    std::vector<std::string> kinds;
    for (const auto& a : s.anomalies) kinds.emplace_back(tcp::info(a.kind).name);
    same(e.line, "anomalies", list(e.anomalies), list(kinds));
    same(e.line, "inconclusive", list(e.inconclusive), list(inconclusive_of(s)));
    paths(e, s);
    for (const auto& [kind, expected] : e.times) {
      const auto found =
          std::find_if(s.anomalies.begin(), s.anomalies.end(), [&, kind = kind](const auto& a) { return tcp::info(a.kind).name == kind; });
      same(e.line, kind.c_str(), expected, found == s.anomalies.end() ? 0 : std::uint64_t{found->count});
    }
    for (const auto& [kind, expected] : e.origins) {
      for (const auto& a : s.anomalies) {
        if (tcp::info(a.kind).name == kind) same(e.line, kind.c_str(), expected, origins(a));
      }
    }
    for (const auto& [what, expected] : e.counters) same(e.line, what.c_str(), std::to_string(expected), counter(s, what));
  }

  static std::string list(std::vector<std::string> kinds) {
    std::sort(kinds.begin(), kinds.end());
    std::string text;
    for (const auto& k : kinds) text += (text.empty() ? "" : " ") + k;
    return text;
  }

  static std::string origins(const tcp::Anomaly& a) {
    static constexpr std::array<const char*, 4> kNames{"endpoint", "network", "capture", "attacker"};
    std::string text;
    for (std::size_t bit = 0; bit != kNames.size(); ++bit) {
      if ((a.origins & 1U << bit) != 0) text += (text.empty() ? "" : " ") + std::string(kNames[bit]);
    }
    return text;
  }

  void objects(const Expected& e, const Said& s) {
    const auto& t = s.verdict.time_wait;
    const auto time_wait = [](Who owner, std::uint32_t restarts, tcp::TimeWaitEnd ended) {
      return std::string(name(owner)) + " " + std::to_string(restarts) + " restarts " + std::string(name(ended));
    };
    same(e.line, "time_wait", e.time_wait ? time_wait(e.time_wait->owner, e.time_wait->restarts, e.time_wait->ended) : "none",
         t ? time_wait(by_side(s, t->owner), t->restarts, t->ended) : "none");
    const auto& h = s.verdict.half_close;
    same(e.line, "half_close", e.half_close ? name(e.half_close->by) : "none", h ? name(by_side(s, h->by)) : "none");
    if (e.half_close && h && e.half_close->bytes) same(e.line, "half_close bytes", *e.half_close->bytes, h->bytes);
  }

  void paths(const Expected& e, const Said& s) {
    for (std::size_t side = 0; side < 2; ++side) {
      if (!e.path[side]) continue;
      std::string expected;
      std::string got;
      for (const auto state : *e.path[side]) expected += std::string(tcp::name(state)) + " ";
      if (!s.path[side].empty()) got = std::string(tcp::name(s.path[side].front().from)) + " ";
      for (const auto& t : s.path[side]) got += std::string(tcp::name(t.to)) + " ";
      same(e.line, (std::string("path of the ") + side_name(static_cast<int>(side))).c_str(), expected, got);
    }
    for (const auto& c : e.causes) {
      std::uint64_t frame = 0;
      for (const auto& t : s.path[static_cast<std::size_t>(c.side)]) {
        if (t.to == c.state) frame = t.cause_frame;
      }
      same(e.line, (std::string("frame that brought the ") + side_name(c.side) + " to " + std::string(tcp::name(c.state))).c_str(), c.frame,
           frame);
    }
  }

  static std::string counter(const Said& s, const std::string& what) {
    const auto space = what.find(' ');
    const auto& c = s.counters[what.substr(0, space) == "originator" ? 0 : 1];
    const std::string name = what.substr(space + 1);
    if (name == "packets") return std::to_string(c.packets);
    if (name == "payload_bytes") return std::to_string(c.payload_bytes);
    if (name == "retransmitted_segments") return std::to_string(c.retransmitted_segments);
    if (name == "retransmitted_bytes") return std::to_string(c.retransmitted_bytes);
    if (name == "missing_bytes") return std::to_string(c.missing_bytes);
    if (name == "out_of_order") return std::to_string(c.out_of_order);
    if (name == "duplicates") return std::to_string(c.duplicates);
    if (name == "zero_windows") return std::to_string(c.zero_windows);
    if (name == "keepalives") return std::to_string(c.keepalives);
    if (name == "syn") return std::to_string(c.syn);
    if (name == "syn_ack") return std::to_string(c.syn_ack);
    if (name == "fin") return std::to_string(c.fin);
    if (name == "rst") return std::to_string(c.rst);
    return "no such counter";
  }

  const Trace& trace_;
  const Result& result_;
  std::ostringstream out_;
};

// ---- the tests

std::string traces_folder() { return std::string(FINWAIT_SOURCE_DIR) + "/tests/traces"; }

std::vector<Addressing> addressings(const Trace& trace) {
  std::vector<Addressing> all;
  static constexpr std::array<std::array<std::uint32_t, 2>, 6> kIsns{{{0, 0},
                                                                      {0x7fff'fff0, 0xffff'fff0},
                                                                      {0xffff'ffff, 0x7fff'ffff},
                                                                      {0x8000'0000, 0xffff'fffe},
                                                                      {0xffff'ff00, 0x8000'0001},
                                                                      {1, 0x7fff'ff9c}}};
  for (const auto& isn : kIsns) {
    for (const bool ipv6 : {false, true}) {
      if (ipv6 && trace.ipv4_only) continue;
      for (const bool exchanged : {false, true}) {
        Addressing a;
        a.isn = isn;
        a.ipv6 = ipv6;
        a.exchanged = exchanged;
        all.push_back(a);
      }
    }
  }
  return all;
}

class Traces : public ::testing::TestWithParam<std::string> {};

TEST_P(Traces, HoldsInEveryMode) {
  const Trace trace = load_trace(GetParam());
  std::string first;
  for (const Addressing& addressing : addressings(trace)) {
    Mode mode{addressing};
    std::ostringstream how;
    how << mode;
    SCOPED_TRACE(how.str());
    const Result plain = Runner(trace, mode).run();
    const std::string wrong = Judge(trace, plain).verdict();
    ASSERT_EQ(wrong, "") << "what was said:\n" << words_of(plain, addressing.start);
    const std::string words = words_of(plain, addressing.start);
    if (first.empty()) first = words;
    ASSERT_EQ(words, first) << "not what was said with other numbers or addresses";
    for (const Mode& other : {Mode{addressing, 3}, Mode{addressing, 0}, Mode{addressing, 1, true}, Mode{addressing, 3, true, 3},
                              Mode{addressing, 0, true, 4}}) {
      std::ostringstream which;
      which << other;
      ASSERT_EQ(words_of(Runner(trace, other).run(), addressing.start), words) << "differs: " << which.str();
    }
  }
}

std::string test_name(const ::testing::TestParamInfo<std::string>& param) {
  std::string name = param.param.substr(traces_folder().size() + 1);
  name.resize(name.size() - std::string(".trace").size());
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, Traces, ::testing::ValuesIn(find_traces(traces_folder())), test_name);

std::string complaint(const std::string& text) {
  try {
    (void)parse_trace(text, "x.trace");
  } catch (const TraceError& e) {
    return e.what();
  }
  return "none";
}

TEST(TraceNotation, SaysInWhichLineWhatIsWrong) {
  EXPECT_EQ(complaint("0.0 > S 0:0(0)\n0.1 ? S 0:0(0)\n"), "x.trace:2: the direction is > or <, not '?'");
  EXPECT_EQ(complaint("0.0 > SX 0:0(0)\n"), "x.trace:1: 'SX' are no flags (S F R P . U E W e, - for none)");
  EXPECT_EQ(complaint("0.0 > . 1:2(0) ack 1\n"), "x.trace:1: '1:2(0)': the numbers do not fit the length");
  EXPECT_EQ(complaint("0.0 > . 1:1(0)\n"), "x.trace:1: 'ack N' goes with the flag '.', and only with it");
  EXPECT_EQ(complaint("0.0 > S 0:0(0) | SYN-SEND UNKNOWN |\n"), "x.trace:1: 'SYN-SEND' is no state");
  EXPECT_EQ(complaint("0.0 > S 0:0(0) mss 4\n"), "x.trace:1: 'mss' is not understood");
  EXPECT_EQ(complaint("0.0 > S 0:0(0)\n= opening three-legged\n"), "x.trace:2: 'three-legged' is no opening");
  EXPECT_EQ(complaint("0.0 > S 0:0(0)\n= opening unanswered\n"), "x.trace: each connection needs '= opening' and '= ending'");
  EXPECT_EQ(complaint("# nothing\n"), "x.trace: nothing happens in it");
}

TEST(TraceNotation, NumbersCountFromEachSidesOwnInitialNumber) {
  const Trace t =
      parse_trace("# title\n0.5 < P. 1:11(10) ack 5 win 100 <TS val 7 ecr 8,sack 9:12> ttl 3 id 17\n= opening midstream\n= ending open\n",
                  "folder/some.trace");
  EXPECT_EQ(t.name, "folder/some");
  EXPECT_EQ(t.title, "title");
  Addressing a;
  a.isn = {0xffff'fffe, 100};
  const wire::Segment s = materialise(t.steps[0], a);
  EXPECT_EQ(s.seq, 101U);
  EXPECT_EQ(s.ack, 3U);
  EXPECT_EQ(s.sack_left, 7U);
  EXPECT_EQ(s.sack_right, 10U);
  EXPECT_EQ(s.payload_length, 10U);
  EXPECT_EQ(s.ts_val, 7U);
  EXPECT_EQ(s.ttl, 3);
  EXPECT_EQ(s.ip_id, 17);
  EXPECT_EQ(s.direction, 1);
  EXPECT_EQ(s.time, a.start + 500 * base::kMillisecond);
  EXPECT_EQ(s.ip_length, 20U + 20U + 24U + 10U);
}

TEST(TraceNotation, ExchangedAddressesExchangeTheEnds) {
  const Trace t = parse_trace("0.0 > S 0:0(0)\n= opening unanswered\n= ending unanswered\n", "x.trace");
  for (const bool exchanged : {false, true}) {
    Addressing a;
    a.exchanged = exchanged;
    const wire::Segment s = materialise(t.steps[0], a);
    EXPECT_EQ(s.direction, exchanged ? 1 : 0);
    EXPECT_LT(s.key.low, s.key.high);
    EXPECT_EQ(exchanged ? s.key.high_port : s.key.low_port, 40000);
  }
}

}  // namespace
}  // namespace finwait::testing
