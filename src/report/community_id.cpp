#include "finwait/report/community_id.h"

#include <nettle/base64.h>
#include <nettle/sha1.h>

#include <cstdint>
#include <cstring>

namespace finwait::report {

// SHA-1 over: seed (2 bytes), the lower endpoint's address, the higher one's, the protocol, a zero byte, the lower one's port, the higher
// one's; all in network order. The specification orders endpoints as FlowKey does: by address, then by port.
CommunityId community_id(const wire::FlowKey& key) noexcept {
  constexpr std::uint8_t kTcp = 6;
  const std::size_t skip = key.ip_version() == 4 ? 12 : 0;
  const std::size_t length = 16 - skip;
  std::array<std::uint8_t, 2 + 32 + 6> input{};
  std::uint8_t* to = input.data() + 2;
  std::memcpy(to, key.low.bytes.data() + skip, length);
  std::memcpy(to + length, key.high.bytes.data() + skip, length);
  to += 2 * length;
  *to++ = kTcp;
  *to++ = 0;
  for (const std::uint16_t port : {key.low_port, key.high_port}) {
    *to++ = static_cast<std::uint8_t>(port >> 8);
    *to++ = static_cast<std::uint8_t>(port);
  }

  sha1_ctx context;
  sha1_init(&context);
  sha1_update(&context, static_cast<std::size_t>(to - input.data()), input.data());
  std::array<std::uint8_t, SHA1_DIGEST_SIZE> digest{};
  sha1_digest(&context, digest.size(), digest.data());

  CommunityId id{'1', ':'};
  static_assert(BASE64_ENCODE_RAW_LENGTH(SHA1_DIGEST_SIZE) == 28);
  base64_encode_raw(id.data() + 2, digest.size(), digest.data());
  return id;
}

}  // namespace finwait::report
