// The same captures through one thread and through several: what is written must be the same, byte for byte.
#include "finwait/engine/sharded_pipeline.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <random>
#include <sstream>
#include <string>

#include "capture/capture_bytes.h"
#include "capture/compress.h"
#include "engine/stop_after.h"
#include "finwait/capture/file_sequence.h"
#include "finwait/capture/pcap_writer.h"
#include "finwait/capture/pcapng_writer.h"
#include "finwait/report/json_sink.h"
#include "support/trace.h"
#include "support/trace_frames.h"
#include "wire/frames.h"

namespace finwait::engine {
namespace {

using capture::testing::Bytes;
using capture::testing::TemporaryDirectory;

struct StoredFrame {
  Bytes bytes;
  base::Timestamp time = 0;
};
using Frames = std::vector<StoredFrame>;

/// All traces, each between other hosts, all begun within some minutes.
Frames all_traces() {
  Frames frames;
  testing::Addressing addressing;
  for (const std::string& file : testing::find_traces(std::string(FINWAIT_SOURCE_DIR) + "/tests/traces")) {
    const testing::Trace trace = testing::load_trace(file);
    for (const testing::TraceStep& step : trace.steps) {
      const bool filler = step.kind == testing::TraceStep::Kind::kAdvance;
      frames.push_back({filler ? testing::filler_bytes() : testing::frame_bytes(step, addressing), addressing.start + step.time});
    }
    ++addressing.network;
    addressing.start += base::kSecond;
  }
  std::stable_sort(frames.begin(), frames.end(), [](const StoredFrame& a, const StoredFrame& b) { return a.time < b.time; });
  return frames;
}

/// Every third TCP segment comes in two fragments, the second one some frames later.
Frames with_fragments(const Frames& frames) {
  using namespace wire::frames;
  Frames out;
  Frames late;
  std::uint16_t id = 1;
  for (std::size_t n = 0; n != frames.size(); ++n) {
    const Bytes& bytes = frames[n].bytes;
    const bool plain4 = bytes.size() > 14 + 20 + 16 && bytes[12] == 8 && bytes[13] == 0 && bytes[14] == 0x45 && bytes[23] == 6;
    if (n % 3 != 0 || !plain4) {
      out.push_back(frames[n]);
    } else {
      const Bytes source(bytes.begin() + 26, bytes.begin() + 30);
      const Bytes destination(bytes.begin() + 30, bytes.begin() + 34);
      const Bytes head(bytes.begin() + 34, bytes.begin() + 34 + 16);
      const Bytes tail(bytes.begin() + 34 + 16, bytes.end());
      out.push_back(
          {ethernet(0x0800, ip4({.id = ++id, .fragment = 0x2000, .source = source, .destination = destination}, head)), frames[n].time});
      late.push_back(
          {ethernet(0x0800, ip4({.id = id, .fragment = 2, .source = source, .destination = destination}, tail)), frames[n].time});
    }
    if (late.size() == 5 || n + 1 == frames.size()) {
      out.insert(out.end(), late.begin(), late.end());
      late.clear();
    }
  }
  return out;
}

/// Stamps that go back, that leap ahead by hours, and that are not believed.
Frames with_wild_clock(Frames frames) {
  std::mt19937 random(3);
  base::Duration shift = 0;
  for (StoredFrame& frame : frames) {
    if (random() % 500 == 0) shift += 2 * TraceClock::kLeap;
    frame.time += shift - static_cast<base::Duration>(random() % 4 == 0 ? random() % 2'000'000'000U : 0U);
    if (random() % 100 == 0) frame.time += static_cast<base::Duration>(random() % 5) * TraceClock::kLeap;
  }
  return frames;
}

/// Between the frames SYNs: half from invented hosts, half from one.
Frames with_many_hosts(const Frames& frames, int times = 1) {
  using namespace wire::frames;
  std::mt19937 random(4);
  Frames out;
  for (const StoredFrame& frame : frames) {
    out.push_back(frame);
    for (int n = 0; n != times; ++n) {
      const auto net = static_cast<std::uint8_t>(random());
      for (const Bytes& source : {Bytes{10, 3, net, static_cast<std::uint8_t>(random())}, Bytes{10, 4, 0, 1}}) {
        const Tcp syn{.source_port = static_cast<std::uint16_t>(1'024 + random() % 60'000),
                      .seq = static_cast<std::uint32_t>(random()),
                      .ack = 0,
                      .flags = wire::tcp_flag::kSyn,
                      .payload = {}};
        out.push_back({ethernet(0x0800, ip4({.source = source}, wire::frames::tcp(syn, source))), frame.time});
      }
    }
  }
  return out;
}

capture::Frame borrowed(const StoredFrame& stored) {
  const auto size = static_cast<std::uint32_t>(stored.bytes.size());
  return {stored.bytes.data(), size, size, stored.time, 1, 0};
}

std::string text_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

Bytes bytes_of(const std::string& path) {
  const std::string text = text_of(path);
  return {text.begin(), text.end()};
}

std::string write_pcap(const TemporaryDirectory& folder, const std::string& name, const Frames& frames) {
  capture::PcapWriter writer(folder.file(name), 1);
  for (const StoredFrame& frame : frames) writer.write(borrowed(frame));
  writer.close();
  return folder.file(name);
}

/// Several interfaces, described when they first occur, some in the middle of the file.
std::string write_pcapng(const TemporaryDirectory& folder, const std::string& name, const Frames& frames, std::size_t interfaces = 1) {
  capture::PcapngWriter writer(folder.file(name));
  for (std::size_t n = 0; n != frames.size(); ++n) {
    capture::Frame frame = borrowed(frames[n]);
    frame.interface = static_cast<std::uint32_t>(n * interfaces / frames.size());
    writer.write(frame, n % 50 == 0 ? "a comment" : "");
  }
  writer.close();
  return folder.file(name);
}

class GoOn final : public Steering {
 public:
  bool go_on(const Progress& progress) override {
    EXPECT_GE(progress.frames, frames_);
    frames_ = progress.frames;
    return true;
  }

 private:
  std::uint64_t frames_ = 0;
};

struct Ways {
  unsigned threads = 0;  ///< 0: Pipeline
  std::uint64_t piece = capture::Divider::kPiece;
};

struct Asked {
  std::vector<std::string> paths;
  PipelineOptions options;
  std::string filter;
};

Asked plainly(std::vector<std::string> paths, std::size_t batch = 64) {
  Asked asked{std::move(paths), {}, {}};
  asked.options.batch = batch;
  asked.options.tracker.max_connections = 65'536;
  asked.options.tracker.seed = 1;
  asked.options.tracker.zeek = true;
  return asked;
}

std::string without_performance(std::string json) {
  const std::size_t begin = json.find("\"performance\"");
  if (begin != std::string::npos) json.erase(begin, json.find('}', begin) - begin + 1);
  return json;
}

/// All that is written, in json, and what stands only in the totals and on standard error.
std::string answer(const Asked& asked, const Ways& ways, Steering& steering) {
  const TemporaryDirectory folder;
  const auto source = capture::open_files(asked.paths);
  std::vector<std::unique_ptr<report::Sink>> sinks;
  sinks.push_back(std::make_unique<report::JsonSink>(folder.file("json"), false));
  report::Reporter reporter(std::move(sinks), {});
  capture::Filter filter(asked.filter);
  capture::Filter* used = asked.filter.empty() ? nullptr : &filter;
  report::Totals totals;
  if (ways.threads == 0) {
    Pipeline pipeline(*source, used, reporter, asked.options);
    pipeline.run(steering);
    totals = pipeline.totals();
  } else {
    ShardedPipeline pipeline(*source, used, reporter, asked.options, ways.threads, ways.piece);
    pipeline.run(steering);
    totals = pipeline.totals();
  }
  for (const capture::FileSpan& file : source->files()) totals.capture.files.push_back({file.path, file.first_frame});
  reporter.finish(totals);
  std::ostringstream text;
  text << without_performance(text_of(folder.file("json"))) << source->status().what << '\n';
  for (const std::string& problem : filter.problems()) text << problem << '\n';
  text << totals.capture.stopped << ' ' << totals.capture.cut_short << ' ' << totals.performance.bytes << ' ' << totals.tracker.created
       << ' ' << totals.tracker.segments << ' ' << totals.tracker.strays << ' ' << totals.frames.dropped_by_kernel << '\n';
  for (const capture::FileSpan& file : source->files()) text << file.path << ' ' << file.first_frame << ' ' << file.frames << '\n';
  return text.str();
}

std::string answer(const Asked& asked, const Ways& ways = {}) {
  GoOn steering;
  return answer(asked, ways, steering);
}

/// Where two texts part, for a message.
std::string parting(const std::string& one, const std::string& other) {
  const auto at = static_cast<std::size_t>(std::mismatch(one.begin(), one.end(), other.begin(), other.end()).first - one.begin());
  const std::size_t from = at < 100 ? 0 : at - 100;
  return "at byte " + std::to_string(at) + ":\n" + one.substr(from, 300) + "\n--- instead of which ---\n" + other.substr(from, 300);
}

void expect_same(const Asked& asked, std::initializer_list<unsigned> threads, std::initializer_list<std::uint64_t> pieces) {
  const std::string one = answer(asked);
  for (const unsigned n : threads) {
    for (const std::uint64_t piece : pieces) {
      const std::string several = answer(asked, {n, piece});
      ASSERT_TRUE(several == one) << n << " threads, pieces of " << piece << ", " << parting(one, several);
    }
  }
}

TEST(ShardedPipeline, WritesTheSameWhateverTheThreadsAndPieces) {
  const TemporaryDirectory folder;
  const Frames frames = with_many_hosts(all_traces());
  ASSERT_GT(frames.size(), 2'000U);
  const auto pcap = write_pcap(folder, "a.pcap", frames);
  EXPECT_NE(answer(plainly({pcap})).find("\"type\":\"host\""), std::string::npos) << "hosts are compared as well";
  expect_same(plainly({pcap}), {1, 2, 3, 4, 5, 6, 7, 8}, {1'500, 20'000, capture::Divider::kPiece});
  expect_same(plainly({write_pcapng(folder, "a.pcapng", frames)}), {2, 4, 8}, {1'500, 20'000, capture::Divider::kPiece});
}

TEST(ShardedPipeline, WritesTheSameWhateverTheBatches) {
  const TemporaryDirectory folder;
  const auto pcap = write_pcap(folder, "a.pcap", with_many_hosts(all_traces()));
  const std::string one = answer(plainly({pcap}));
  for (const std::size_t batch : {1U, 7U, 512U}) {
    const std::string whole = answer(plainly({pcap}, batch));
    EXPECT_TRUE(whole == one) << "one thread, batches of " << batch << ", " << parting(one, whole);
    for (const std::uint64_t piece : {std::uint64_t{3'000}, capture::Divider::kPiece}) {
      const std::string several = answer(plainly({pcap}, batch), {3, piece});
      EXPECT_TRUE(several == one) << "batches of " << batch << ", pieces of " << piece << ", " << parting(one, several);
    }
  }
}

TEST(ShardedPipeline, PutsFragmentsTogetherInFileOrder) {
  const TemporaryDirectory folder;
  const Frames frames = with_fragments(all_traces());
  const Asked asked = plainly({write_pcap(folder, "a.pcap", frames)});
  EXPECT_EQ(answer(asked).find("\"fragment\":0,"), std::string::npos);
  expect_same(asked, {2, 4}, {700, 5'000, capture::Divider::kPiece});
}

TEST(ShardedPipeline, GoesByTheClockOfTheWholeFile) {
  const TemporaryDirectory folder;
  const Frames frames = with_wild_clock(with_fragments(all_traces()));
  const Asked asked = plainly({write_pcap(folder, "a.pcap", frames)});
  EXPECT_EQ(answer(asked).find("\"time_went_back\":0,"), std::string::npos);
  expect_same(asked, {2, 4}, {200, 1'500, 9'000});
}

TEST(ShardedPipeline, DoesNotTakePayloadForRecords) {
  const TemporaryDirectory folder;
  Frames frames = all_traces();
  const Bytes inner = bytes_of(write_pcap(folder, "inner.pcap", frames));
  const Bytes inner_ng = bytes_of(write_pcapng(folder, "inner.pcapng", frames));
  Frames outer;
  for (std::size_t n = 0; n != frames.size(); ++n) {
    outer.push_back(frames[n]);
    const Bytes& from = n % 2 == 0 ? inner : inner_ng;
    const std::size_t at = n * 1'300 % (from.size() - 1'300);
    const Bytes part(from.begin() + static_cast<std::ptrdiff_t>(at), from.begin() + static_cast<std::ptrdiff_t>(at + 1'300));
    outer.push_back({wire::frames::ethernet(0x0800, wire::frames::ip4(6, wire::frames::tcp({.payload = part}))), frames[n].time});
  }
  expect_same(plainly({write_pcap(folder, "a.pcap", outer)}), {2, 4}, {700, 2'000, 20'000});
  expect_same(plainly({write_pcapng(folder, "a.pcapng", outer)}), {2, 4}, {700, 2'000, 20'000});
}

TEST(ShardedPipeline, ReadsBlocksThatChangeTheFollowingInTheirOrder) {
  const TemporaryDirectory folder;
  const Frames frames = all_traces();
  expect_same(plainly({write_pcapng(folder, "a.pcapng", frames, 7)}), {2, 4}, {700, 5'000});
  const Bytes one = bytes_of(write_pcapng(folder, "one.pcapng", Frames(frames.begin(), frames.begin() + 300), 2));
  const Bytes two = bytes_of(write_pcapng(folder, "two.pcapng", Frames(frames.begin() + 300, frames.end()), 3));
  expect_same(plainly({folder.write("sections.pcapng", capture::testing::joined(one, two))}), {2, 4}, {700, 5'000});
}

TEST(ShardedPipeline, TellsOfDamageAsOneThreadDoes) {
  const TemporaryDirectory folder;
  const Frames frames = all_traces();
  std::mt19937 random(5);
  for (const std::string& path : {write_pcap(folder, "a.pcap", frames), write_pcapng(folder, "a.pcapng", frames)}) {
    const Bytes whole = bytes_of(path);
    for (int n = 0; n != 8; ++n) {
      Bytes bytes = whole;
      const std::size_t at = 200 + random() % (bytes.size() - 400);
      if (n % 2 == 0) {
        bytes.resize(at);
      } else {
        for (std::size_t k = 0; k != 60; ++k) bytes[at + k] = static_cast<std::uint8_t>(random());
      }
      expect_same(plainly({folder.write("damaged", bytes)}), {3}, {1'000, 10'000});
    }
  }
}

TEST(ShardedPipeline, ReadsManyFilesAsOne) {
  const TemporaryDirectory folder;
  const Frames frames = all_traces();
  const auto part = [&](std::size_t from, std::size_t to) {
    return Frames(frames.begin() + static_cast<std::ptrdiff_t>(from), frames.begin() + static_cast<std::ptrdiff_t>(to));
  };
  const std::size_t n = frames.size();
  Bytes cut = bytes_of(write_pcap(folder, "b.pcap", part(n / 4, n / 2)));
  cut.resize(cut.size() - 7);
  const std::vector<std::string> paths = {
      write_pcap(folder, "a.pcap", part(0, n / 4)), folder.write("cut.pcap", cut),
      folder.write("c.gz", capture::testing::gzip(bytes_of(write_pcap(folder, "c.pcap", part(n / 2, 3 * n / 4))))),
      write_pcapng(folder, "d.pcapng", part(3 * n / 4, n))};
  expect_same(plainly(paths), {2, 4}, {1'000, 10'000, capture::Divider::kPiece});
}

TEST(ShardedPipeline, SelectsTheSameFrames) {
  const TemporaryDirectory folder;
  const Frames frames = with_fragments(all_traces());
  Asked asked = plainly({write_pcap(folder, "a.pcap", frames)});
  asked.filter = "tcp[tcpflags] & (tcp-syn | tcp-ack) != tcp-syn";
  asked.options.from = frames[100].time;
  asked.options.to = frames[frames.size() - 100].time;
  expect_same(asked, {2, 4}, {1'000, 10'000});
  asked.filter = "type mgt";  // not valid for Ethernet: said once
  expect_same(asked, {2, 4}, {1'000, 10'000});
}

TEST(ShardedPipeline, StopsAfterSoManySelectedFrames) {
  const TemporaryDirectory folder;
  Asked asked = plainly({write_pcap(folder, "a.pcap", all_traces())});
  for (const std::uint64_t limit : {1U, 64U, 333U}) {
    asked.options.frame_limit = limit;
    expect_same(asked, {2, 4}, {1'000});
  }
}

TEST(ShardedPipeline, ReportsWhatItHasWhenToldToStop) {
  const TemporaryDirectory folder;
  const Asked asked = plainly({write_pcap(folder, "a.pcap", all_traces())});
  for (const unsigned threads : {1U, 2U, 4U}) {
    StopAfter soon(100);
    const std::string text = answer(asked, {threads, 500}, soon);
    EXPECT_NE(text.find("\"type\":\"connection\""), std::string::npos);
    EXPECT_NE(text.find("\"type\":\"summary\""), std::string::npos);
  }
}

TEST(ShardedPipeline, ReadsNothingAndSaysSo) {
  const TemporaryDirectory folder;
  expect_same(plainly({write_pcap(folder, "a.pcap", {})}), {1, 4}, {100});
}

std::uint64_t count_of(const std::string& text, const std::string& word) {
  std::uint64_t count = 0;
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++count;
  return count;
}

// Who has to go, and when it is told, follows from the frames and the seed.
TEST(ShardedPipeline, WritesTheSameWhenThereIsNoRoom) {
  const TemporaryDirectory folder;
  const Frames frames = with_many_hosts(all_traces(), 5);
  for (const std::uint32_t connections : {2U, 100U, 6'000U}) {
    Asked asked = plainly({write_pcapng(folder, "a.pcapng", frames, 3)});
    asked.options.tracker.max_connections = connections;
    EXPECT_GT(count_of(answer(asked), "\"ending\":\"evicted\""), 1'000U);
    expect_same(asked, {1, 2, 3, 4, 5, 6, 7, 8}, {30'000});
    const std::string one = answer(asked);
    for (const std::size_t batch : {1U, 512U}) {
      asked.options.batch = batch;
      EXPECT_TRUE(answer(asked) == one) << connections << " connections, batches of " << batch << ", " << parting(one, answer(asked));
      EXPECT_TRUE(answer(asked, {3}) == one) << connections << " connections, three threads, batches of " << batch;
    }
  }
}

TEST(ShardedPipeline, WritesTheSameWhenThereIsNoRoomAndTheClockLeaps) {
  const TemporaryDirectory folder;
  for (const auto& frames : {with_many_hosts(with_wild_clock(all_traces()), 12), with_fragments(with_many_hosts(all_traces(), 12))}) {
    Asked asked = plainly({write_pcap(folder, "a.pcap", frames)});
    for (const std::uint32_t connections : {50U, 3'000U}) {
      asked.options.tracker.max_connections = connections;
      EXPECT_GT(count_of(answer(asked), "\"ending\":\"evicted\""), 100U);
      expect_same(asked, {3, 8}, {30'000});
    }
  }
}

TEST(ShardedPipeline, AccountsForEveryFrameWhenThereIsNoRoom) {
  const TemporaryDirectory folder;
  const auto source = capture::open_files({write_pcap(folder, "a.pcap", all_traces())});
  Asked asked = plainly({});
  asked.options.tracker.max_connections = 24;
  report::Reporter reporter({}, {});
  ShardedPipeline pipeline(*source, nullptr, reporter, asked.options, 3, 2'000);
  GoOn steering;
  pipeline.run(steering);
  const report::Totals totals = pipeline.totals();
  std::uint64_t placed = 0;
  for (const std::uint64_t count : totals.frames.fates) placed += count;
  EXPECT_GT(totals.frames.read, 900U);
  EXPECT_EQ(placed, totals.frames.read);
  EXPECT_EQ(totals.frames.of(wire::Fate::kTableFull), 0U) << "a shard's segments between two drains are no more than it has places for";
}

/// A sink that cannot write.
class Broken final : public report::Sink {
 public:
  void connection(const tcp::Outcome& /*outcome*/) override { throw report::OutputError("disk full"); }
  void finish(const report::Totals& /*totals*/) override {}
};

TEST(ShardedPipeline, EndsAllThreadsWhenTheOutputFails) {
  const TemporaryDirectory folder;
  const auto path = write_pcap(folder, "a.pcap", all_traces());
  for (const std::uint64_t piece : {std::uint64_t{500}, capture::Divider::kPiece}) {
    const auto source = capture::open_files({path});
    std::vector<std::unique_ptr<report::Sink>> sinks;
    sinks.push_back(std::make_unique<Broken>());
    report::Reporter reporter(std::move(sinks), {});
    ShardedPipeline pipeline(*source, nullptr, reporter, plainly({}).options, 4, piece);
    GoOn steering;
    EXPECT_THROW(pipeline.run(steering), report::OutputError);
  }
}

/// A source that fails after some frames, as if memory ran out.
class Failing final : public capture::Source {
 public:
  explicit Failing(const Frames& frames) : frames_(frames) {}
  std::size_t read(std::span<capture::Frame> batch) override {
    if (next_ == 300) throw std::bad_alloc();
    std::size_t n = 0;
    for (; n < batch.size() && next_ != 300; ++n) batch[n] = borrowed(frames_[next_++]);
    return n;
  }
  capture::SourceStatus status() const override { return {}; }
  std::vector<std::uint16_t> link_types() const override { return {1}; }
  std::string name() const override { return "failing"; }

 private:
  const Frames& frames_;
  std::size_t next_ = 0;
};

TEST(ShardedPipeline, ReportsWhatWasReadBeforeAThreadFailed) {
  const Frames frames = all_traces();
  Failing source(frames);
  report::Reporter reporter({}, {});
  ShardedPipeline pipeline(source, nullptr, reporter, plainly({}).options, 3);
  GoOn steering;
  pipeline.run(steering);
  const report::Totals totals = pipeline.totals();
  EXPECT_EQ(totals.frames.read, 300U);
  EXPECT_GT(reporter.counts().connections, 0U);
  ASSERT_EQ(totals.capture.damage.size(), 1U);
  EXPECT_NE(totals.capture.damage[0].find("not enough memory"), std::string::npos);
}

}  // namespace
}  // namespace finwait::engine
