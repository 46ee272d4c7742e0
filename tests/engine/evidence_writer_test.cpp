// Both passes of -w over the project's own capture, and what was written read again.
#include "finwait/engine/evidence_writer.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <utility>

#include "finwait/capture/error.h"
#include "finwait/capture/file_sequence.h"

namespace finwait::engine {
namespace {

const std::string kTour = std::string(FINWAIT_SOURCE_DIR) + "/pcaps/tour.pcap";

class Always final : public Steering {
 public:
  bool go_on(const Progress& /*progress*/) override { return true; }
};

/// Counts the connections by their endpoints and ending.
class EndingsSink final : public report::Sink {
 public:
  using Endings = std::map<std::pair<std::string, tcp::Ending>, int>;
  explicit EndingsSink(Endings& endings) : endings_(endings) {}
  void connection(const tcp::Outcome& outcome) override {
    std::string key(sizeof(wire::FlowKey), '\0');
    std::memcpy(key.data(), &outcome.connection.key, key.size());
    ++endings_[{key, outcome.verdict.ending}];
  }
  void finish(const report::Totals& /*totals*/) override {}

 private:
  Endings& endings_;
};

struct FirstPass {
  report::Evidence evidence;
  EndingsSink::Endings endings;
  std::uint64_t segments = 0;
};

PipelineOptions small() {
  PipelineOptions options;
  options.tracker.max_connections = 4096;
  options.tracker.seed = 1;
  return options;
}

FirstPass look(const std::string& path, const char* only, const report::EvidenceLimits& limits = {}) {
  FirstPass pass;
  report::Selection selection;
  if (only != nullptr) {
    EXPECT_TRUE(selection.add(only));
  }
  auto sink = std::make_unique<report::EvidenceSink>(limits);
  const report::EvidenceSink& kept = *sink;
  std::vector<std::unique_ptr<report::Sink>> sinks;
  sinks.push_back(std::move(sink));
  sinks.push_back(std::make_unique<EndingsSink>(pass.endings));
  report::Reporter reporter(std::move(sinks), selection);
  const auto source = capture::open_files({path});
  Pipeline pipeline(*source, nullptr, reporter, small());
  Always steering;
  pipeline.run(steering);
  report::Totals totals = pipeline.totals();
  reporter.finish(totals);
  pass.evidence = kept.evidence();
  pass.segments = totals.frames.of(wire::Fate::kTcp);
  return pass;
}

class EvidenceWriter : public ::testing::Test {
 protected:
  EvidenceWriter() : path_((std::filesystem::temp_directory_path() / "finwait_evidence_XXXXXX").string()) {
    const int descriptor = mkstemp(path_.data());
    EXPECT_GE(descriptor, 0);
    ::close(descriptor);
  }
  ~EvidenceWriter() override { std::filesystem::remove(path_); }

  std::uint64_t write(const report::Evidence& evidence, capture::Filter* filter = nullptr) {
    capture::PcapngWriter writer(path_);
    const std::uint64_t written = write_evidence(*capture::open_files({kTour}), filter, small(), evidence, writer);
    writer.close();
    return written;
  }

  /// The comment of each packet, by its stamp in nanoseconds; "" for none.
  std::map<std::uint64_t, std::string> comments() const {
    std::ifstream in(path_, std::ios::binary);
    std::ostringstream whole;
    whole << in.rdbuf();
    const std::string bytes = whole.str();
    const auto word = [&bytes](std::size_t at) {
      std::uint32_t value = 0;
      std::memcpy(&value, bytes.data() + at, sizeof value);
      return value;
    };
    std::map<std::uint64_t, std::string> found;
    for (std::size_t at = 0; at < bytes.size(); at += word(at + 4)) {
      if (word(at) != 6) continue;  // an enhanced packet block
      const std::size_t options = 28 + ((word(at + 20) + 3U) & ~3U);
      const bool none = options + 4 == word(at + 4);
      const std::uint64_t stamp = (std::uint64_t{word(at + 12)} << 32U) | word(at + 16);
      found[stamp] = none ? "" : bytes.substr(at + options + 4, word(at + options) >> 16U);
    }
    return found;
  }

  std::string path_;
};

TEST_F(EvidenceWriter, writes_every_segment_when_every_connection_is_selected) {
  const FirstPass pass = look(kTour, nullptr);
  EXPECT_GE(write(pass.evidence), pass.segments);
  const FirstPass again = look(path_, nullptr);
  EXPECT_EQ(again.segments, pass.segments);
  EXPECT_EQ(again.endings, pass.endings);
}

TEST_F(EvidenceWriter, writes_what_shows_the_same_connections_again) {
  for (const char* kind : {"reset", "half-open", "final-ack-missing", "reset-suspected-forged", "retransmission", "unanswered"}) {
    const FirstPass pass = look(kTour, kind);
    ASSERT_FALSE(pass.endings.empty()) << kind;
    const std::uint64_t written = write(pass.evidence);
    EXPECT_LT(written, 500U) << kind << ": the others are left out";
    EXPECT_EQ(look(path_, kind).endings, pass.endings) << kind;
  }
}

TEST_F(EvidenceWriter, says_beside_each_frame_of_evidence_what_it_shows) {
  const FirstPass pass = look(kTour, "reset-suspected-forged");
  std::map<std::uint64_t, std::string> expected;  // by frame
  for (const report::EvidencePlace& place : pass.evidence.places) {
    std::string& comment = expected[place.frame];
    comment += (comment.empty() ? "" : "\n") + pass.evidence.remarks[place.remark];
  }
  write(pass.evidence);
  const auto found = comments();
  std::uint64_t number = 0;
  std::size_t compared = 0;
  const auto source = capture::open_files({kTour});
  std::array<capture::Frame, 1> frame;
  while (source->read(frame) == 1) {
    const auto at = found.find(static_cast<std::uint64_t>(frame[0].time));
    if (expected.count(++number) == 0) continue;
    ASSERT_NE(at, found.end()) << "frame " << number;
    EXPECT_EQ(at->second, expected[number]) << "frame " << number;
    ++compared;
  }
  EXPECT_EQ(compared, expected.size());
  EXPECT_GE(compared, 3U);
  EXPECT_GT(found.size(), compared) << "frames that are evidence of nothing carry no comment";
  EXPECT_TRUE(std::any_of(found.begin(), found.end(), [](const auto& packet) { return packet.second.empty(); }));
  EXPECT_TRUE(std::any_of(found.begin(), found.end(), [](const auto& packet) {
    return packet.second.find("alert reset-suspected-forged: The RST in the name of the responder") != std::string::npos;
  }));
}

TEST_F(EvidenceWriter, respects_the_filter) {
  const FirstPass pass = look(kTour, nullptr);
  capture::Filter filter("tcp[tcpflags] & tcp-rst != 0");
  const std::uint64_t written = write(pass.evidence, &filter);
  EXPECT_GT(written, 0U);
  EXPECT_LT(written, pass.segments / 2);
}

TEST_F(EvidenceWriter, counts_what_is_beyond_its_limits) {
  const FirstPass all = look(kTour, nullptr);
  const FirstPass some = look(kTour, nullptr, {.connections = 10, .findings = 3});
  EXPECT_EQ(some.evidence.spans.size(), 10U);
  EXPECT_EQ(some.evidence.connections_left_out, all.evidence.spans.size() - 10);
  EXPECT_EQ(some.evidence.remarks.size(), 3U);
  EXPECT_GT(some.evidence.findings_left_out, 0U);
  EXPECT_EQ(all.evidence.connections_left_out + all.evidence.findings_left_out, 0U);
}

TEST_F(EvidenceWriter, tells_when_the_input_is_shorter_than_it_was) {
  report::Evidence evidence = look(kTour, nullptr).evidence;
  evidence.last_frame = 1'000'000;
  EXPECT_THROW(write(evidence), capture::CaptureError);
}

TEST(NotReadableTwice, names_what_is_neither_a_file_nor_a_folder) {
  EXPECT_EQ(not_readable_twice({kTour, "-"}), "-");
  EXPECT_EQ(not_readable_twice({"/dev/null"}), "/dev/null");
  EXPECT_EQ(not_readable_twice({kTour, "/no/such/file", std::filesystem::temp_directory_path().string()}), "");
}

}  // namespace
}  // namespace finwait::engine
