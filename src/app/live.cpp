#include "live.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <numeric>
#include <optional>
#include <thread>
#include <utility>

#include "finwait/capture/filter.h"
#include "finwait/capture/live_source.h"
#include "finwait/engine/held_frames.h"
#include "finwait/engine/live_evidence.h"
#include "finwait/engine/live_loop.h"
#include "finwait/engine/sharded_live_loop.h"
#include "finwait/report/format.h"
#include "finwait/report/reporter.h"
#include "finwait/report/stats.h"
#include "finwait/screen/live_screen.h"
#include "finwait/service/latencies.h"
#include "finwait/service/messages.h"
#include "finwait/service/metrics_page.h"
#include "finwait/service/metrics_server.h"
#include "finwait/service/process.h"
#include "finwait/service/sandbox.h"
#include "parts.h"
#include "signals.h"
#include "values.h"

namespace finwait::app {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_between(Clock::time_point from, Clock::time_point to) { return std::chrono::duration<double>(to - from).count(); }

std::uint64_t lost_lines(const Queues& queues) {
  return std::accumulate(queues.begin(), queues.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const auto* queue) { return sum + queue->lost(); });
}

/// Looks on: signals, and the line of counters.
class Overseer final : public engine::LiveObserver {
 public:
  /// `screen` may be null; with it nothing is written that would stand in the midst of it.
  Overseer(report::Reporter& reporter, const Queues& queues, service::Messages& messages, base::Duration every, bool quiet,
           screen::LiveScreen* screen)
      : reporter_(reporter),
        queues_(queues),
        messages_(messages),
        every_(every),
        quiet_(quiet),
        screen_(screen),
        start_(Clock::now()),
        next_(start_ + every_) {}

  [[nodiscard]] bool look(const engine::LiveCounters& counters) override {
    if (take_reopen_request()) reporter_.reopen();
    if (take_counters_request()) put(counters);
    if (every_.count() != 0 && Clock::now() >= next_) {
      next_ += every_;
      put(counters);
    }
    return !stop_requested() && (screen_ == nullptr || !screen_->quit());
  }

  void tell(const std::string& line) override {
    if (screen_ != nullptr) return screen_->tell(line);
    if (!quiet_) messages_.tell(line);
  }

 private:
  void put(const engine::LiveCounters& c) const {
    using report::human_count;
    std::string line = fmt::format("{:.0f} s: {} packets received, {} analysed, {} dropped by the kernel, {} by the interface, {} freezes",
                                   seconds_between(start_, Clock::now()), human_count(c.received), human_count(c.analysed),
                                   human_count(c.dropped_by_kernel), human_count(c.dropped_by_interface), human_count(c.freezes));
    line += fmt::format("; {} connections remembered, {} over", human_count(c.remembered), human_count(c.reported + c.passed_over));
    if (c.evicted != 0) line += fmt::format(", {} forgotten for lack of room", human_count(c.evicted));
    line += ends_text(c);
    if (const std::uint64_t lost = lost_lines(queues_)) line += fmt::format(", {} lines of output dropped", human_count(lost));
    if (screen_ != nullptr && isatty(STDERR_FILENO) == 1) return screen_->tell(line);
    messages_.tell(line);
  }

  [[nodiscard]] static std::string ends_text(const engine::LiveCounters& c) {
    std::string text;
    for (int n = 0; n < tcp::kStates; ++n) {
      const auto state = static_cast<tcp::State>(n);
      const std::uint64_t count = c.ends[static_cast<std::size_t>(n)];
      if (state == tcp::State::kUnknown || state == tcp::State::kClosed || count == 0) continue;
      text += fmt::format("{} {} {}", text.empty() ? "; ends in" : ",", tcp::name(state), report::human_count(count));
    }
    return text;
  }

  report::Reporter& reporter_;
  const Queues& queues_;
  service::Messages& messages_;
  std::chrono::nanoseconds every_;
  bool quiet_;
  screen::LiveScreen* screen_;
  Clock::time_point start_;
  Clock::time_point next_;
};

/// -w: the file, the frames held, and the sink that writes them.
class LiveWriting {
 public:
  /// An empty path: nothing is written. Throws OutputError.
  LiveWriting(const Options& options, std::size_t bytes) : bytes_(bytes) {
    if (options.write.empty()) return;
    file_.emplace(options.write, options.rotation);
    frames_.emplace(bytes_);
  }
  /// Where files are still to be made; empty: nowhere.
  [[nodiscard]] std::string folder() const { return file_ ? file_->folder() : ""; }
  /// Begins the thread that writes. What a connection had comes at once, so as much may wait for the disk as is held.
  void begin(const capture::LiveSource& source, std::vector<std::unique_ptr<report::Sink>>& sinks, service::Messages& messages) {
    if (!file_) return;
    auto queue = queued(std::move(*file_), bytes_, messages);
    queue_ = queue.get();
    std::vector<std::uint16_t> link_types = source.link_types();  // none are known of "any"
    if (link_types.empty()) link_types.assign(capture::kLiveLinkTypes.begin(), capture::kLiveLinkTypes.end());
    auto sink = std::make_unique<engine::LiveEvidence>(report::Output(std::move(queue)), *frames_, source.interfaces(), link_types);
    sink_ = sink.get();
    sinks.push_back(std::move(sink));
  }
  void attach(engine::Pipeline& pipeline) {
    if (frames_) pipeline.set_keeper(*frames_);
  }
  void complain(service::Messages& messages) const {
    if (sink_ != nullptr && sink_->left_out() != 0)
      messages.tell(
          fmt::format("-w: {} packets were older than what is held ({} MiB) and are not written; keep less of each (-s 128), or a filter",
                      report::human_count(sink_->left_out()), bytes_ >> 20U));
    if (queue_ != nullptr && queue_->lost() != 0)
      messages.tell(fmt::format("-w: {} packets were dropped: disk or reader were too slow", report::human_count(queue_->lost())));
  }

 private:
  std::size_t bytes_;
  std::optional<engine::HeldFrames> frames_;
  std::optional<report::LogFile> file_;
  const service::QueuedDestination* queue_ = nullptr;  // the sink's
  const engine::LiveEvidence* sink_ = nullptr;         // the reporter's
};

/// Events and the frames that -w holds are looked at frame by frame, which one thread does.
unsigned threads_for(const Options& options, const engine::PipelineOptions& chosen) {
  return chosen.tracker.events || !options.write.empty() ? 1 : options.threads.value_or(1);
}

capture::LiveOptions live_options(const Options& options, unsigned threads) {
  capture::LiveOptions live;
  live.interfaces = options.interfaces;
  live.filter = options.filter;
  live.promiscuous = options.promiscuous;
  live.method = options.capture_method;
  live.snapshot_length = std::min(live.snapshot_length, options.pipeline.snapshot_length);
  if (options.buffer) live.buffer = *options.buffer;
  live.rings = threads;
  return live;
}

base::Duration counters_every(const Options& options) {
  if (options.counters) return *options.counters;
  return options.quiet || isatty(STDERR_FILENO) == 1 ? 0 : 60 * base::kSecond;
}

void add_facts(report::Totals& totals, const capture::LiveSource& source, double seconds) {
  const capture::LiveStats stats = source.stats();
  totals.capture.interfaces = source.interfaces();
  totals.frames.received = stats.received;
  totals.frames.freezes = stats.freezes;
  const capture::SourceStatus status = source.status();
  if (status.damaged) totals.capture.damage = split(status.what, '\n');
  totals.performance.seconds = seconds;
  totals.performance.peak_memory = peak_memory();
}

/// What was lost, and what helps.
void advise(const report::Totals& totals, const Options& options, service::Messages& messages) {
  const unsigned threads = totals.performance.threads;
  const report::FrameCounts& f = totals.frames;
  const std::uint64_t ring = options.buffer.value_or(capture::LiveOptions{}.buffer) >> 10U;
  if (f.dropped_by_kernel != 0)
    messages.tell(fmt::format("{} of {} packets were dropped for want of room: give more of it (-B {}), more threads (-t {}), or a filter",
                              report::human_count(f.dropped_by_kernel), report::human_count(f.received), ring * 4, threads * 2));
  if (f.dropped_by_interface != 0)
    messages.tell(
        fmt::format("{} packets were dropped by the interface: raise its ring (ethtool -G)", report::human_count(f.dropped_by_interface)));
}

void complain(const Options& options, const report::Totals& totals, const std::optional<capture::Filter>& filter,
              service::Messages& messages) {
  for (const std::string& line : totals.capture.damage) messages.tell(line);
  if (options.quiet) return;
  advise(totals, options, messages);
  if (!filter) return;
  for (const std::string& line : filter->problems()) messages.tell(line);
}

/// The interfaces are open: root is not needed any more. Outputs are opened by who will change their files.
std::vector<OpenOutput> open_outputs_as_somebody_else(const Options& options) {
  if (!options.sandbox) return open_outputs(options);
  const auto identity = service::choose_identity(options.user);
  service::give_up_root(identity);
  try {
    return open_outputs(options);
  } catch (const report::OutputError& e) {
    if (!identity) throw;
    throw report::OutputError(std::string(e.what()) + " (as " + identity->name +
                              ": choose a folder that belongs to it, or another user with --user)");
  }
}

/// Everything is open: nothing but the files of -o and -w that are still to come is needed any more.
void confine_to(const std::vector<OpenOutput>& outputs, const LiveWriting& writing, const Options& options) {
  if (!options.sandbox) return;
  std::vector<std::string> folders;
  if (!writing.folder().empty()) folders.push_back(writing.folder());
  for (const OpenOutput& output : outputs) {
    if (!output.file.folder().empty()) folders.push_back(output.file.folder());
  }
  for (const std::string& line : service::confine(folders)) {
    if (!options.quiet) fmt::print(stderr, "finwait: {}\n", line);
  }
}

const service::LatencySink* add_latencies(std::vector<std::unique_ptr<report::Sink>>& sinks) {
  auto sink = std::make_unique<service::LatencySink>();
  const service::LatencySink* const kept = sink.get();
  sinks.push_back(std::move(sink));
  return kept;
}

/// On a terminal, if nothing else is to be written there.
bool wants_screen(const Options& options) {
  return options.outputs.empty() && options.write.empty() && options.explain.empty() && screen::Terminal::possible();
}

std::unique_ptr<screen::Terminal> open_terminal() {
  auto terminal = std::make_unique<screen::Terminal>();
  before_sudden_end(screen::Terminal::restore_now);
  return terminal;
}

std::unique_ptr<screen::LiveScreen> open_screen(const std::string& name, const auto& loop, const std::vector<tcp::LiveFeed*>& feeds,
                                                std::unique_ptr<screen::Terminal> terminal) {
  screen::Sources sources;
  sources.interfaces = name;
  sources.counters = [&loop] { return loop.counters(); };
  sources.readers = loop.readers();
  sources.feeds = feeds;
  return std::make_unique<screen::LiveScreen>(std::move(sources), std::move(terminal));
}

/// What a run has open, whichever loop goes with it.
struct Setting {
  const Options& options;
  const capture::LiveSource& source;
  report::Reporter& reporter;
  const Queues& queues;
  service::Messages& messages;
  const service::Process& process;
  const service::LatencySink* latencies;
  std::vector<tcp::LiveFeed*> feeds;
  std::unique_ptr<service::MetricsServer> metrics;  // null: not asked for
  std::unique_ptr<screen::Terminal> terminal;       // null: no screen
};

report::Totals capture_with(auto& loop, Setting& setting) {
  const Options& options = setting.options;
  const bool on_screen = setting.terminal != nullptr;
  const auto page = [&] {
    return service::metrics_page(
        {loop.counters(), setting.latencies->latencies(), setting.process.numbers(), lost_lines(setting.queues), FINWAIT_VERSION});
  };
  const std::unique_ptr<service::MetricsServer> serving = std::move(setting.metrics);  // ends before what its page reads
  if (serving) serving->start(page);
  catch_hangup();  // before it is said that it listens
  if (serving && !options.quiet && !on_screen) fmt::print(stderr, "finwait: metrics at {}\n", serving->url());
  if (!options.quiet && !on_screen) fmt::print(stderr, "finwait: listening on {}\n", setting.source.name());
  const auto screen = on_screen ? open_screen(setting.source.name(), loop, setting.feeds, std::move(setting.terminal)) : nullptr;
  Overseer overseer(setting.reporter, setting.queues, setting.messages, counters_every(options), options.quiet, screen.get());
  loop.run(overseer);
  return loop.totals();
}

/// After the summary of what became of the packets: who dropped them.
std::string ring_text(const capture::LiveSource& source) {
  const std::vector<capture::RingStats> rings = source.ring_stats();
  std::string text;
  for (std::size_t n = 0; rings.size() > 1 && n != rings.size(); ++n)
    text +=
        fmt::format("ring {} of {}: received {}, dropped by the kernel {}, freezes {}\n", n + 1, rings[n].interface,
                    report::human_count(rings[n].received), report::human_count(rings[n].dropped), report::human_count(rings[n].freezes));
  return text;
}

}  // namespace

int analyse_live(const Options& options) {
  std::optional<capture::Filter> filter;
  if (!options.filter.empty()) filter.emplace(options.filter);
  capture::Filter* const chooser = filter ? &*filter : nullptr;
  engine::PipelineOptions chosen = pipeline_options(options);
  const unsigned threads = threads_for(options, chosen);
  const Budget budget = share_out(options, threads, chosen.tracker.zeek);
  chosen.tracker.max_connections = budget.connections;
  chosen.last_on_threads = true;  // whoever ends a capture does not wait long
  chosen.tracker.readers = wants_screen(options);
  std::vector<tcp::LiveFeed> feeds(wants_screen(options) ? threads : 0);
  const auto source = capture::open_live(live_options(options, threads));  // first: without the permission nothing is overwritten
  const service::Process process;
  auto metrics = options.metrics ? std::make_unique<service::MetricsServer>(*options.metrics) : nullptr;
  std::vector<OpenOutput> outputs = open_outputs_as_somebody_else(options);
  LiveWriting writing(options, budget.held);
  auto terminal = feeds.empty() ? nullptr : open_terminal();  // reads what the terminal can do: before the sandbox
  confine_to(outputs, writing, options);
  service::Messages messages;  // nobody waits for who reads them
  std::vector<std::unique_ptr<report::Sink>> sinks;
  writing.begin(*source, sinks, messages);
  Queues queues;
  const Queueing queueing{budget.waiting, queues, messages};
  for (auto& sink : make_sinks(options, std::move(outputs), &queueing)) sinks.push_back(std::move(sink));
  const service::LatencySink* const latencies = metrics ? add_latencies(sinks) : nullptr;
  report::Reporter reporter(std::move(sinks), options.only,
                            host_options(options, budget, chosen.tracker.seed, std::max(std::thread::hardware_concurrency(), 1U)));

  Setting setting{options, *source, reporter, queues, messages, process, latencies, {}, std::move(metrics), std::move(terminal)};
  for (tcp::LiveFeed& feed : feeds) setting.feeds.push_back(&feed);
  const auto start = Clock::now();
  report::Totals totals;
  if (threads == 1) {
    chosen.tracker.feed = feeds.empty() ? nullptr : &feeds.front();
    engine::Pipeline pipeline(*source, chooser, reporter, chosen);
    writing.attach(pipeline);
    engine::LiveLoop loop(*source, pipeline, reporter, chosen.tracker.max_connections);
    totals = capture_with(loop, setting);
  } else {
    engine::ShardedLiveLoop loop(*source, chooser, reporter, chosen, threads, setting.feeds);
    totals = capture_with(loop, setting);
  }

  add_facts(totals, *source, seconds_between(start, Clock::now()));
  reporter.finish(totals);
  complain(options, totals, filter, messages);
  writing.complain(messages);
  if (const std::uint64_t lost = lost_lines(queues))
    messages.tell(fmt::format("{} lines of output were dropped: disk or reader were too slow", report::human_count(lost)));
  messages.finish();
  if (options.stats) fmt::print(stderr, "{}{}", report::stats_text(totals), ring_text(*source));
  if (!totals.capture.damage.empty()) return 1;
  return options.fail_on && reporter.gravest() && *reporter.gravest() >= *options.fail_on ? 3 : 0;
}

}  // namespace finwait::app
