// Fills the model: reads the flow tables through their readers, the counters as they were published, and what the feeds tell.
//
// Always true: nothing that is read here waits for the capture or is waited for by it; memory is bounded by the largest number of
// connections there ever was (24 bytes each) and constants. Asks no clock: time is what the counters say.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "finwait/engine/live_counters.h"
#include "finwait/screen/keys.h"
#include "finwait/screen/model.h"
#include "finwait/tcp/live_feed.h"
#include "finwait/tcp/table_reader.h"

namespace finwait::screen {

/// What there is to look at. All that is borrowed outlives the collector.
struct Sources {
  std::string interfaces;
  std::function<engine::LiveCounters()> counters;
  std::vector<tcp::TableReader> readers;  ///< one a tracker
  std::vector<tcp::LiveFeed*> feeds;      ///< those of the same trackers
};

class Collector {
 public:
  /// Different endpoint pairs that are told apart in one round; attempts without an answer have half of them.
  static constexpr std::size_t kRoom = 1U << 16;

  explicit Collector(Sources sources);

  /// How the capture stands. Cheap.
  void look(Status& status);
  /// What the feeds have told since: findings always, segments for the closeup. `held`: the model is not to change.
  void listen(Model& model, bool held);
  /// One round over all connections, for pairs and connections. `ui` says what is wanted; ui.searched is found. rest() is called now and
  /// then: see TableReader::for_each. The model changes at the end.
  void round(Model& model, const Ui& ui, const std::function<void()>& rest);
  /// The id searched for in the last round: where it is.
  [[nodiscard]] std::optional<Ui::Open> found() const noexcept { return found_; }
  /// The closeup of what is open; nothing if nothing is. While the person holds the lists, as it was when it was opened.
  void follow(Model& model, const Ui& ui);

 private:
  /// A connection in the round before.
  struct Before {
    std::uint64_t id = 0;
    std::uint64_t bytes = 0;
    std::uint64_t packets = 0;
  };
  struct PairHash {
    [[nodiscard]] std::size_t operator()(const report::Busiest::Pair& pair) const noexcept;
  };
  struct Growth {
    double bytes = 0;
    double packets = 0;
  };

  void see(const tcp::ConnectionView& view, std::uint32_t shard, const Ui& ui);
  [[nodiscard]] Growth growth(const tcp::ConnectionView& view, std::uint32_t shard);
  void add_to_pair(const tcp::ConnectionView& view, const Growth& growth, std::uint32_t trouble);
  void keep_best(const ConnectionRow& row, const Ui& ui);
  void hand_over_pairs(Model& model, const Ui& ui);

  Sources sources_;
  std::deque<engine::LiveCounters> looks_;  // of the last seconds, the oldest first
  base::Timestamp began_ = 0;
  std::deque<tcp::Notice> notices_;  // the newest first
  bool news_ = false;
  std::vector<std::vector<Before>> before_;  // by shard and index
  base::Timestamp round_at_ = 0;
  std::uint64_t round_frames_ = 0;  // frames when it began
  double seconds_ = 0;              // since the round before; 0: there was none
  std::unordered_map<report::Busiest::Pair, PairRow, PairHash> pairs_;
  std::vector<ConnectionRow> best_;  // a heap: the worst of the best first
  std::uint64_t matching_ = 0;
  std::optional<Ui::Open> found_;
  std::optional<Ui::Open> followed_;
};

}  // namespace finwait::screen
