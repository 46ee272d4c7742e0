#include "finwait/service/queued_destination.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <span>

namespace finwait::service {
namespace {

constexpr std::chrono::milliseconds kSlice{50};

std::string seconds_since(std::chrono::steady_clock::time_point since, std::chrono::steady_clock::time_point now) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(now - since).count()) + " s";
}

}  // namespace

QueuedDestination::QueuedDestination(report::LogFile file, QueueOptions options)
    : file_(std::move(file)),
      options_(std::move(options)),
      terminal_(file_.is_terminal()),
      every_(file_.rotation().every),
      ring_(std::max(options_.bytes, 4 * kReserve)),
      thread_([this] { run(); }) {}

QueuedDestination::~QueuedDestination() {
  give_up_.store(true, std::memory_order_release);  // 7
  if (!closing_) push({Kind::kClose, 0, 0}, {});
  thread_.join();
}

// The caller's thread.

void QueuedDestination::begin(report::FileFrame frame, base::Timestamp at) {
  kind_given_ = frame.lines;
  push({Kind::kBegin, sizeof frame, at}, {reinterpret_cast<const char*>(&frame), sizeof frame});
}

void QueuedDestination::write(std::string_view lines, base::Timestamp at) {
  if (closed()) return;
  const std::size_t wanted = sizeof(Message) + lines.size() + kReserve;
  const bool room = lines.size() <= std::numeric_limits<std::uint32_t>::max() && wanted <= ring_.capacity() &&
                    (patient_ ? wait_for_room(wanted) : room_for(wanted));
  if (room) {
    push({Kind::kLines, static_cast<std::uint32_t>(lines.size()), at}, lines);
  } else {
    lost_.add(kind_given_->count(lines));
  }
}

void QueuedDestination::advance(base::Timestamp clock) {
  if (every_ != 0 && room_for(kReserve / 2)) push({Kind::kAdvance, 0, clock}, {});
}

void QueuedDestination::reopen() {
  reopen_.exchange(true, std::memory_order_acq_rel);  // 9
  ring_bell();
}

void QueuedDestination::close(base::Timestamp at) {
  if (closing_) return;
  closing_ = patient_ = true;
  push({Kind::kClose, 0, at}, {});
  std::uint64_t seen = 0;
  Clock::time_point since = Clock::now();
  while (!done_.load(std::memory_order_acquire)) {                       // 6
    const std::uint64_t moved = moved_.load(std::memory_order_acquire);  // 4
    const Clock::time_point now = Clock::now();
    if (moved != seen) since = now;
    seen = moved;
    if (now - since > options_.patience) give_up_.store(true, std::memory_order_release);  // 7
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  if (!result_.empty()) throw report::OutputError(result_);
}

bool QueuedDestination::room_for(std::size_t bytes) { return ring_.room() >= bytes; }

bool QueuedDestination::wait_for_room(std::size_t bytes) {
  std::uint64_t seen = moved_.load(std::memory_order_acquire);  // 4
  Clock::time_point since = Clock::now();
  while (!room_for(bytes)) {
    if (given_up() || closed()) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const std::uint64_t moved = moved_.load(std::memory_order_acquire);  // 4
    const Clock::time_point now = Clock::now();
    if (moved != seen) since = now;
    seen = moved;
    if (now - since > options_.patience) give_up_.store(true, std::memory_order_release);  // 7
  }
  return true;
}

/// There is room: of lines it was asked for, what has none uses the reserve.
void QueuedDestination::push(const Message& message, std::string_view bytes) {
  char head[sizeof message];
  std::memcpy(head, &message, sizeof message);
  ring_.push(std::span<const char>(head));
  ring_.push(std::span<const char>(bytes));
  ring_bell();
}

void QueuedDestination::ring_bell() {
  bell_.fetch_add(1, std::memory_order_release);  // 1
  bell_.notify_one();
}

// The writer's thread.

void QueuedDestination::run() {
  for (;;) {
    const std::uint32_t heard = bell_.load(std::memory_order_acquire);  // 2
    check_reopen();
    char head[sizeof(Message)];
    std::size_t got = ring_.pop(std::span<char>(head));
    if (got == 0) {
      see_losses(Clock::now(), true);
      bell_.wait(heard, std::memory_order_acquire);  // 2
      continue;
    }
    take(head + got, sizeof head - got);
    Message message;
    std::memcpy(&message, head, sizeof message);
    if (lines_.size() < message.bytes) lines_.resize(message.bytes);
    take(lines_.data(), message.bytes);
    see_losses(Clock::now(), false);
    obey(message);
    note_progress();
    if (message.kind == Kind::kClose) break;
  }
  done_.store(true, std::memory_order_release);  // 5
}

void QueuedDestination::obey(const Message& message) {
  switch (message.kind) {
    case Kind::kBegin: {
      report::FileFrame frame;
      std::memcpy(&frame, lines_.data(), sizeof frame);
      kind_written_ = frame.lines;
      file_.begin(frame, message.at);
      break;
    }
    case Kind::kLines:
      deliver({lines_.data(), message.bytes}, message.at);
      break;
    case Kind::kAdvance:
      if (const int error = file_.advance(message.at)) trouble(file_.complaint(error));
      break;
    case Kind::kClose:
      finish(message.at);
      break;
  }
}

/// All of it, however long it takes, or until the caller has given up.
void QueuedDestination::deliver(std::string_view lines, base::Timestamp at) {
  while (!lines.empty()) {
    if (given_up()) return abandon(lines);
    if (!file_.ready(static_cast<int>(kSlice.count()))) {
      see_losses(Clock::now(), false);
      continue;
    }
    const report::LogFile::Written written = file_.write(lines.substr(0, file_.at_once()), at);
    lines.remove_prefix(written.taken);
    if (written.taken != 0) note_progress();
    if (file_.reader_gone()) gone_.store(true, std::memory_order_relaxed);  // 9
    if (written.error != 0) {
      trouble(file_.complaint(written.error));
      pause(options_.retry);
      check_reopen();
    } else {
      relief(Clock::now());
    }
  }
}

void QueuedDestination::finish(base::Timestamp at) {
  for (;;) {
    const int error = file_.close(at);
    if (error == 0) break;
    if (given_up()) {
      result_ = file_.complaint(error);
      break;
    }
    trouble(file_.complaint(error));
    pause(options_.retry);
  }
  if (abandoned_.value() != 0) {
    if (result_.empty()) result_ = file_.complaint(EAGAIN);
    result_ += "; the last " + std::to_string(abandoned_.value()) + " " + kind_written_->name + " are missing";
  } else {
    relief(Clock::now());
    see_losses(Clock::now(), false);
    if (slow_) end_slowness();
  }
}

void QueuedDestination::check_reopen() {
  if (!reopen_.exchange(false, std::memory_order_acq_rel)) return;  // 9
  const bool failed_before = failing_;
  while (const int error = file_.reopen()) {
    if (given_up()) return;
    trouble(file_.complaint(error));
    pause(options_.retry);
  }
  if (!failed_before) relief(Clock::now());
}

/// The caller is between two pushes at most: what is missing comes at once.
void QueuedDestination::take(char* to, std::size_t bytes) {
  while (bytes != 0) {
    const std::size_t got = ring_.pop(std::span<char>(to, bytes));
    to += got;
    bytes -= got;
    if (got == 0) std::this_thread::yield();
  }
}

void QueuedDestination::pause(std::chrono::milliseconds time) {
  const Clock::time_point until = Clock::now() + time;
  while (Clock::now() < until && !given_up()) std::this_thread::sleep_for(std::min(time, kSlice));
}

void QueuedDestination::abandon(std::string_view lines) { abandoned_.add(kind_written_->count(lines)); }

/// Told once an episode.
void QueuedDestination::trouble(const std::string& what) {
  if (failing_) return;
  failing_ = true;
  since_ = Clock::now();
  lost_before_ = lost_.value();
  options_.tell(what + "; it is tried again, and what does not fit into memory meanwhile is dropped and counted");
}

void QueuedDestination::relief(Clock::time_point now) {
  if (!failing_) return;
  failing_ = false;
  const std::uint64_t lost = lost_.value();
  lost_seen_ = lost;
  options_.tell(file_.name() + ": is written again, after " + seconds_since(since_, now) + "; " + std::to_string(lost - lost_before_) +
                " " + kind_written_->name + " were dropped");
}

/// A reader that is too slow: told when lines were dropped though nothing failed, and again when that has stopped.
void QueuedDestination::see_losses(Clock::time_point now, bool idle) {
  if (failing_) return;
  const std::uint64_t lost = lost_.value();
  if (lost != lost_seen_) {
    last_loss_ = now;
    if (!slow_) {
      slow_ = true;
      since_ = now;
      lost_before_ = lost_seen_;
      options_.tell(file_.name() + ": is written too slowly: what does not fit into memory is dropped and counted");
    }
    lost_seen_ = lost;
  }
  if (slow_ && idle && now - last_loss_ >= options_.calm) end_slowness();
}

void QueuedDestination::end_slowness() {
  slow_ = false;
  options_.tell(file_.name() + ": keeps up again; " + std::to_string(lost_seen_ - lost_before_) + " " + kind_written_->name +
                " were dropped");
}

void QueuedDestination::note_progress() noexcept {
  moved_.store(moved_.load(std::memory_order_relaxed) + 1, std::memory_order_release);  // 3
}

}  // namespace finwait::service
