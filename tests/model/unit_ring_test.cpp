#include "finwait/engine/unit_ring.h"

#include <gtest/gtest.h>

#include "threads.h"

namespace finwait::engine {
namespace {

constexpr std::uint64_t kTickets = 3;

/// A unit, `Units` of them, that everybody touches who may.
template <std::uint32_t Units>
struct Shared {
  UnitRing ring{Units, 2};
};

template <std::uint32_t Units>
void decode(Shared<Units>& s) {
  for (std::uint64_t ticket = 0; ticket != kTickets; ++ticket) {
    model::await([&] { return s.ring.is_free(ticket); });
    s.ring.unit(ticket).ticket.set(100 + ticket);
    s.ring.set_decoded(ticket);
  }
}
template <std::uint32_t Units>
void place(Shared<Units>& s) {
  for (std::uint64_t ticket = 0; ticket != kTickets; ++ticket) {
    model::await([&] { return s.ring.is_decoded(ticket); });
    model::expect(s.ring.unit(ticket).ticket.get() == 100 + ticket, "as it was decoded");
    s.ring.unit(ticket).ticket.set(ticket);
    s.ring.set_placed(ticket);
  }
}
template <std::uint32_t Units, std::uint32_t Shard>
void analyse(Shared<Units>& s) {
  for (std::uint64_t ticket = 0; ticket != kTickets; ++ticket) {
    model::await([&] { return s.ring.is_placed(ticket); });
    model::expect(s.ring.unit(ticket).ticket.get() == ticket, "as it was placed");
    s.ring.set_done(ticket, Shard);
  }
}
template <std::uint32_t Units, Reader Who>
void merge(Shared<Units>& s) {
  for (std::uint64_t ticket = 0; ticket != kTickets; ++ticket) {
    model::await([&] { return s.ring.is_done(ticket, 0) && s.ring.is_done(ticket, 1); });
    model::expect(s.ring.unit(ticket).ticket.get() == ticket, "as it was placed");
    s.ring.set_merged(ticket, Who);
  }
}

const auto kOne =
    model::scenario<Shared<1>>({decode, place, analyse<1, 0>, analyse<1, 1>, merge<1, Reader::kReport>, merge<1, Reader::kHosts>});
const auto kTwo =
    model::scenario<Shared<2>>({decode, place, analyse<2, 0>, analyse<2, 1>, merge<2, Reader::kReport>, merge<2, Reader::kHosts>});

TEST(UnitRing, LetsNobodyMeetAtAUnitInAnyExecution) {
  for (const auto& scenario : {kOne, kTwo}) {
    const model::Result result = model::explore(scenario);
    EXPECT_EQ(result.failure, "");
    EXPECT_GE(result.executions, 1U);
  }
}

TEST(UnitRing, NeedsEachOfItsOrderings) {
  EXPECT_EQ(model::explore(kOne).orderings.size(), 8U) << "1 to 8";
  EXPECT_EQ(model::needless({kOne}), std::vector<model::Site>{});
}

}  // namespace
}  // namespace finwait::engine
