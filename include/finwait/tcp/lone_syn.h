// A connection that was a SYN like any other and nothing else: what there is to say of it, once it is over.
//
// A flood is millions of these. What all have in common is said here once: opened by nobody's answer, one packet without payload, no
// finding; the originator was in SYN-SENT from `time` on, the other end in no state. Always true: `time` is not later than `clock`; a Brief
// made of it is the one that the tracker would give.
#pragma once

#include <cstdint>
#include <type_traits>

#include "finwait/base/time.h"
#include "finwait/tcp/brief.h"
#include "finwait/tcp/verdict.h"
#include "finwait/wire/flow_key.h"

namespace finwait::tcp {

struct LoneSyn {
  wire::FlowKey key;
  std::uint64_t id;
  base::Timestamp time;
  base::Timestamp clock;
  base::Timestamp released_at;
  std::uint32_t known;  ///< of the originator, as in Brief::End
  std::uint32_t iss;
  std::uint32_t ip_bytes;
  std::uint8_t ttl;
  std::uint8_t options_signature;
  std::uint8_t originator;  ///< the end of the key that sent it: 0, the low one, or 1
  Ending ending;            ///< kUnanswered or kEvicted
};
static_assert(std::is_trivially_copyable_v<LoneSyn>);

/// Into a Brief, whatever stood there.
void write_brief(const LoneSyn& syn, Brief& brief) noexcept;

}  // namespace finwait::tcp
