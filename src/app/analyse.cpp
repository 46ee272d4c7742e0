#include "analyse.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <thread>

#include "finwait/capture/file_sequence.h"
#include "finwait/capture/pcapng_writer.h"
#include "finwait/capture/stop.h"
#include "finwait/engine/evidence_writer.h"
#include "finwait/engine/explain_watch.h"
#include "finwait/engine/pipeline.h"
#include "finwait/engine/sharded_pipeline.h"
#include "finwait/report/evidence_sink.h"
#include "finwait/report/explain_sink.h"
#include "finwait/report/reporter.h"
#include "finwait/report/stats.h"
#include "parts.h"
#include "progress.h"
#include "signals.h"
#include "values.h"

namespace finwait::app {
namespace {

/// The ladder's sink, added to `sinks`, and who finds what belongs into it.
std::optional<engine::ExplainWatch> make_watch(const Options& options, std::vector<std::unique_ptr<report::Sink>>& sinks) {
  if (options.explain.empty()) return std::nullopt;
  const auto wanted = engine::parse_explain_id(options.explain);
  if (!wanted) throw UsageError("--explain " + options.explain + ": an id, a uid or ADDR:PORT-ADDR:PORT (IPv6 addresses in brackets)");
  auto ladder = std::make_unique<report::ExplainSink>(std::string("-"));
  auto& kept = *ladder;
  sinks.push_back(std::move(ladder));
  return std::optional<engine::ExplainWatch>(std::in_place, *wanted, kept);
}

/// -w: collects while the input is read, and writes when it is read again.
class EvidencePass {
 public:
  /// Opens the output first: what cannot be written is better known before the first pass. Throws CaptureError, UsageError.
  EvidencePass(const std::string& path, const capture::FileSequence& source, std::vector<std::unique_ptr<report::Sink>>& sinks) {
    for (const capture::FileSpan& file : source.files()) {
      std::error_code ignored;
      paths_.push_back(file.path);
      if (std::filesystem::equivalent(file.path, path, ignored))
        throw UsageError("-w " + path + ": would overwrite the capture that is read");
    }
    writer_.emplace(path);
    auto sink = std::make_unique<report::EvidenceSink>();
    sink_ = sink.get();
    sinks.push_back(std::move(sink));
  }

  /// After the reporter's finish(). Throws CaptureError.
  void run(capture::Filter* filter, const engine::PipelineOptions& options) {
    const report::Evidence& evidence = sink_->evidence();
    capture::withdraw_stop();  // the first Ctrl-C ended the first pass; what it found is written all the same
    if (!evidence.spans.empty()) engine::write_evidence(*capture::open_files(paths_), filter, options, evidence, *writer_);
    writer_->close();
    if (evidence.connections_left_out != 0)
      fmt::print(stderr, "finwait: -w: {} connections were too many and are not written; select fewer with --only or a filter\n",
                 evidence.connections_left_out);
    if (evidence.findings_left_out != 0)
      fmt::print(stderr, "finwait: -w: {} anomalies were too many and have no comment; select fewer with --only or a filter\n",
                 evidence.findings_left_out);
  }

 private:
  std::vector<std::string> paths_;  // in the order of the first pass
  std::optional<capture::PcapngWriter> writer_;
  const report::EvidenceSink* sink_ = nullptr;  // the reporter's
};

/// As many as help: none is started for what one has done before the others are awake. Events and the ladder show what happens frame by
/// frame, which one thread does.
unsigned threads_for(const Options& options, const capture::FileSequence& source, bool frame_by_frame) {
  constexpr std::uint64_t kBytesEach = std::uint64_t{4} << 20U;
  if (frame_by_frame) return 1;
  if (options.threads) return *options.threads;
  const std::uint64_t all = std::max(std::thread::hardware_concurrency(), 1U);
  const std::uint64_t useful = source.size() == 0 ? all : std::clamp<std::uint64_t>(source.size() / kBytesEach, 1, all);
  return affordable_threads(options, static_cast<unsigned>(useful));
}

report::Totals run_through(auto& pipeline, Steward& steward) {
  pipeline.run(steward);
  steward.clear();
  return pipeline.totals();
}

void add_facts(report::Totals& totals, const capture::FileSequence& source, double seconds) {
  for (const capture::FileSpan& file : source.files()) totals.capture.files.push_back({file.path, file.first_frame});
  const capture::SourceStatus status = source.status();
  if (status.damaged) {
    const auto lines = split(status.what, '\n');
    totals.capture.damage.insert(totals.capture.damage.begin(), lines.begin(), lines.end());
  }
  totals.performance.seconds = seconds;
  totals.performance.peak_memory = peak_memory();
}

void complain(const Options& options, const report::Totals& totals, const std::optional<capture::Filter>& filter) {
  for (const std::string& line : totals.capture.damage) fmt::print(stderr, "finwait: {}\n", line);
  if (options.quiet || !filter) return;
  for (const std::string& line : filter->problems()) fmt::print(stderr, "finwait: {}\n", line);
}

int exit_status(const Options& options, const report::Totals& totals, const report::Reporter& reporter) {
  if (!totals.capture.damage.empty()) return 1;
  if (options.fail_on && reporter.gravest() && *reporter.gravest() >= *options.fail_on) return 3;
  return 0;
}

}  // namespace

int analyse(Options& options) {
  const auto start = std::chrono::steady_clock::now();
  auto sinks = make_sinks(options, open_outputs(options));
  auto watch = make_watch(options, sinks);
  const auto source = capture::open_files(options.captures);
  std::optional<EvidencePass> evidence;
  if (!options.write.empty()) evidence.emplace(options.write, *source, sinks);
  std::optional<capture::Filter> filter;
  if (!options.filter.empty()) filter.emplace(options.filter);

  engine::PipelineOptions chosen = pipeline_options(options);
  const unsigned threads = threads_for(options, *source, watch.has_value() || chosen.tracker.events);
  const Budget budget = share_out(options, threads, chosen.tracker.zeek);
  chosen.tracker.max_connections = budget.connections;
  report::Reporter reporter(std::move(sinks), options.only, host_options(options, budget, chosen.tracker.seed, threads));
  const bool endless = std::count(options.captures.begin(), options.captures.end(), "-") != 0;
  if (endless) catch_hangup();
  Steward steward(options.progress.value_or(isatty(STDERR_FILENO) == 1), reporter);
  report::Totals totals;
  if (threads == 1) {
    engine::Pipeline pipeline(*source, filter ? &*filter : nullptr, reporter, chosen, watch ? &*watch : nullptr);
    totals = run_through(pipeline, steward);
  } else {
    engine::ShardedPipeline pipeline(*source, filter ? &*filter : nullptr, reporter, chosen, threads);
    totals = run_through(pipeline, steward);
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  add_facts(totals, *source, seconds);
  reporter.finish(totals);
  complain(options, totals, filter);
  if (options.verbose) {
    for (const std::string& note : source->notes()) fmt::print(stderr, "finwait: {}\n", note);
  }
  if (options.stats) fmt::print(stderr, "{}", report::stats_text(totals));
  if (evidence) evidence->run(filter ? &*filter : nullptr, chosen);
  if (watch && !watch->found()) throw std::runtime_error("--explain " + options.explain + ": " + watch->why_not());
  return exit_status(options, totals, reporter);
}

}  // namespace finwait::app
