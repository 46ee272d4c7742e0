// The watch's inside: the tables, and how a connection is entered in them. watch.cpp fills them, judge.cpp makes findings of them.
#pragma once

#include <array>
#include <bit>
#include <cstring>

#include "census.h"
#include "finwait/base/hash.h"
#include "finwait/hosts/watch.h"
#include "subjects.h"

namespace finwait::hosts {

struct HostWatch::Impl {
  // Bounds; docs/hosts.md says what they come to in bytes.
  static constexpr std::size_t kSubjects = 32'768;
  static constexpr std::size_t kDetails = 16'384;
  static constexpr std::size_t kWindows = 2'048;
  static constexpr std::size_t kRoutes = 16'384;
  static constexpr std::size_t kBusyRoutes = 1'024;
  static constexpr std::size_t kProbes = 8'192;
  static constexpr std::size_t kSketches = 512;
  static constexpr std::size_t kReused = 8'192;
  static constexpr std::size_t kFirstProbes = std::size_t{1} << 14;
  static constexpr std::size_t kBatch = 32;

  explicit Impl(const HostOptions& given);

  /// A record that waits for its entries to be fetched, the keys and hashes by which they are found, and where its hosts' samples may be.
  /// The keys are made well before they are used: to read at once what was written in other pieces takes until it has reached the cache,
  /// behind every store before it.
  struct Waiting {
    Life life;
    wire::FlowKey originator_key;
    wire::FlowKey listener_key;
    wire::FlowKey route_key;
    std::uint64_t originator;  ///< the originating host
    std::uint64_t listener;
    std::uint64_t route;
    std::array<std::uint32_t, 2> numbers;
  };
  /// The next record's place; observe_next() once it is written.
  [[nodiscard]] Life& next() noexcept { return waiting[waiting_count].life; }
  void observe_next() noexcept;
  void enter_waiting() noexcept;
  void fetch_heads(Waiting& waiting) noexcept;
  void enter(const Life& life) noexcept;

  // Initial sequence numbers.
  void sample_numbers(const Waiting& waiting) noexcept;
  void sample(const Life& life, unsigned end, std::uint64_t hash) noexcept;

  // Listeners, originating hosts, routes.
  void count_ends(const Waiting& waiting) noexcept;
  void count_common(Subject& subject, const Life& life, unsigned end) noexcept;
  void count_handshake(Subject& listener, const Life& life) noexcept;
  void count_lingering(Subject& subject, const Life& life, unsigned end) noexcept;
  void count_time_wait(const Waiting& waiting) noexcept;
  void promote(Route& route) noexcept;
  void happen(Subject& subject, const Happening& what) noexcept;
  void enter(Subject& subject, const Happening& what) noexcept;
  void leave(Subject& subject) noexcept;

  // Probes.
  void count_probe(const Life& life) noexcept;
  [[nodiscard]] Probes* probes_of(HeavyTable<Probes>& table, const wire::FlowKey& key, bool only_if_known) noexcept;
  void take_probe(const Probe& probe) noexcept;
  void enter_probe(const Probe& probe) noexcept;
  static void add_probe(Probes& probes, const Probe& probe) noexcept;
  [[nodiscard]] static bool note_few(Probes& probes, std::uint32_t value) noexcept;
  void note_port(Probes& probes, std::uint16_t port) noexcept;
  void note_address(Probes& probes, std::uint64_t hash) noexcept;

  // judge.cpp
  [[nodiscard]] std::vector<HostFinding> findings() const;
  void judge_numbers(std::vector<HostFinding>& out) const;
  void judge_subjects(std::vector<HostFinding>& out) const;
  void judge_flood(const wire::FlowKey& key, const Subject& s, std::vector<HostFinding>& out) const;
  void judge_overflow(const wire::FlowKey& key, const Subject& s, std::vector<HostFinding>& out) const;
  void judge_leak(const wire::FlowKey& key, const Subject& s, Trouble what, std::vector<HostFinding>& out) const;
  void judge_resets(const wire::FlowKey& key, const Subject& s, std::vector<HostFinding>& out) const;
  void judge_repeated(const wire::FlowKey& key, const Subject& s, std::vector<HostFinding>& out) const;
  void judge_routes(std::vector<HostFinding>& out) const;
  void judge_scans(std::vector<HostFinding>& out) const;
  void judge_loss(std::vector<HostFinding>& out) const;
  [[nodiscard]] const Detail* detail(const Subject& subject, Trouble what) const noexcept;
  [[nodiscard]] std::uint64_t distinct(const Probes& probes, bool ports) const noexcept;

  HostOptions options;
  IsnCollector numbers;
  HeavyTable<Subject> subjects;
  HeavyTable<Route> routes;
  HeavyTable<Probes> targets;            // source and target: how many ports
  HeavyTable<Probes> sweeps;             // source and port: how many targets
  base::FixedArray<Probe> first_probes;  // by host; a newer one takes the place
  Shelf<Detail> details;
  Shelf<PeakWindow> windows;
  Shelf<Sketch> sketches;
  Shelf<BusyRoute> busy_routes;
  base::KeyedHash address_hash;  // the same in every run: what is counted by it is shown

  /// SND.NXT of both ends of an incarnation whose TIME-WAIT was used again, until the newer one is over.
  struct Reused {
    std::uint64_t hash;
    std::array<std::uint32_t, 2> snd_nxt;
  };
  base::FixedArray<Reused> reused;

  Census census;

  std::array<Waiting, kBatch> waiting{};
  std::size_t waiting_count = 0;

  // Of the capture as a whole.
  base::Timestamp input_end = base::kNever;  // kNever: it goes on
  std::uint64_t payload = 0;
  std::uint64_t missing = 0;
  std::uint64_t incomplete = 0;
  std::uint64_t with_payload = 0;
  Examples lossy{};
  Span lossy_span{};
};

/// A key made of whole words, as which it is hashed right after.
[[nodiscard]] inline wire::FlowKey key_of_words(const wire::Address& low, const wire::Address& high, std::uint16_t low_port,
                                                std::uint16_t high_port, std::uint32_t network) noexcept {
  constexpr bool kLittle = std::endian::native == std::endian::little;
  std::array<std::uint64_t, 5> words;
  std::memcpy(&words[0], low.bytes.data(), sizeof low);
  std::memcpy(&words[2], high.bytes.data(), sizeof high);
  words[4] = std::uint64_t{low_port} << (kLittle ? 0 : 48) | std::uint64_t{high_port} << (kLittle ? 16 : 32) |
             std::uint64_t{network} << (kLittle ? 32 : 0);
  wire::FlowKey key;
  std::memcpy(static_cast<void*>(&key), words.data(), sizeof key);
  return key;
}

/// The key of a listener or, with port 0, of an originating host.
[[nodiscard]] inline wire::FlowKey subject_key(const wire::FlowKey& key, unsigned end, bool listener) noexcept {
  const std::uint16_t port = end == 0 ? key.low_port : key.high_port;
  return key_of_words(end == 0 ? key.low : key.high, {}, listener ? port : std::uint16_t{0}, 0, key.network);
}

}  // namespace finwait::hosts
