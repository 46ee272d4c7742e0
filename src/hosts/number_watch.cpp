#include "number_watch.h"

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

void NumberWatch::observe_syn(const wire::FlowKey& key, unsigned originator, const Number& number) noexcept {
  await_entry(key, originator, false, hash_.hash_words(subject_words(key, originator, false)), number, false);
}

void NumberWatch::sample(const Life& life, unsigned which, const HostKeys* keys) noexcept {
  const Life::End& x = life.ends[which];
  const bool listener = x.number_of == NumberOf::kListener;
  const bool usual = listener == (which != life.originator);
  const std::uint64_t hash = keys == nullptr || !usual ? hash_.hash_words(subject_words(life.key, which, listener))
                             : listener                ? keys->listener
                                                       : keys->originator;
  await_entry(life.key, which, listener, hash, {x.syn_time, life.id, x.iss, x.ttl, x.options_signature}, goes_on(life, which));
}

inline void NumberWatch::await_entry(const wire::FlowKey& key, unsigned which, bool listener, std::uint64_t hash, const Number& number,
                                     bool goes_on) noexcept {
  numbers_.prefetch(hash);
  const bool low = which == 0;
  const std::uint16_t own_port = low ? key.low_port : key.high_port;
  const std::uint16_t peer_port = low ? key.high_port : key.low_port;
  Waiting& w = waiting_[count_];
  w.host.address = (low ? key.low : key.high).bytes;
  w.host.network = key.network;
  w.host.port = listener ? own_port : std::uint16_t{0};
  w.hash = hash;
  w.what = {number.time, number.connection,        number.isn, short_of(low ? key.high : key.low), own_port, peer_port,
            number.ttl,  number.options_signature, goes_on};
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
