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

/// What says where, the entries, and their runs are fetched for some at a time, as for those that wait; none need be written down for that.
void NumberWatch::observe(std::span<const tcp::LoneSyn> syns) noexcept {
  enter_waiting();  // those that came before
  for (; !syns.empty(); syns = syns.subspan(std::min(kBatch, syns.size()))) {
    const auto some = syns.first(std::min(kBatch, syns.size()));
    std::array<std::uint64_t, kBatch> hashes;
    std::array<std::uint32_t, kBatch> guesses;
    for (std::size_t n = 0; n != some.size(); ++n) {
      hashes[n] = hash_.hash_words(subject_words(some[n].key, some[n].originator, false));
      numbers_.prefetch(hashes[n]);
    }
    for (std::size_t n = 0; n != some.size(); ++n) guesses[n] = numbers_.prefetch_entry(hashes[n]);
    for (std::size_t n = 0; n != some.size(); ++n) numbers_.prefetch_run(guesses[n]);
    for (std::size_t n = 0; n != some.size(); ++n) {
      const tcp::LoneSyn& s = some[n];
      const bool low = s.originator == 0;
      const IsnHost host{(low ? s.key.low : s.key.high).bytes, s.key.network, 0};
      numbers_.add(host, hashes[n],
                   {s.time, s.id, s.iss, short_of(low ? s.key.high : s.key.low), low ? s.key.low_port : s.key.high_port,
                    low ? s.key.high_port : s.key.low_port, s.ttl, s.options_signature, false},
                   guesses[n]);
    }
  }
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
