#include "finwait/base/ring.h"

#include <gtest/gtest.h>

#include "threads.h"

namespace finwait::base {
namespace {

template <std::size_t Room>
struct Carried {
  Ring<std::uint64_t> ring{Room};
  std::uint64_t next = 1;
};

/// So many values one by one, as far as there is room at a try.
template <std::size_t Room, int Tries>
void push(Carried<Room>& s) {
  std::uint64_t next = 1;
  for (int n = 0; n != Tries; ++n) next += s.ring.push(next) ? 1U : 0U;
}
template <std::size_t Room, int Tries>
void pop(Carried<Room>& s) {
  std::uint64_t value = 0;
  for (int n = 0; n != Tries; ++n) {
    if (s.ring.pop(value)) model::expect(value == s.next++, "the next value");
  }
}

/// Two at once, across the end of the ring.
void push_pairs(Carried<2>& s) {
  std::uint64_t next = 1;
  for (int n = 0; n != 4; ++n) {
    const std::array pair{next, next + 1};
    next += s.ring.push(std::span<const std::uint64_t>(pair));
  }
}
void pop_pairs(Carried<2>& s) {
  std::array<std::uint64_t, 2> pair{};
  for (int n = 0; n != 4; ++n) {
    const std::size_t given = s.ring.pop(std::span(pair));
    for (std::size_t i = 0; i != given; ++i) model::expect(pair[i] == s.next++, "the next value");
  }
}
void push_where_there_is_room(Carried<1>& s) {
  for (std::uint64_t next = 1; next != 3;) {
    model::await([&] { return s.ring.room() != 0; });
    model::expect(s.ring.push(next++), "there is room");
  }
}

const auto kOne = model::scenario<Carried<1>>({push<1, 4>, pop<1, 4>});
const auto kTwo = model::scenario<Carried<2>>({push<2, 5>, pop<2, 5>});
const auto kPairs = model::scenario<Carried<2>>({push_pairs, pop_pairs});
const auto kRoom = model::scenario<Carried<1>>({push_where_there_is_room, pop<1, 3>});

TEST(Ring, CarriesEachValueOnceAndInOrderInEveryExecution) {
  for (const auto& scenario : {kOne, kTwo, kPairs, kRoom}) {
    const model::Result result = model::explore(scenario);
    EXPECT_EQ(result.failure, "");
    EXPECT_GT(result.executions, 10U);
  }
}

TEST(Ring, NeedsEachOfItsOrderings) {
  EXPECT_EQ(model::explore(kPairs).orderings.size(), 4U) << "1 to 4";
  EXPECT_EQ(model::needless({kPairs}), std::vector<model::Site>{});
  EXPECT_EQ(model::explore(kRoom).orderings.size(), 4U) << "the load of room() for that of push()";
  EXPECT_EQ(model::needless({kRoom}), std::vector<model::Site>{});
}

}  // namespace
}  // namespace finwait::base
