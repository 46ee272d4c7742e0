#include "finwait/flow/table.h"

#include <gtest/gtest.h>

#include "threads.h"

namespace finwait::flow {
namespace {

/// In a table of four buckets.
constexpr std::uint64_t hash_of(std::uint64_t first, std::uint64_t second, std::uint64_t tag) {
  return first << 30 | (second << 30 | tag) << 32;
}
constexpr std::uint64_t kHash = hash_of(0, 1, 7);
constexpr std::uint64_t kOther = hash_of(0, 2, 9);

/// A table with a reader beside its writer. A record's key is plain memory: it was written before its number went into the table.
struct Shared {
  Table table{1};
  std::array<model::Plain<std::uint64_t>, 3> keys;

  std::uint32_t find(std::uint64_t hash) {
    return table.find(hash, [&](std::uint32_t value) { return keys[value].get() == hash; });
  }
  void insert(std::uint64_t hash, std::uint32_t value) {
    keys[value].set(hash);
    model::expect(table.insert(hash, value), "room");
  }
};

/// Its first bucket is so full that both hashes go to their second one.
struct Crowded : Shared {
  Crowded() {
    for (std::uint32_t n = 0; n != Table::kSlots; ++n) static_cast<void>(table.insert(hash_of(0, 0, 100 + n), 100 + n));
  }
};

/// One that stands before and after.
template <class Base>
struct Standing : Base {
  Standing() {
    this->keys[0].set(kHash);
    static_cast<void>(this->table.insert(kHash, 0));
  }
};

template <class Kind>
void insert(Kind& s) {
  s.insert(kHash, 0);
}
template <class Kind>
void insert_and_erase_another(Kind& s) {
  s.insert(kOther, 1);
  model::expect(s.table.erase(kOther, 1), "it was there");
  s.insert(kOther, 2);
}
template <class Kind>
void replace(Kind& s) {
  s.keys[1].set(kHash);
  model::expect(s.table.replace(kHash, 0, 1), "it was there");
}
template <class Kind>
void erase(Kind& s) {
  model::expect(s.table.erase(kHash, 0), "it was there");
}

template <class Kind>
void find_what_stands(Kind& s) {
  for (int n = 0; n != 2; ++n) model::expect(s.find(kHash) == 0, "what stands is found");
}
template <class Kind>
void find_once_found_always(Kind& s) {
  bool found = false;
  for (int n = 0; n != 2; ++n) {
    const std::uint32_t value = s.find(kHash);
    model::expect(value == 0 || (value == kNone && !found), "what was found once stands");
    found = value == 0;
  }
}
template <class Kind>
void find_old_or_new(Kind& s) {
  std::uint32_t last = 0;
  for (int n = 0; n != 2; ++n) {
    const std::uint32_t value = s.find(kHash);
    model::expect(value == 0 || value == 1, "one or the other, never neither");
    model::expect(value >= last, "not the old one after the new one");
    last = value;
  }
}
template <class Kind>
void find_until_erased(Kind& s) {
  bool gone = false;
  for (int n = 0; n != 2; ++n) {
    const std::uint32_t value = s.find(kHash);
    model::expect(value == kNone || (value == 0 && !gone), "not again after it was gone");
    gone = value == kNone;
  }
}
template <class Kind>
void find_another(Kind& s) {
  const std::uint32_t value = s.find(kOther);
  model::expect(value == kNone || value == 1 || value == 2, "one of its own");
}

template <class Empty, class Stands>
std::vector<model::Make> scenarios() {
  return {model::scenario<Empty>({insert, find_once_found_always}), model::scenario<Stands>({replace, find_old_or_new}),
          model::scenario<Stands>({insert_and_erase_another, find_what_stands}), model::scenario<Stands>({erase, find_until_erased}),
          model::scenario<Empty>({insert_and_erase_another, find_another})};
}
const auto kRoomy = scenarios<Shared, Standing<Shared>>();
const auto kCrowded = scenarios<Crowded, Standing<Crowded>>();

TEST(Table, ShowsAReaderWhatStandsInEveryExecution) {
  for (const auto& scenarios : {kRoomy, kCrowded}) {
    for (const model::Make& scenario : scenarios) {
      const model::Result result = model::explore(scenario);
      EXPECT_EQ(result.failure, "");
      EXPECT_GT(result.executions, 2U);
    }
  }
}

/// What find() promises hangs on the values (1 and 5). Those of the tags (0, 2 to 4) spare a reader to find a tag and no value, which is
/// as good as no tag: whoever sees an entry half is not late for anything.
TEST(Table, NeedsTheOrderingsOfItsValues) {
  const std::vector<model::Site> needless = model::needless(kCrowded);
  EXPECT_EQ(model::needless(kRoomy).size() + 1, needless.size()) << "the count of overflows besides";
  EXPECT_EQ(model::explore(kCrowded[0]).orderings.size(), needless.size() + 2);
  for (const model::Site& site : needless) EXPECT_EQ(site.size, 8U) << site;
}

}  // namespace
}  // namespace finwait::flow
