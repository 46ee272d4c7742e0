// From an originating host to a responder's address and port: what connections are grouped by for a person.
#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "finwait/base/hash.h"
#include "finwait/tcp/unopened.h"
#include "finwait/wire/flow_key.h"

namespace finwait::report {

/// A pair as the whole words by which it is hashed and compared.
using PairWords = std::array<std::uint64_t, 5>;

[[nodiscard]] inline bool are_same(const PairWords& a, const PairWords& b) noexcept {
  return ((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]) | (a[4] ^ b[4])) == 0;
}

struct EndpointPair {
  wire::Address from;
  wire::Address to;
  std::uint16_t port = 0;
  std::uint8_t ip_version = 4;
  /// Word by word: compared for every connection.
  bool operator==(const EndpointPair& other) const noexcept { return are_same(words(), other.words()); }
  /// From, to, port, version; byte by byte, but a word at a time: half of those that are remembered are found by it, again and again.
  std::strong_ordering operator<=>(const EndpointPair& other) const noexcept {
    const auto a = words();
    const auto b = other.words();
    for (std::size_t n = 0; n != 4; ++n) {
      if (a[n] != b[n]) return in_order_of_bytes(a[n]) <=> in_order_of_bytes(b[n]);
    }
    return port != other.port ? port <=> other.port : ip_version <=> other.ip_version;
  }

  /// All of it.
  [[nodiscard]] PairWords words() const noexcept { return words_of(from, to, port, ip_version); }
  /// The pair that has these words.
  [[nodiscard]] static EndpointPair of(const PairWords& words) noexcept {
    EndpointPair pair;
    std::memcpy(pair.from.bytes.data(), words.data(), sizeof pair.from);
    std::memcpy(pair.to.bytes.data(), &words[2], sizeof pair.to);
    pair.port = static_cast<std::uint16_t>(words[4]);
    pair.ip_version = static_cast<std::uint8_t>(words[4] >> 16);
    return pair;
  }

  [[nodiscard]] static PairWords words_of(const wire::Address& from, const wire::Address& to, std::uint16_t port,
                                          unsigned ip_version) noexcept {
    return {word(from, 0), word(from, 8), word(to, 0), word(to, 8), port | std::uint64_t{ip_version} << 16};
  }

 private:
  /// One by one: the compiler reads two at once, and takes them apart by way of memory.
  [[nodiscard]] static std::uint64_t word(const wire::Address& address, std::size_t at) noexcept {
    std::uint64_t eight = 0;
    std::memcpy(&eight, address.bytes.data() + at, sizeof eight);
    return eight;
  }
  /// A number that is the greater the greater the first byte in memory that differs.
  [[nodiscard]] static std::uint64_t in_order_of_bytes(std::uint64_t word) noexcept {
    return std::endian::native == std::endian::little ? __builtin_bswap64(word) : word;
  }
};

/// `originator`: the end of the key that opened, as the connection's note on roles stands.
[[nodiscard]] EndpointPair pair_of(const wire::FlowKey& key, unsigned originator) noexcept;
/// Its words, without the pair.
[[nodiscard]] inline PairWords pair_words_of(const wire::FlowKey& key, unsigned originator) noexcept {
  const bool low_first = originator == 0;
  return EndpointPair::words_of(low_first ? key.low : key.high, low_first ? key.high : key.low, low_first ? key.high_port : key.low_port,
                                static_cast<unsigned>(key.ip_version()));
}

[[nodiscard]] inline PairWords pair_words_of(const tcp::Unopened& c) noexcept {
  return EndpointPair::words_of(c.ends[0].address, c.ends[1].address, c.ends[1].port, static_cast<unsigned>(c.ip_version()));
}

/// A hash that costs little and is the same in every run: for what is shown, and so must not depend on chance. Anybody can choose pairs
/// that meet in one place. `kind` tells apart what has the same pair. The upper bits are the good ones.
[[nodiscard]] inline std::uint64_t mixed_of(const PairWords& pair, std::uint8_t kind) noexcept {
  std::uint64_t mixed = kind;
  for (const std::uint64_t word : pair) mixed = (mixed ^ word) * 0x9e37'79b9'7f4a'7c15;
  return mixed;
}

/// For tables of pairs: keyed at random, so that nobody on the wire can choose pairs that meet in one place. Order nothing by it.
class PairHash {
 public:
  /// Throws std::system_error: no random number to be had.
  PairHash() : hash_(base::random_seed()) {}

  /// `kind` tells apart what has the same pair.
  [[nodiscard]] std::size_t operator()(PairWords words, std::uint8_t kind = 0) const noexcept {
    words[4] |= std::uint64_t{kind} << 24;
    return hash_.hash_words(words);
  }

 private:
  base::QuickHash hash_;
};

}  // namespace finwait::report
