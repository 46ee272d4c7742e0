#include "number_watch.h"

#include <span>
#include <utility>

namespace finwait::hosts {

NumberWatch::NumberWatch(const IsnLimits& limits) : hash_(limits.seed), numbers_(limits), reused_(kReused) {}

void NumberWatch::observe(const Life& life, const HostKeys* keys) noexcept {
  for (unsigned end = 0; end != 2; ++end) {
    const NumberOf whose = life.ends[end].number_of;
    if (whose == NumberOf::kNobody) continue;
    const bool listener = whose == NumberOf::kListener;
    const bool usual = listener == (end != life.originator);
    if (keys != nullptr && usual) {
      sample(life, end, listener ? keys->listener : keys->originator);
    } else {
      sample(life, end, hash_.hash_words(subject_words(life.key, end, listener)));
    }
  }
  // The older incarnation is over before the newer one: it waits 2 MSL from the new SYN on, the newer one from its end.
  if (life.is(life_flag::kReused)) {
    const std::uint64_t tuple = hash_.hash40(&life.key);
    reused_[tuple % kReused] = {tuple, {life.ends[0].snd_nxt, life.ends[1].snd_nxt}};
  }
  if (count_ + 2 > kBatch) enter_waiting();
}

void NumberWatch::sample(const Life& life, unsigned which, std::uint64_t hash) noexcept {
  numbers_.prefetch(hash);
  const Life::End& x = life.ends[which];
  const wire::FlowKey& key = life.key;
  const bool low = which == 0;
  const std::uint16_t own_port = low ? key.low_port : key.high_port;
  Waiting& w = waiting_[count_++];
  w.host.address = (low ? key.low : key.high).bytes;
  w.host.network = key.network;
  w.host.port = x.number_of == NumberOf::kListener ? own_port : std::uint16_t{0};
  w.hash = hash;
  w.what = {x.syn_time,
            life.id,
            x.iss,
            short_of(low ? key.high : key.low),
            own_port,
            low ? key.high_port : key.low_port,
            x.ttl,
            x.options_signature,
            goes_on(life, which)};
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
