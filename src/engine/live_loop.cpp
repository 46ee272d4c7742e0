#include "finwait/engine/live_loop.h"

#include <algorithm>
#include <numeric>

namespace finwait::engine {
namespace {

constexpr base::Duration kLook = base::kSecond / 10;

}  // namespace

LiveLoop::LiveLoop(capture::LiveSource& source, Pipeline& pipeline, report::Reporter& reporter, std::uint32_t most)
    : source_(source), pipeline_(pipeline), reporter_(reporter), most_(most) {}

void LiveLoop::run(LiveObserver& observer) {
  std::vector<capture::Frame> frames(pipeline_.batch());
  bool open = true;
  for (bool ended = false; !ended;) {
    const capture::Arrival arrival = source_.next(frames, kLook);
    mark_losses();
    const bool more = take(arrival, std::span(frames).first(arrival.frames));
    write_out(arrival);
    publish(arrival.now);
    for (const std::string& line : source_.take_news()) observer.tell(line);
    const bool go_on = observer.look(counters_, pipeline_) && !reporter_.closed();
    ended = arrival.ended || !more;
    if (open && !go_on) {
      source_.close();
      open = false;
    }
  }
  pipeline_.note_stopped();
  pipeline_.finish();
}

/// One batch, or a tick. False when as many frames as asked for have been selected.
bool LiveLoop::take(const capture::Arrival& arrival, std::span<const capture::Frame> frames) {
  if (!frames.empty()) return pipeline_.feed(frames);
  if (arrival.passed != 0) pipeline_.pass_time(arrival.passed);
  return true;
}

/// At once when nothing else is to be done, now and then under load.
void LiveLoop::write_out(const capture::Arrival& arrival) {
  if (arrival.frames != 0 && base::elapsed(written_out_, arrival.now) < kLook) return;
  written_out_ = arrival.now;
  reporter_.settle(pipeline_.clock());
}

void LiveLoop::mark_losses() {
  const capture::LossSpan loss = source_.take_loss();
  if (!loss.empty()) pipeline_.note_loss(loss.from, loss.to);
}

void LiveLoop::publish(base::Timestamp now) {
  const capture::LiveStats stats = source_.stats();
  const report::FrameCounts& frames = pipeline_.frames();
  const tcp::TrackerCounts& tracker = pipeline_.tracker().counts();
  const report::ConnectionCounts& connections = reporter_.counts();
  LiveCounters& c = counters_;
  c.received = std::max(stats.received, frames.read + stats.dropped_by_kernel);  // the kernel is asked only now and then
  c.analysed = frames.read;
  c.bytes = pipeline_.bytes();
  c.dropped_by_kernel = stats.dropped_by_kernel;
  c.dropped_by_interface = stats.dropped_by_interface;
  c.freezes = stats.freezes;
  c.fates = frames.fates;
  c.clock = pipeline_.clock();
  c.now = now;
  c.created = tracker.created;
  c.opened = tracker.opened;
  c.ended = tracker.ended;
  c.failed = tracker.failed;
  c.entered = tracker.entered;
  c.segments = tracker.segments;
  c.strays = tracker.strays;
  c.evicted = std::accumulate(tracker.evicted.begin(), tracker.evicted.end(), std::uint64_t{0});
  c.table_full = tracker.table_full;
  c.remembered = pipeline_.tracker().remembered();
  c.most = most_;
  c.ends = tracker.ends;
  c.reported = connections.connections;
  c.passed_over = connections.passed_over;
  c.openings = connections.openings;
  c.endings = connections.endings;
  c.anomalies = connections.anomalies;
  published_.store(c);
}

}  // namespace finwait::engine
