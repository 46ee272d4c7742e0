#include "finwait/engine/unit_ring.h"

#include <gtest/gtest.h>

#include "threads.h"

namespace finwait::engine {
namespace {

constexpr std::uint64_t kTickets = 3;

/// Units, each with a cargo when it is its turn, that everybody touches who may.
template <std::uint32_t Units, std::uint32_t Cargoes>
struct Shared {
  UnitRing ring{Units, std::vector<Cargo>(Cargoes), 2};
};

template <std::uint32_t Units, std::uint32_t Cargoes>
void decode(Shared<Units, Cargoes>& s) {
  for (std::uint64_t ticket = 0; ticket != kTickets; ++ticket) {
    model::await([&] { return s.ring.is_free(ticket); });
    Unit& unit = s.ring.open(ticket);
    unit.ticket.set(100 + ticket);
    unit.cargo->ticket.set(100 + ticket);
    s.ring.set_decoded(ticket);
  }
}
template <std::uint32_t Units, std::uint32_t Cargoes>
void place(Shared<Units, Cargoes>& s) {
  for (std::uint64_t ticket = 0; ticket != kTickets; ++ticket) {
    model::await([&] { return s.ring.is_decoded(ticket); });
    model::expect(s.ring.unit(ticket).ticket.get() == 100 + ticket, "as it was decoded");
    s.ring.unit(ticket).ticket.set(ticket);
    s.ring.unit(ticket).cargo->ticket.set(ticket);
    s.ring.set_placed(ticket);
  }
}
template <std::uint32_t Units, std::uint32_t Cargoes, std::uint32_t Shard>
void analyse(Shared<Units, Cargoes>& s) {
  for (std::uint64_t ticket = 0; ticket != kTickets; ++ticket) {
    model::await([&] { return s.ring.is_placed(ticket); });
    model::expect(s.ring.unit(ticket).ticket.get() == ticket, "as it was placed");
    model::expect(s.ring.unit(ticket).cargo->ticket.get() == ticket, "as it was placed");
    if (s.ring.set_done(ticket, Shard)) model::expect(s.ring.is_done(ticket, 1 - Shard), "the last one knows of the others");
  }
}
template <std::uint32_t Units, std::uint32_t Cargoes, Reader Who>
void merge(Shared<Units, Cargoes>& s) {
  for (std::uint64_t ticket = 0; ticket != kTickets; ++ticket) {
    model::await([&] { return s.ring.is_done(ticket, 0) && s.ring.is_done(ticket, 1); });
    model::expect(s.ring.unit(ticket).ticket.get() == ticket, "as it was placed");
    s.ring.set_merged(ticket, Who);
  }
}

/// One thread for what two may do: fewer executions.
template <std::uint32_t Units, std::uint32_t Cargoes>
void decode_and_place(Shared<Units, Cargoes>& s) {
  for (std::uint64_t ticket = 0; ticket != kTickets; ++ticket) {
    model::await([&] { return s.ring.is_free(ticket); });
    Unit& unit = s.ring.open(ticket);
    unit.ticket.set(ticket);
    unit.cargo->ticket.set(ticket);
    s.ring.set_placed(ticket);
  }
}
template <std::uint32_t Units, std::uint32_t Cargoes>
void merge_for_both(Shared<Units, Cargoes>& s) {
  for (std::uint64_t ticket = 0; ticket != kTickets; ++ticket) {
    model::await([&] { return s.ring.is_done(ticket, 0) && s.ring.is_done(ticket, 1); });
    model::expect(s.ring.unit(ticket).ticket.get() == ticket, "as it was placed");
    s.ring.set_merged(ticket, Reader::kReport);
    s.ring.set_merged(ticket, Reader::kHosts);
  }
}

const auto kOne = model::scenario<Shared<1, 1>>(
    {decode, place, analyse<1, 1, 0>, analyse<1, 1, 1>, merge<1, 1, Reader::kReport>, merge<1, 1, Reader::kHosts>});
const auto kOneCargo = model::scenario<Shared<2, 1>>({decode_and_place, analyse<2, 1, 0>, analyse<2, 1, 1>, merge_for_both});
const auto kTwo = model::scenario<Shared<2, 2>>({decode_and_place, analyse<2, 2, 0>, analyse<2, 2, 1>, merge_for_both});

TEST(UnitRing, LetsNobodyMeetAtAUnitInAnyExecution) {
  for (const auto& scenario : {kOne, kOneCargo, kTwo}) {
    const model::Result result = model::explore(scenario);
    EXPECT_EQ(result.failure, "");
    EXPECT_GE(result.executions, 1U);
  }
}

TEST(UnitRing, NeedsEachOfItsOrderings) {
  EXPECT_EQ(model::explore(kOne).orderings.size(), 9U) << "1 to 9";
  EXPECT_EQ(model::needless({kOne}), std::vector<model::Site>{});
}

}  // namespace
}  // namespace finwait::engine
