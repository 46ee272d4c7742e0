// From an originating host to a responder's address and port: what connections are grouped by for a person.
#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "finwait/base/hash.h"
#include "finwait/wire/flow_key.h"

namespace finwait::report {

struct EndpointPair {
  wire::Address from;
  wire::Address to;
  std::uint16_t port = 0;
  std::uint8_t ip_version = 4;
  /// Word by word: compared for every connection.
  bool operator==(const EndpointPair& other) const noexcept {
    const auto a = words();
    const auto b = other.words();
    return ((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]) | (a[4] ^ b[4])) == 0;
  }
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
  [[nodiscard]] std::array<std::uint64_t, 5> words() const noexcept {
    std::array<std::uint64_t, 5> all;
    std::memcpy(all.data(), from.bytes.data(), sizeof from);
    std::memcpy(&all[2], to.bytes.data(), sizeof to);
    all[4] = port | std::uint64_t{ip_version} << 16;
    return all;
  }

 private:
  /// A number that is the greater the greater the first byte in memory that differs.
  [[nodiscard]] static std::uint64_t in_order_of_bytes(std::uint64_t word) noexcept {
    return std::endian::native == std::endian::little ? __builtin_bswap64(word) : word;
  }
};

/// `originator`: the end of the key that opened, as the connection's note on roles stands.
[[nodiscard]] EndpointPair pair_of(const wire::FlowKey& key, unsigned originator) noexcept;

/// For maps by pair: keyed at random, so that nobody on the wire can choose pairs that meet in one place. Order nothing by it.
class PairHash {
 public:
  using is_avalanching = void;  // boost::unordered_flat_map need not mix it again

  /// Throws std::system_error: no random number to be had.
  PairHash() : hash_(base::random_seed()) {}

  /// `kind` tells apart what has the same pair.
  [[nodiscard]] std::size_t operator()(const EndpointPair& pair, std::uint8_t kind = 0) const noexcept {
    std::array<std::uint64_t, 5> words = pair.words();
    words[4] |= std::uint64_t{kind} << 24;
    return hash_.hash_words(words);
  }

 private:
  base::QuickHash hash_;
};

}  // namespace finwait::report
