// What a tracker tells other threads as it happens: findings, and the segments of one flow that somebody asked for.
//
// Always true: the tracker never waits for whoever listens: what there is no room for is dropped and counted. One thread listens. The flow
// asked for is looked at once a batch, so its first segments come from the batch after the asking.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "finwait/base/counter.h"
#include "finwait/base/ring.h"
#include "finwait/base/seqlock.h"
#include "finwait/base/time.h"
#include "finwait/tcp/anomaly.h"
#include "finwait/tcp/state.h"
#include "finwait/wire/flow_key.h"
#include "finwait/wire/segment.h"

namespace finwait::tcp {

/// A finding when it is first made of a connection.
struct Notice {
  wire::FlowKey key;
  std::uint64_t connection = 0;  ///< its id
  std::uint64_t frame = 0;       ///< at which it was made; 0: a timer, or the end of the connection
  base::Timestamp time = 0;      ///< of what it is about
  std::uint8_t originator = 0;   ///< which end of the key
  AnomalyKind kind{};
  Severity severity{};
};

/// A segment of the flow asked for, and the states of both ends (by index) after it.
struct LiveStep {
  wire::Segment segment;
  std::uint64_t connection = 0;  ///< id; 0: it belongs to no incarnation
  std::array<State, 2> states{};
};

struct LiveRequest {
  bool wanted = false;
  wire::FlowKey key;
};

class LiveFeed {
 public:
  LiveFeed() : notices_(1024), steps_(4096) {}

  // The tracker's thread. Wait-free.
  void tell(const Notice& notice) noexcept {
    if (!notices_.push(notice)) lost_.add();
  }
  void tell(const LiveStep& step) noexcept {
    if (!steps_.push(step)) lost_.add();
  }
  /// Nothing when the listener is writing it just now: then what was asked for before still holds.
  [[nodiscard]] std::optional<LiveRequest> request() const noexcept { return request_.try_load(); }

  // The listening thread. Wait-free.
  [[nodiscard]] bool take(Notice& notice) noexcept { return notices_.pop(notice); }
  [[nodiscard]] bool take(LiveStep& step) noexcept { return steps_.pop(step); }
  void ask(const LiveRequest& request) noexcept { request_.store(request); }
  /// How much there was no room for. Any thread.
  [[nodiscard]] std::uint64_t lost() const noexcept { return lost_.value(); }

 private:
  base::Ring<Notice> notices_;
  base::Ring<LiveStep> steps_;
  base::Seqlock<LiveRequest> request_;
  base::Counter lost_;
};

}  // namespace finwait::tcp
