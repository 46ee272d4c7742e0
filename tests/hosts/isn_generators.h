// Emulated hosts with known generators of initial sequence numbers, and clients that connect to them; for the tests of the hosts floor.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "finwait/hosts/isn.h"

namespace isn_test {

using finwait::base::Timestamp;
using finwait::hosts::IsnSample;
using Random = std::mt19937_64;

/// What a generator may look at.
struct Tuple {
  std::uint32_t host = 0;
  std::uint32_t peer = 0;
  std::uint16_t host_port = 0;
  std::uint16_t peer_port = 0;
};
/// The number of a new connection at `seconds`.
using Generator = std::function<std::uint32_t(double seconds, const Tuple&)>;

inline std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}
/// A keyed hash of what it is given.
inline std::uint32_t keyed(std::uint64_t key, std::uint64_t a, std::uint64_t b = 0) {
  return static_cast<std::uint32_t>(mix(mix(mix(key) ^ a) ^ (b * 0x9e3779b97f4a7c15ULL + 1)));
}
inline std::uint64_t peer_of(const Tuple& t) { return std::uint64_t{t.peer} << 16 | t.peer_port; }
inline std::uint64_t own_of(const Tuple& t) { return std::uint64_t{t.host} << 16 | t.host_port; }
inline std::uint32_t ticks(double seconds, double rate) { return static_cast<std::uint32_t>(static_cast<std::uint64_t>(seconds * rate)); }

inline Generator generator(std::string_view kind, std::uint64_t seed) {
  auto random = std::make_shared<Random>(seed);
  const auto start = static_cast<std::uint32_t>((*random)());
  const std::uint64_t key = (*random)();
  auto state = std::make_shared<std::uint64_t>(start);
  const auto clock = [=](double rate) { return [=](double s, const Tuple&) { return start + ticks(s, rate); }; };
  const auto hashed = [=](double rate, auto part) { return [=](double s, const Tuple& t) { return part(t) + ticks(s, rate); }; };
  if (kind == "constant") return [=](double, const Tuple&) { return start; };
  if (kind == "pool8") return [=](double, const Tuple&) { return keyed(key, (*random)() % 8); };
  if (kind == "plus1") return [=](double, const Tuple&) { return static_cast<std::uint32_t>(++*state); };
  if (kind == "plus64000") return [=](double, const Tuple&) { return static_cast<std::uint32_t>(*state += 64000); };
  if (kind == "randinc17") return [=](double, const Tuple&) { return static_cast<std::uint32_t>(*state += 1 + (*random)() % (1U << 17)); };
  if (kind == "clock250k") return clock(250e3);
  if (kind == "clock1M") return clock(1e6);
  if (kind == "clock64ns") return clock(15.625e6);
  if (kind == "clock3.7M") return clock(3.7e6);
  if (kind == "clock250k+8bits")
    return [=](double s, const Tuple&) { return ((start + ticks(s, 250e3)) & ~255U) | static_cast<std::uint32_t>((*random)() & 255); };
  if (kind == "hash-no-port") return hashed(15.625e6, [=](const Tuple& t) { return keyed(key, t.peer, t.host); });
  if (kind == "hash-no-address") return hashed(250e3, [=](const Tuple& t) { return keyed(key, t.peer_port, own_of(t)); });
  if (kind == "range16")
    return [=](double, const Tuple&) { return (start & 0xffff0000U) | static_cast<std::uint32_t>((*random)() & 0xffff); };
  if (kind == "lcg32")
    return [=](double, const Tuple&) { return static_cast<std::uint32_t>(*state = (*state * 1664525 + 1013904223) & 0xffffffff); };
  if (kind == "lcg31")
    return [=](double, const Tuple&) { return static_cast<std::uint32_t>(*state = (*state * 1103515245 + 12345) & 0x7fffffff); };
  if (kind == "minstd")
    return [=](double, const Tuple&) { return static_cast<std::uint32_t>(*state = (*state % 0x7ffffffe + 1) * 16807 % 0x7fffffff); };
  if (kind == "lcg-odd-modulus")
    return [=](double, const Tuple&) { return static_cast<std::uint32_t>(*state = (*state % 3999999979 * 40692 + 7) % 3999999979); };
  if (kind == "rand48") {
    *state = std::uint64_t{start} << 16 | 0x330e;
    return [=](double, const Tuple&) {
      return static_cast<std::uint32_t>((*state = (*state * 0x5DEECE66DULL + 0xB) & 0xffffffffffffULL) >> 16);
    };
  }
  if (kind == "xorshift32") {
    *state = start | 1U;
    return [=](double, const Tuple&) {
      auto x = static_cast<std::uint32_t>(*state);
      x ^= x << 13;
      x ^= x >> 17;
      x ^= x << 5;
      *state = x;
      return x;
    };
  }
  if (kind == "rand15x2")
    return [=](double, const Tuple&) { return static_cast<std::uint32_t>(((*random)() & 0x7fff) << 16 | ((*random)() & 0x7fff)); };
  if (kind == "rfc6528-64ns") return hashed(15.625e6, [=](const Tuple& t) { return keyed(key, peer_of(t), own_of(t)); });
  if (kind == "rfc6528-4us") return hashed(250e3, [=](const Tuple& t) { return keyed(key, peer_of(t), own_of(t)); });
  if (kind == "freebsd") {
    return [=](double s, const Tuple& t) {
      return keyed(key, peer_of(t), own_of(t)) + ticks(s, 1048576) + static_cast<std::uint32_t>(*state += 4096 + (*random)() % 4096);
    };
  }
  if (kind == "syn-cookies") {
    return [=](double s, const Tuple& t) {
      const auto count = static_cast<std::uint32_t>(s / 64);
      const auto mss = static_cast<std::uint32_t>((*random)() % 4);
      const std::uint32_t peer_isn = keyed(key + 2, peer_of(t)) + ticks(s, 15.625e6);
      return keyed(key, peer_of(t), own_of(t)) + peer_isn + (count << 24) +
             ((keyed(key + 1 + count, peer_of(t), own_of(t)) + mss) & 0xffffff);
    };
  }
  return [=](double, const Tuple&) { return static_cast<std::uint32_t>((*random)()); };  // "uniform"
}

/// How clients come.
struct Traffic {
  double rate = 1;         ///< connections per second
  unsigned clients = 12;   ///< peers
  unsigned ports = 28000;  ///< ephemeral ports each draws from
  double loss = 0;         ///< share of connections the capture misses
  double jitter = 1e-4;    ///< seconds between the number's making and its stamp, at most
  double drift = 0;        ///< of the host's clock against the capture's
  std::uint8_t ttl = 64;
  bool originator = false;  ///< the host opens the connections itself, to port 443 of the peers
};

inline finwait::wire::Address address(std::uint32_t number) {
  const std::uint8_t four[4] = {static_cast<std::uint8_t>(number >> 24), static_cast<std::uint8_t>(number >> 16),
                                static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)};
  return finwait::wire::Address::v4(four);
}

/// `n` samples of one host, as a capture would show them.
inline std::vector<IsnSample> record(const Generator& make, std::uint32_t host, std::size_t n, Random& random,
                                     const Traffic& traffic = {}) {
  std::exponential_distribution<double> gap(traffic.rate);
  std::uniform_real_distribution<double> part(0, 1);
  double t = 1e6 + part(random) * 1000;
  std::vector<IsnSample> samples;
  for (std::uint64_t id = 1; samples.size() < n; ++id) {
    t += gap(random);
    const auto ephemeral = static_cast<std::uint16_t>(32768 + random() % traffic.ports);
    const auto peer = static_cast<std::uint32_t>(0x0a640000U + random() % traffic.clients);
    const Tuple tuple{host, peer, traffic.originator ? ephemeral : std::uint16_t{443}, traffic.originator ? std::uint16_t{443} : ephemeral};
    const std::uint32_t isn = make(t * (1 + traffic.drift), tuple);
    if (part(random) < traffic.loss) continue;
    IsnSample s;
    s.time = static_cast<Timestamp>((t + part(random) * traffic.jitter) * 1e9);
    s.connection = std::uint64_t{host} << 24 | id;
    s.isn = isn;
    s.host = address(host);
    s.port = traffic.originator ? std::uint16_t{0} : std::uint16_t{443};
    s.peer = address(peer);
    s.host_port = tuple.host_port;
    s.peer_port = tuple.peer_port;
    s.ttl = traffic.ttl;
    samples.push_back(s);
  }
  return samples;
}

inline std::vector<finwait::hosts::IsnFinding> findings_of(const std::vector<IsnSample>& samples) {
  finwait::hosts::IsnLimits limits;
  limits.memory = std::size_t{1} << 20;
  finwait::hosts::IsnCollector collector(limits);
  for (const IsnSample& s : samples) collector.add(s);
  return collector.finish();
}

}  // namespace isn_test
