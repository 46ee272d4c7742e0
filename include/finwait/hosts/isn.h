// Initial sequence numbers: what many connections of one host tell of how it chooses them.
//
// Fed one sample for each new connection attempt (the SYN of an originating host, the SYN-ACK of a listener), it keeps the most recent ones
// of each host in memory that is sized at the start, and at the end tests each host for predictable numbers. Always true: the chance of any
// alarm at all, over everything tested, is at most IsnLimits::family_error if every host is innocent (Holm). What the tests are, their null
// distributions and their measured power: docs/isn.md.
//
// It does not decide what a new connection is, nor which SYN is a retransmission: the caller does. It looks at no packet and no clock.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "finwait/base/time.h"
#include "finwait/hosts/isn_store.h"
#include "finwait/wire/flow_key.h"

namespace finwait::hosts {

/// The initial sequence number of one new connection attempt. Retransmissions and copies are never given.
struct IsnSample {
  base::Timestamp time = 0;      ///< of the segment that carried it
  std::uint64_t connection = 0;  ///< id of the connection: its first frame
  std::uint32_t isn = 0;
  wire::Address host;      ///< whose number it is
  std::uint16_t port = 0;  ///< the listener's port for a SYN-ACK, 0 for the SYN of an originating host
  wire::Address peer;      ///< the rest of the 4-tuple
  std::uint16_t host_port = 0;
  std::uint16_t peer_port = 0;
  std::uint32_t network = 0;  ///< wire::FlowKey::network
  std::uint8_t ttl = 0;
  std::uint8_t options_signature = 0;  ///< which TCP options the SYN or SYN-ACK carried
  bool after_time_wait = false;        ///< this incarnation replaced one in TIME-WAIT
  std::uint32_t previous_snd_nxt = 0;  ///< of the host in that older incarnation, if after_time_wait
};

/// Whether a number goes on where the host's older incarnation ended, as Linux has it when it leaves TIME-WAIT.
[[nodiscard]] inline bool continues(std::uint32_t isn, std::uint32_t previous_snd_nxt) noexcept {
  // Old SND.NXT + 65 535 + 2; twice that, for what the capture has missed of the old one.
  constexpr std::uint32_t kHabit = 131'074;
  return isn - previous_snd_nxt - 1 < kHabit;
}

/// An address as an observation has it: only its equality matters.
[[nodiscard]] inline std::uint32_t short_of(const wire::Address& address) noexcept {
  std::uint64_t a = 0;
  std::uint64_t b = 0;
  std::memcpy(&a, address.bytes.data(), 8);
  std::memcpy(&b, address.bytes.data() + 8, 8);
  std::uint64_t h = (a ^ a >> 31) * 0x9e37'79b9'7f4a'7c15ULL + b;
  h = (h ^ h >> 32) * 0xd6e8'feb8'6659'fd93ULL;
  h = (h ^ h >> 32) * 0xd6e8'feb8'6659'fd93ULL;
  return static_cast<std::uint32_t>(h >> 32);
}

enum class IsnVerdict : std::uint8_t {
  kConstant,
  kSequential,
  kClock,
  kClockWeakHash,
  kLowEntropy,
  kLinear,
  kRfc6528Like,
  kRandomLike,
  kInconclusive
};

inline constexpr int kIsnVerdicts = static_cast<int>(IsnVerdict::kInconclusive) + 1;

/// How many hosts, by verdict.
using IsnVerdictCounts = std::array<std::size_t, kIsnVerdicts>;

/// As spelled in the output, e.g. "clock-weak-hash".
[[nodiscard]] std::string_view name(IsnVerdict verdict) noexcept;

enum class IsnKind : std::uint8_t { kPredictable, kQuality, kRepeated };
/// "isn-predictable", "isn-quality", "isn-repeated".
[[nodiscard]] std::string_view name(IsnKind kind) noexcept;

enum class IsnSeverity : std::uint8_t { kInfo, kWarning, kAlert };
[[nodiscard]] std::string_view name(IsnSeverity severity) noexcept;

/// nmap's three measures of a sequence (GCD, ISR, SP), by its formulas, over all samples instead of six probes.
struct NmapIsn {
  std::uint32_t gcd = 0;
  std::uint32_t isr = 0;
  std::uint32_t sp = 0;
};

/// Where the next number lies with 95 % confidence.
struct GuessInterval {
  double share = 0.95;                ///< of the 2^32 numbers; 0.95 if nothing better than chance is known
  std::optional<std::uint32_t> from;  ///< first number, as of the last sample's time; a clock moves it on by `slope`
  std::uint32_t width = 0;            ///< how many numbers after it; with `from` only
};

/// One finding about one host, listener, or machine behind it.
struct IsnFinding {
  IsnKind kind = IsnKind::kQuality;
  IsnSeverity severity = IsnSeverity::kInfo;
  wire::Address host;
  std::uint32_t network = 0;
  std::optional<std::uint16_t> port;  ///< of a listener
  std::optional<std::uint8_t> ttl;    ///< if several machines were told apart behind the address: which one
  std::size_t samples = 0;            ///< that the verdict rests on
  std::uint64_t seen = 0;             ///< samples ever given for this host; more than `samples` if older ones were let go
  IsnVerdict verdict = IsnVerdict::kInconclusive;
  double p_value = 1;           ///< corrected for all tests on this host, not for the number of hosts
  std::optional<double> slope;  ///< numbers per second
  GuessInterval guess;
  NmapIsn nmap;
  std::vector<std::uint64_t> connections;  ///< up to ten examples
  std::string text;                        ///< one plain sentence with the numbers
  std::string_view rfc;
};

struct IsnLimits {
  /// Bytes for everything the collector keeps. At most this is allocated, once, in the constructor.
  std::size_t memory = std::size_t{64} << 20;
  /// The chance of any false alarm over all hosts and tests.
  double family_error = 0.01;
  /// Keys the table, so that nobody outside can aim at one part of it. Matters only when hosts are evicted.
  std::uint64_t seed = 0;
  /// That finish() takes to judge: the findings are the same with any number. At least 1.
  unsigned threads = 1;
};

/// Collects samples in fixed memory. Not thread-safe.
///
/// Samples of one host must come in the order of their time (later ones are sorted in, but which are let go first depends on it).
class IsnCollector {
 public:
  explicit IsnCollector(const IsnLimits& limits = {});
  ~IsnCollector();
  IsnCollector(IsnCollector&&) noexcept;
  IsnCollector& operator=(IsnCollector&&) noexcept;

  /// Constant time, no allocation.
  void add(const IsnSample& sample) noexcept;
  /// The same as it is kept, with the hash of its host known, and what prefetch_entry() said of it.
  void add(const IsnHost& host, std::uint64_t hash, const IsnObservation& observation) noexcept;
  void add(const IsnHost& host, std::uint64_t hash, const IsnObservation& observation, std::uint32_t guess) noexcept;
  /// The keyed hash of a host that is listed like the low end of a flow: address, port (or 0), network; the rest of the key zero.
  [[nodiscard]] std::uint64_t hash(const wire::FlowKey& subject) const noexcept;
  /// Fetches what says where a host's samples are, then the host's entry itself, then the place of its next sample (IsnStore).
  void prefetch(std::uint64_t hash) const noexcept;
  [[nodiscard]] std::uint32_t prefetch_entry(std::uint64_t hash) const noexcept;
  void prefetch_run(std::uint32_t guess) const noexcept;
  /// All findings, ordered by address, network, port, TTL. One for each host, listener or machine of at least four samples; with fewer only
  /// alarms.
  [[nodiscard]] std::vector<IsnFinding> finish() const;
  /// The same without those in which no weakness was found: they are counted in `sound`, by verdict.
  [[nodiscard]] std::vector<IsnFinding> finish(IsnVerdictCounts& sound) const;

  [[nodiscard]] std::size_t hosts() const noexcept;
  [[nodiscard]] std::uint64_t evicted_hosts() const noexcept;
  /// Bytes allocated: never more than IsnLimits::memory (of at least kLeastMemory), never changing.
  [[nodiscard]] std::size_t memory() const noexcept;

  static constexpr std::size_t kLeastMemory = std::size_t{1} << 20;

 private:
  struct Impl;
  /// `sound`: null if those without a weakness are to be among the findings.
  [[nodiscard]] std::vector<IsnFinding> judge(IsnVerdictCounts* sound) const;
  std::unique_ptr<Impl> impl_;
};

}  // namespace finwait::hosts
