#include "finwait/screen/live_screen.h"

#include <algorithm>

namespace finwait::screen {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kEvery{1'000};  // between two rounds
constexpr milliseconds kGlance{100};   // at most, between two looks whether to stop

}  // namespace

LiveScreen::LiveScreen(Sources sources, std::unique_ptr<Terminal> terminal)
    : terminal_(std::move(terminal)), collector_(std::move(sources)), messages_(16) {
  thread_ = std::thread([this] { run(); });
}

LiveScreen::~LiveScreen() {
  stop_.store(true, std::memory_order_relaxed);
  thread_.join();
}

void LiveScreen::tell(std::string_view line) noexcept {
  Message message;
  std::copy_n(line.begin(), std::min(line.size(), message.text.size() - 1), message.text.begin());
  static_cast<void>(messages_.push(message));  // full: nobody could have read so many
}

void LiveScreen::run() {
  while (!stop_.load(std::memory_order_relaxed)) {
    const auto next = Clock::now() + kEvery;
    hear();
    if (!terminal_->alive()) return quit_.store(true, std::memory_order_relaxed);
    collector_.look(model_.status);
    collector_.listen(model_, ui_.paused);
    if (!ui_.paused || ui_.searched) go_round();
    collector_.follow(model_, ui_);
    redraw();
    while (!stop_.load(std::memory_order_relaxed) && Clock::now() < next) {
      const auto left = std::chrono::duration_cast<milliseconds>(next - Clock::now());
      take_key(std::clamp(left, milliseconds{1}, kGlance));
      if (ui_.searched) break;  // somebody waits for it
    }
  }
}

/// One round over all connections, spread over some time if they are many.
void LiveScreen::go_round() {
  const Ui asked = ui_;
  pause_ = microseconds{tcp::TableReader::rest_of(model_.status.counters.remembered)};
  Model unseen;
  collector_.round(asked.paused ? unseen : model_, asked, [this] { rest(); });
  if (!ui_.searched || ui_.searched != asked.searched) return;
  ui_.open = collector_.found();
  if (!ui_.open) model_.status.message = "connection " + std::to_string(*ui_.searched) + " is no longer remembered";
  ui_.searched.reset();
}

void LiveScreen::hear() {
  for (Message message; messages_.pop(message);) model_.status.message = message.text.data();
}

void LiveScreen::redraw() {
  drawn_ = terminal_->size();
  terminal_->show(draw(model_, ui_, drawn_, terminal_->looks()));
}

void LiveScreen::take_key(milliseconds wait) {
  const int key = terminal_->key(wait);
  if (key != 0) {
    press(ui_, key, model_, list_rows(ui_, terminal_->size()));
    if (ui_.quit) quit_.store(true, std::memory_order_relaxed);
    collector_.follow(model_, ui_);
  }
  if (key != 0 || !(terminal_->size() == drawn_)) redraw();
}

/// In a round: leaves the writer alone for a while.
void LiveScreen::rest() {
  if (stop_.load(std::memory_order_relaxed)) return;
  std::this_thread::sleep_for(pause_);
  rested_ += pause_;
  if (rested_ < microseconds{20'000}) return;
  rested_ = microseconds{0};
  take_key(milliseconds{0});
}

}  // namespace finwait::screen
