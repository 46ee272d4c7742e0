#include "number_watch.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace finwait::hosts {

NumberWatch::NumberWatch(const IsnLimits& limits) : hash_(limits.seed), numbers_(limits), reused_(kReused) {}

void NumberWatch::observe(const Life& life, const HostKeys* keys) noexcept {
  if (life.ends[0].number_of != NumberOf::kNobody) sample(life, 0, keys);
  if (life.ends[1].number_of != NumberOf::kNobody) sample(life, 1, keys);
  // The older incarnation is over before the newer one: it waits 2 MSL from the new SYN on, the newer one from its end.
  if (!life.is(life_flag::kReused)) return;
  const std::uint64_t tuple = hash_.hash40(&life.key);
  reused_[tuple % kReused] = {tuple, {life.ends[0].snd_nxt, life.ends[1].snd_nxt}};
}

/// As those that wait are: none need be written down for that. Of each connection the low end of the key comes first.
void NumberWatch::observe(std::span<const tcp::Unopened> connections) noexcept {
  enter_waiting();  // those that came before
  std::array<Sample, kBatch> samples;
  Sample* next = samples.data();
  const auto add = [&](const tcp::Unopened& c, unsigned n, std::uint64_t hash) {
    next->of = &c;
    next->hash = hash;
    next->n = n;
    numbers_.prefetch(hash);
    ++next;
  };
  for (const tcp::Unopened& c : connections) {
    if (next + 2 > samples.end()) enter({samples.data(), std::exchange(next, samples.data())});
    const bool answered_by_low = c.answered() && c.originator != 0;
    if (answered_by_low) add(c, 1, listener_hash_(listener_words(c), hash_));
    add(c, 0, hash_.hash_words(host_words(c)));
    if (c.answered() && !answered_by_low) add(c, 1, listener_hash_(listener_words(c), hash_));
  }
  enter({samples.data(), next});
}

inline void NumberWatch::enter(std::span<Sample> samples) noexcept {
  for (Sample& s : samples) s.guess = numbers_.prefetch_entry(s.hash);
  for (const Sample& s : samples) numbers_.prefetch_run(s.guess);
  for (const Sample& s : samples) s.n == 0 ? enter<0>(s) : enter<1>(s);
}

template <unsigned kEnd>
inline void NumberWatch::enter(const Sample& sample) noexcept {
  const tcp::Unopened& c = *sample.of;
  const tcp::Unopened::End& x = c.ends[kEnd];
  const tcp::Unopened::End& y = c.ends[1 - kEnd];
  const IsnHost host{x.address.bytes, c.network, kEnd == 0 ? std::uint16_t{0} : x.port};
  numbers_.add(host, sample.hash, {x.time, c.id, x.iss, short_of(y.address), x.port, y.port, x.ttl, x.options_signature, false},
               sample.guess);
}

void NumberWatch::sample(const Life& life, unsigned which, const HostKeys* keys) noexcept {
  const wire::FlowKey& key = life.key;
  const Life::End& x = life.ends[which];
  const bool listener = x.number_of == NumberOf::kListener;
  const bool usual = listener == (which != life.originator);
  Waiting& w = waiting_[count_];
  w.hash = keys == nullptr || !usual ? hash_.hash_words(subject_words(key, which, listener)) : listener ? keys->listener : keys->originator;
  numbers_.prefetch(w.hash);
  const bool low = which == 0;
  const std::uint16_t own_port = low ? key.low_port : key.high_port;
  const std::uint16_t peer_port = low ? key.high_port : key.low_port;
  w.host.address = (low ? key.low : key.high).bytes;
  w.host.network = key.network;
  w.host.port = listener ? own_port : std::uint16_t{0};
  w.what = {x.syn_time,          life.id, x.iss, short_of(low ? key.high : key.low), own_port, peer_port, x.ttl, x.options_signature,
            goes_on(life, which)};
  if (++count_ == kBatch) enter_waiting();
}

/// Whether the number says nothing of the generator, for it goes on from the older incarnation's.
bool NumberWatch::goes_on(const Life& life, unsigned which) const noexcept {
  if (life.replaced != tcp::Replaced::kInTimeWait && life.replaced != tcp::Replaced::kInTimeWaitViolating) return false;
  const std::uint64_t tuple = hash_.hash40(&life.key);
  const Reused& old = reused_[tuple % kReused];
  return old.hash != tuple || continues(life.ends[which].iss, old.snd_nxt[which]);  // not known any more: in doubt
}

void NumberWatch::enter_waiting() noexcept {
  const auto all = std::span(waiting_).first(std::exchange(count_, 0));
  for (Waiting& w : all) w.guess = numbers_.prefetch_entry(w.hash);
  for (const Waiting& w : all) numbers_.prefetch_run(w.guess);
  for (const Waiting& w : all) numbers_.add(w.host, w.hash, w.what, w.guess);
}

}  // namespace finwait::hosts
