#include "finwait/engine/last_outcomes.h"

#include <exception>
#include <memory>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "finwait/base/bell.h"
#include "finwait/engine/outcome_stream.h"

namespace finwait::engine {
namespace {

/// The way from the caller's thread to the others, which live as long as this. An empty batch is the last.
class Farewell {
 public:
  /// Throws std::bad_alloc, std::system_error.
  explicit Farewell(report::Reporter& reporter) : reporter_(reporter), stream_(std::make_unique<OutcomeStream>()) {
    reporting_ = std::thread([this] { report(); });
    try {
      learning_.reserve(hosts::kHostParts.size());
      for (const hosts::HostPart part : hosts::kHostParts) learning_.emplace_back([this, part] { learn(part); });
    } catch (...) {
      end();
      throw;
    }
  }
  ~Farewell() { end(); }
  Farewell(const Farewell&) = delete;
  Farewell& operator=(const Farewell&) = delete;

  void keep(const tcp::Outcome& outcome) {
    room().add(outcome, !reporter_.takes_briefs());
    if (batch_->is_full()) send();
  }
  void keep(const tcp::BriefOutcome& outcome) {
    room().add(outcome);
    if (batch_->is_full()) send();
  }

  /// All that was kept has been reported. Throws what the reporter threw.
  void finish() {
    end();
    if (failure_ != nullptr) std::rethrow_exception(failure_);
  }

 private:
  void end() noexcept {
    if (!reporting_.joinable()) return;
    if (batch_ != nullptr && batch_->size() != 0) send();
    if (batch_ == nullptr) batch_ = fresh();
    send();
    reporting_.join();
    for (std::thread& thread : learning_) thread.join();
  }

  [[nodiscard]] OutcomeBatch& room() noexcept {
    if (batch_ == nullptr) batch_ = fresh();
    return *batch_;
  }
  [[nodiscard]] OutcomeBatch* fresh() noexcept {
    while (true) {
      const std::uint32_t seen = bell_.look();
      if (OutcomeBatch* batch = stream_->empty()) return batch;
      bell_.wait(seen);
    }
  }
  void send() noexcept {
    stream_->send(std::exchange(batch_, nullptr));
    bell_.ring();
  }

  /// Gives each batch to f, up to the last one.
  template <class F>
  void each(Reader reader, F&& f) {
    for (bool last = false; !last;) {
      const std::uint32_t seen = bell_.look();
      OutcomeBatch* batch = stream_->next(reader);
      if (batch == nullptr) {
        bell_.wait(seen);
        continue;
      }
      last = batch->size() == 0;
      f(*batch);
      stream_->give_back(reader, batch);
      bell_.ring();
    }
  }

  /// After a failure batches still go round, so that nobody waits for ever.
  void report() noexcept {
    each(Reader::kReport, [this](const OutcomeBatch& batch) {
      if (failure_ != nullptr) return;
      try {
        for (std::size_t n = 0; n != batch.size(); ++n) {
          batch.prefetch(n + 2);
          batch.report(n, reporter_);
        }
      } catch (...) {
        failure_ = std::current_exception();
      }
    });
  }
  void learn(hosts::HostPart part) noexcept {
    each(reader_of(part), [this, part](const OutcomeBatch& batch) {
      for (const KeptOutcome& kept : batch.outcomes) reporter_.observe(part, kept.life);
    });
  }

  report::Reporter& reporter_;
  std::unique_ptr<OutcomeStream> stream_;
  base::Bell bell_;
  OutcomeBatch* batch_ = nullptr;
  std::exception_ptr failure_;  // the reporting thread's, until it has ended
  std::thread reporting_;
  std::vector<std::thread> learning_;  // one for each part
};

}  // namespace

void give_last(tcp::Tracker& tracker, report::Reporter& reporter) {
  std::unique_ptr<Farewell> farewell;
  try {
    farewell = std::make_unique<Farewell>(reporter);
  } catch (const std::system_error&) {
    tracker.drain(reporter.takes_briefs(), [&reporter](const auto& outcome) { reporter.connection(outcome); });
    return;
  }
  tracker.drain(reporter.takes_briefs(), [&farewell](const auto& outcome) { farewell->keep(outcome); });
  farewell->finish();
}

}  // namespace finwait::engine
