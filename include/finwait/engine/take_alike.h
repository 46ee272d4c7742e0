// Frames into segments, where no frame of a run is taken otherwise than the next: there is no filter, no span, and frames are looked at
// whole. What one thread does with a batch, and what each of several does with the frames of a unit.
//
// Always true: what changes with every frame is in a register and reckoned up once for all: every store to a segment could have been to
// where it is kept otherwise. What does not happen to nearly every frame is left to whoever calls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "finwait/base/apart.h"
#include "finwait/base/hash.h"
#include "finwait/base/time.h"
#include "finwait/capture/source.h"
#include "finwait/engine/trace_clock.h"
#include "finwait/wire/common_frame.h"
#include "finwait/wire/segment.h"

namespace finwait::engine {

/// What some frames came to.
struct Taken {
  std::uint64_t bytes = 0;
  std::uint64_t cut_short = 0;
  base::Timestamp latest = std::numeric_limits<base::Timestamp>::min();  ///< of the stamps with which the clock went on, the last
  std::size_t segments = 0;
  std::size_t uncommon = 0;  ///< of these, those that take_uncommon() found
};

/// Frames, of which the first one has this `number`, into `segments`, one at most of each; `stamps`, of each frame, may be null. Two things
/// are the caller's: `date(number, stamp)` ticks the clock with a stamp that it has to think about; `take_uncommon(number, frame, segment)`
/// decodes a frame that is not a common one, counts its fate, and says whether there is a segment in it. May throw what they throw.
template <bool kReadPayload, class Date, class TakeUncommon>
[[nodiscard, gnu::always_inline]] inline Taken take_alike(std::span<const capture::Frame> frames, std::uint64_t number, TraceClock& clock,
                                                          const base::QuickHash& hash, wire::Segment* segments, base::Timestamp* stamps,
                                                          Date&& date, TakeUncommon&& take_uncommon) {
  std::uint64_t bytes = 0;
  std::uint64_t cut_short = 0;
  std::size_t uncommon = 0;
  base::Timestamp latest = std::numeric_limits<base::Timestamp>::min();
  wire::Segment* segment = segments;
  for (const capture::Frame& frame : frames) {
    bytes += frame.captured;
    cut_short += frame.captured < frame.length ? 1U : 0U;
    if (stamps != nullptr) *stamps++ = frame.time;
    if (clock.goes_on(frame.time)) [[likely]] {
      latest = frame.time;  // nor is it before the first one: the clock has passed that
    } else {
      date(number, frame.time);
    }
    if (!wire::decode_common<kReadPayload>(frame.data, frame.captured, frame.length, frame.link_type, *segment)) [[unlikely]] {
      if (!take_uncommon(number, frame, *segment)) {
        ++number;
        continue;
      }
      ++uncommon;
    }
    base::settle(segment->key);
    segment->hash = hash.hash40(&segment->key);
    segment->time = frame.time;
    segment->clock = clock.now();
    segment->frame = number++;
    ++segment;
  }
  return {bytes, cut_short, latest, static_cast<std::size_t>(segment - segments), uncommon};
}

}  // namespace finwait::engine
