#include "finwait/report/output.h"

#include <algorithm>
#include <utility>

namespace finwait::report {

Output::Output(const std::string& path) : Output(std::make_unique<DirectDestination>(LogFile(path))) {}

Output::Output(std::unique_ptr<Destination> destination) : destination_(std::move(destination)) {
  if (destination_->every() != 0) turn_ = now_;
}

void Output::flush() {
  if (text_.size() == 0) return;
  // Whatever happens, it is not given twice.
  struct Clear {
    Text& text;
    ~Clear() { text.clear(); }
  } clear{text_};
  destination_->write(text_.view(), now_);
}

void Output::turn(base::Timestamp now) {
  if (now == base::kNever) return;
  flush();
  const base::Duration every = destination_->every();
  const base::Duration rest = now % every;
  turn_ = base::after(base::after(now, -(rest < 0 ? rest + every : rest)), every);
}

void Output::advance(base::Timestamp clock) {
  const bool begun = now_ != std::numeric_limits<base::Timestamp>::min();
  if (!begun || clock < turn_ || destination_->every() == 0) return;
  at(clock);
  destination_->advance(clock);
}

void Output::reopen() {
  flush();
  destination_->reopen();
}

void Output::close(base::Timestamp at) {
  if (now_ == std::numeric_limits<base::Timestamp>::min()) now_ = at;
  flush();
  destination_->close(at);
}

}  // namespace finwait::report
