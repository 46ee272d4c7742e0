// How the tables find the ends of a connection: as the host that opened it, as its listener.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#include "finwait/base/hash.h"
#include "finwait/hosts/life.h"
#include "finwait/tcp/unopened.h"
#include "finwait/wire/flow_key.h"

namespace finwait::hosts {

using KeyWords = std::array<std::uint64_t, 5>;

/// A key as the whole words that it is hashed by.
[[nodiscard]] inline KeyWords words_of(const wire::Address& low, const wire::Address& high, std::uint16_t low_port, std::uint16_t high_port,
                                       std::uint32_t network) noexcept {
  constexpr bool kLittle = std::endian::native == std::endian::little;
  KeyWords words;
  std::memcpy(&words[0], low.bytes.data(), sizeof low);
  std::memcpy(&words[2], high.bytes.data(), sizeof high);
  words[4] = std::uint64_t{low_port} << (kLittle ? 0 : 48) | std::uint64_t{high_port} << (kLittle ? 16 : 32) |
             std::uint64_t{network} << (kLittle ? 32 : 0);
  return words;
}

[[nodiscard]] inline wire::FlowKey key_of(const KeyWords& words) noexcept {
  wire::FlowKey key;
  std::memcpy(static_cast<void*>(&key), words.data(), sizeof key);
  return key;
}

/// The key of a listener or, with port 0, of an originating host.
[[nodiscard]] inline KeyWords subject_words(const wire::FlowKey& key, unsigned end, bool listener) noexcept {
  const std::uint16_t port = end == 0 ? key.low_port : key.high_port;
  return words_of(end == 0 ? key.low : key.high, {}, listener ? port : std::uint16_t{0}, 0, key.network);
}

[[nodiscard]] inline KeyWords host_words(const tcp::Unopened& c) noexcept { return words_of(c.ends[0].address, {}, 0, 0, c.network); }
[[nodiscard]] inline KeyWords listener_words(const tcp::Unopened& c) noexcept {
  return words_of(c.ends[1].address, {}, c.ends[1].port, 0, c.network);
}

/// From an originating host to a listener.
[[nodiscard]] inline wire::FlowKey route_key(const wire::FlowKey& key, unsigned originator) noexcept {
  const bool low = originator == 0;
  return key_of(words_of(low ? key.low : key.high, low ? key.high : key.low, 0, low ? key.high_port : key.low_port, key.network));
}

/// The hash of a subject; where it is the same one again, as the listener of a flood is, it is known.
class RecentHash {
 public:
  [[nodiscard]] std::uint64_t operator()(const KeyWords& words, const base::KeyedHash& hash) noexcept {
    if (((words[0] ^ words_[0]) | (words[1] ^ words_[1]) | (words[4] ^ words_[4])) == 0) return hash_;  // the others are always 0
    words_ = words;
    return hash_ = hash.hash_words(words);
  }

 private:
  KeyWords words_{~std::uint64_t{0}, 0, 0, 0, ~std::uint64_t{0}};  // no subject: what stands behind the ports of one is 0
  std::uint64_t hash_ = 0;
};

/// Both ends of a connection as subjects of the tables. The keys are made well before they are used: to read at once what was written in
/// other pieces takes until it has reached the cache, behind every store before it.
struct HostKeys {
  wire::FlowKey originator_key;
  wire::FlowKey listener_key;
  std::uint64_t originator;
  std::uint64_t listener;

  void make(const Life& life, const base::KeyedHash& hash) noexcept {
    const KeyWords host = subject_words(life.key, life.originator, false);
    const KeyWords service = subject_words(life.key, 1U - life.originator, true);
    originator_key = key_of(host);
    listener_key = key_of(service);
    originator = hash.hash_words(host);
    listener = hash.hash_words(service);
  }
};

}  // namespace finwait::hosts
