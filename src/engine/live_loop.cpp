#include "finwait/engine/live_loop.h"

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
    const bool go_on = observer.look(counters_) && !reporter_.closed();
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
  counters_ = counters_at({source_.stats(), pipeline_.frames(), pipeline_.bytes(), pipeline_.clock(), now, pipeline_.tracker().counts(),
                           pipeline_.tracker().remembered(), most_, reporter_.counts()});
  published_.store(counters_);
}

}  // namespace finwait::engine
