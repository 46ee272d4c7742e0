// The watch's inside: the tables, and how a connection is entered in them. watch.cpp fills them, judge.cpp makes findings of them.
#pragma once

#include <array>
#include <span>

#include "finwait/base/hash.h"
#include "finwait/hosts/census.h"
#include "finwait/hosts/watch.h"
#include "host_keys.h"
#include "number_watch.h"
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
  static constexpr std::size_t kFirstProbes = std::size_t{1} << 14;
  static constexpr std::size_t kBatch = 32;

  explicit Impl(const HostOptions& given);

  /// A record that waits for its entries to be fetched, and the keys and hashes by which they are found.
  struct Waiting {
    Life life;
    HostKeys keys;
    wire::FlowKey route_key;
    std::uint64_t route;
    unsigned time_wait;  ///< the originator's step into TIME-WAIT, if there is a route
    bool has_route;
  };
  /// The next record's place; observe_next() once it is written.
  [[nodiscard]] Life& next() noexcept { return waiting[waiting_count].life; }
  /// In all tables.
  void observe_next() noexcept;
  void observe(std::span<const tcp::Unopened> connections) noexcept;
  /// In all but those of NumberWatch.
  void observe_conduct(const Life& life) noexcept;
  void await_entries(Waiting& waiting) noexcept;
  void enter_all() noexcept;
  void enter_waiting() noexcept;
  void enter_probes() noexcept;
  void enter(const Life& life) noexcept;

  // Listeners, originating hosts, routes.
  void count_ends(const Waiting& waiting) noexcept;
  void count_common(Subject& subject, const Life& life, unsigned end) noexcept;
  void count_handshake(Subject& listener, const Life& life) noexcept;
  void count_half_open(const tcp::Unopened& c) noexcept;
  void count_half_open(Subject& listener, const Happening& what, bool repeated) noexcept;
  void count_lingering(Subject& subject, const Life& life, unsigned end) noexcept;
  void count_time_wait(const Waiting& waiting) noexcept;
  void promote(Route& route) noexcept;
  void happen(Subject& subject, const Happening& what) noexcept;
  void enter(Subject& subject, const Happening& what) noexcept;
  void leave(Subject& subject) noexcept;

  // Probes.
  void count_probe(const Life& life) noexcept;
  void await_probe(const wire::FlowKey& key, unsigned originator, std::uint64_t id, base::Timestamp start, Technique technique,
                   std::uint8_t flags) noexcept;
  [[nodiscard]] Probes* probes_of(HeavyTable<Probes>& table, const wire::FlowKey& key, bool only_if_known) noexcept;
  void take_probe(const Probe& probe) noexcept;
  void take_probe(const tcp::Unopened& c, std::uint32_t place) noexcept;
  void take_next_probe(Probe& first, const Probe& probe) noexcept;
  void enter_probe(const Probe& probe) noexcept;
  static void add_probe(Probes& probes, const Probe& probe) noexcept;
  [[nodiscard]] static bool note_few(Probes& probes, std::uint32_t value) noexcept;
  void note_port(Probes& probes, std::uint16_t port) noexcept;
  void note_address(Probes& probes, std::uint64_t hashed) noexcept;

  // judge.cpp
  /// `sound`: null if numbers without a weakness are to be among the findings.
  [[nodiscard]] std::vector<HostFinding> findings(IsnVerdictCounts* sound) const;
  void judge_numbers(IsnVerdictCounts* sound, std::vector<HostFinding>& out) const;
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
  base::KeyedHash hash;
  RecentHash listener_hash;
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

  Census census;

  std::array<Waiting, kBatch> waiting{};
  std::size_t waiting_count = 0;
  std::array<Probe, kBatch> waiting_probes{};
  std::size_t waiting_probe_count = 0;

  // Of the capture as a whole.
  base::Timestamp input_end = base::kNever;  // kNever: it goes on
  std::uint64_t payload = 0;
  std::uint64_t missing = 0;
  std::uint64_t incomplete = 0;
  std::uint64_t with_payload = 0;
  Examples lossy{};
  Span lossy_span{};

  NumberWatch numbers;
};

}  // namespace finwait::hosts
