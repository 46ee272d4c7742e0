// Keyed hashes of 40 bytes (a flow key), and the seed to key them with.
//
// KeyedHash is for what is counted or thinned out by its hash, where chance has to be proven. Two universal families, one after the other,
// then a bijection:
//   1. NH (UMAC, RFC 4418, 5.2, with 64-bit words as VMAC has it): 40 bytes and a constant sixth word become 128 bits, the sum of three
//      products (m0 + k0) * (m1 + k1). Two different inputs collide for a fraction of at most 2^-64 of all keys.
//   2. A multilinear hash, the upper half of c + a * high + b * low (mod 2^128), takes the 128 bits to 64. It is strongly universal.
//   3. A fixed bijective mix. It cannot weaken what stands above; it breaks the arithmetic progressions that consecutive ports and
//   addresses
//      would otherwise leave, so that the buckets fill as if by chance.
//
// Always true, for two different inputs and keys that look random: all 64 bits collide with probability at most 2^-63, any j bits of the
// result with at most 2^-j + 2^-64. This holds as long as nobody outside knows the seed, hence results are never shown: not printed, not
// written, not used to order output. Both directions of a flow have the same key, so they have the same hash.
//
// QuickHash is for every packet: a table's buckets and tags, and shards. Half the instructions:
//   1. NH as above.
//   2. The halves of the 128 bits, each with a key of its own, are multiplied: (high + k6) * (low + k7), NH again.
//   3. The halves of that product are folded, high ^ low, as wyhash does. So each bit of the result depends on all of both factors, and the
//      progressions that consecutive ports and addresses leave behind 1. are broken.
//
// Two different inputs have the same 128 bits before 3. with probability at most 2^-63. That folding keeps this, and that any bits of the
// result fill buckets as chance would, is not proven but tested. It too holds as long as nobody outside knows the seed.
//
// Not here: hashing of other lengths, cryptographic strength, or the same result on machines of another byte order.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

namespace finwait::base {

/// splitmix64: a Weyl sequence through a mixing function. The next key of a seed.
[[nodiscard]] constexpr std::uint64_t next_key(std::uint64_t& state) noexcept {
  std::uint64_t z = (state += 0x9e37'79b9'7f4a'7c15);
  z = (z ^ (z >> 30)) * 0xbf58'476d'1ce4'e5b9;
  z = (z ^ (z >> 27)) * 0x94d0'49bb'1331'11eb;
  return z ^ (z >> 31);
}

class KeyedHash {
 public:
  static constexpr std::size_t kBytes = 40;

  /// The same seed gives the same hash in every run. Take it from random_seed() unless a run must be repeated.
  explicit KeyedHash(std::uint64_t seed) noexcept {
    for (auto& k : nh_) k = next_key(seed);
    for (auto& k : fold_) k = (static_cast<Wide>(next_key(seed)) << 64) | next_key(seed);
  }

  /// The hash of the 40 bytes at `bytes`, aligned or not. Any thread.
  [[nodiscard]] std::uint64_t hash40(const void* bytes) const noexcept {
    std::array<std::uint64_t, kBytes / 8> m;
    std::memcpy(m.data(), bytes, kBytes);
    return hash_words(m);
  }
  /// The same of bytes that are in registers: what was just written in pieces is slow to read back as words.
  [[nodiscard, gnu::always_inline]] std::uint64_t hash_words(const std::array<std::uint64_t, kBytes / 8>& m) const noexcept {
    const Wide nh = multiply(m[0] + nh_[0], m[1] + nh_[1]) + multiply(m[2] + nh_[2], m[3] + nh_[3]) + multiply(m[4] + nh_[4], nh_[5]);
    const auto high = static_cast<std::uint64_t>(nh >> 64);
    const auto low = static_cast<std::uint64_t>(nh);
    return mix(static_cast<std::uint64_t>((fold_[0] + fold_[1] * high + fold_[2] * low) >> 64));
  }

 private:
  __extension__ using Wide = unsigned __int128;

  static constexpr Wide multiply(std::uint64_t a, std::uint64_t b) noexcept { return static_cast<Wide>(a) * b; }

  /// MurmurHash3's 64-bit finalizer: each step is invertible, and each input bit reaches every output bit.
  static constexpr std::uint64_t mix(std::uint64_t x) noexcept {
    x = (x ^ (x >> 33)) * 0xff51'afd7'ed55'8ccd;
    x = (x ^ (x >> 33)) * 0xc4ce'b9fe'1a85'ec53;
    return x ^ (x >> 33);
  }

  std::array<Wide, 3> fold_;
  std::array<std::uint64_t, 6> nh_;
};

class QuickHash {
 public:
  static constexpr std::size_t kBytes = 40;

  /// The same seed gives the same hash in every run. Take it from random_seed() unless a run must be repeated.
  explicit QuickHash(std::uint64_t seed) noexcept {
    for (auto& k : keys_) k = next_key(seed);
  }

  /// The hash of the 40 bytes at `bytes`, aligned or not. Any thread.
  [[nodiscard, gnu::always_inline]] std::uint64_t hash40(const void* bytes) const noexcept {
    return folded(multiply(keyed(bytes, 0), keyed(bytes, 1)) + multiply(keyed(bytes, 2), keyed(bytes, 3)) +
                  multiply(keyed(bytes, 4), keys_[5]));
  }
  /// The same of bytes that are in registers: what was just written in pieces is slow to read back as words.
  [[nodiscard]] std::uint64_t hash_words(const std::array<std::uint64_t, kBytes / 8>& m) const noexcept {
    return folded(multiply(m[0] + keys_[0], m[1] + keys_[1]) + multiply(m[2] + keys_[2], m[3] + keys_[3]) +
                  multiply(m[4] + keys_[4], keys_[5]));
  }

 private:
  __extension__ using Wide = unsigned __int128;

  static constexpr Wide multiply(std::uint64_t a, std::uint64_t b) noexcept { return static_cast<Wide>(a) * b; }

  [[nodiscard, gnu::always_inline]] std::uint64_t folded(Wide nh) const noexcept {
    const Wide product = multiply(static_cast<std::uint64_t>(nh >> 64) + keys_[6], static_cast<std::uint64_t>(nh) + keys_[7]);
    return static_cast<std::uint64_t>(product >> 64) ^ static_cast<std::uint64_t>(product);
  }

  /// A word of the input and its key.
  [[nodiscard, gnu::always_inline]] std::uint64_t keyed(const void* bytes, std::size_t word) const noexcept {
    std::uint64_t value = 0;
    std::memcpy(&value, static_cast<const unsigned char*>(bytes) + 8 * word, sizeof(value));
    return value + keys_[word];
  }

  std::array<std::uint64_t, 8> keys_;
};

/// Which of `shards` (at least 1) owns a hash: evenly spread, and independent of the bits by which flow::Table finds its buckets and tags;
/// a plain `hash % shards` would leave most buckets of a shard's table unused.
[[nodiscard]] constexpr std::uint32_t shard_of(std::uint64_t hash, std::uint32_t shards) noexcept {
  const std::uint64_t spread = ((hash ^ (hash >> 32)) * 0x9e37'79b9'7f4a'7c15) >> 32;
  return static_cast<std::uint32_t>((spread * shards) >> 32);
}

/// 64 random bits from the kernel. Throws std::system_error when it has none to give.
[[nodiscard]] std::uint64_t random_seed();

}  // namespace finwait::base
