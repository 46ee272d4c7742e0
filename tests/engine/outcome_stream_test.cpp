#include "finwait/engine/outcome_stream.h"

#include <gtest/gtest.h>

#include <array>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

namespace finwait::engine {
namespace {

constexpr std::array kAll{Reader::kReport, Reader::kNumbers, Reader::kConduct};
static_assert(kAll.size() == kReaders);

void add(OutcomeBatch& batch, std::uint64_t id, std::size_t findings = 0) {
  tcp::Brief brief{};
  brief.id = id;
  const std::vector<tcp::Anomaly> anomalies(findings);
  batch.add({brief, anomalies, {.tick = 1, .frame = 0, .at = 0, .id = id}});
}

bool rung(const base::Bell& bell, std::uint32_t& seen) {
  const std::uint32_t before = std::exchange(seen, bell.look());
  return before != seen;
}

TEST(OutcomeStream, GivesEveryReaderWhatWasAdded) {
  OutcomeStream stream;
  std::uint64_t id = 0;
  for (std::size_t round = 0; round != 3 * OutcomeStream::kMost; ++round) {
    OutcomeBatch* batch = stream.empty();
    ASSERT_NE(batch, nullptr);
    ASSERT_EQ(batch->size(), 0U) << "what it was used for before is gone";
    for (std::size_t n = 0; n != OutcomeBatch::kOutcomes; ++n) add(*batch, ++id, n % 3);
    stream.send(batch);
    for (const Reader reader : kAll) {
      OutcomeBatch* got = stream.next(reader);
      ASSERT_EQ(got, batch);
      ASSERT_EQ(got->turns.size(), got->size());
      std::size_t anomalies = 0;
      for (std::size_t n = 0; n != got->size(); ++n) {
        ASSERT_EQ(got->turns[n].id, id - OutcomeBatch::kOutcomes + n + 1);
        ASSERT_EQ(got->outcomes[n].brief.id, got->turns[n].id);
        ASSERT_EQ(got->outcomes[n].life.id, got->turns[n].id);
        ASSERT_EQ(got->outcomes[n].anomalies_end, anomalies += n % 3);
      }
      stream.give_back(reader, got);
    }
  }
}

TEST(OutcomeStream, HasNoBatchWhileOneReaderHasThemAll) {
  OutcomeStream stream(OutcomeStream::kLeast);
  for (std::size_t n = 0; n != OutcomeStream::kLeast; ++n) stream.send(stream.empty());
  EXPECT_EQ(stream.empty(), nullptr);
  for (const Reader reader : {Reader::kReport, Reader::kNumbers}) {
    while (OutcomeBatch* batch = stream.next(reader)) stream.give_back(reader, batch);
  }
  EXPECT_EQ(stream.empty(), nullptr);
  EXPECT_FALSE(stream.is_half_back());
  stream.give_back(Reader::kConduct, stream.next(Reader::kConduct));
  EXPECT_NE(stream.empty(), nullptr);
}

/// A reader rests between two units until much waits for it, the shard until half of its batches are back: whatever each has in hand, one
/// of them is awake.
class OutcomeStreamRest : public ::testing::TestWithParam<std::tuple<Reader, bool, std::size_t, std::size_t>> {
 protected:
  [[nodiscard]] static Reader slow() { return std::get<0>(GetParam()); }
  [[nodiscard]] static std::vector<Reader> quick() {
    std::vector<Reader> others(kAll.begin(), kAll.end());
    std::erase(others, slow());
    return others;
  }
  /// The slow one keeps a batch in hand all the time.
  [[nodiscard]] static bool in_hand() { return std::get<1>(GetParam()); }
  [[nodiscard]] static std::size_t batches() { return std::get<3>(GetParam()); }
  /// So many batches went round before.
  void SetUp() override {
    for (std::size_t n = 0; n != std::get<2>(GetParam()); ++n) {
      stream_.send(stream_.empty());
      for (const Reader reader : kAll) give_back(reader);
    }
  }
  void give_back(Reader reader) { stream_.give_back(reader, stream_.next(reader)); }

  OutcomeStream stream_{batches()};
};

TEST_P(OutcomeStreamRest, AReaderHasMuchWhileTheShardHasLittle) {
  for (std::size_t sent = 1; sent <= batches(); ++sent) {
    stream_.send(stream_.empty());
    if (in_hand() && sent == 1) (void)stream_.next(slow());
    for (const Reader reader : quick()) {
      give_back(reader);
      EXPECT_FALSE(stream_.has_much(reader));
    }
    EXPECT_TRUE(stream_.is_half_back() || stream_.has_much(slow())) << sent;
  }
  EXPECT_EQ(stream_.empty(), nullptr);
  EXPECT_FALSE(stream_.is_half_back());
}

TEST_P(OutcomeStreamRest, TheShardIsWokenBeforeTheLastReaderRests) {
  for (std::size_t n = 0; n != batches(); ++n) stream_.send(stream_.empty());
  std::uint32_t seen = stream_.returned().look();
  bool awake = false;
  const auto read = [&](Reader reader) {
    OutcomeBatch* held = in_hand() ? stream_.next(reader) : nullptr;
    while (stream_.has_much(reader)) {
      OutcomeBatch* next = stream_.next(reader);
      stream_.give_back(reader, held == nullptr ? next : std::exchange(held, next));
      if (rung(stream_.returned(), seen)) awake = awake || stream_.is_half_back();
    }
  };
  for (const Reader reader : quick()) read(reader);
  EXPECT_FALSE(awake) << "the slow one has them";
  read(slow());
  EXPECT_TRUE(awake);
}

INSTANTIATE_TEST_SUITE_P(Everybody, OutcomeStreamRest,
                         ::testing::Combine(::testing::ValuesIn(kAll), ::testing::Bool(), ::testing::Range<std::size_t>(0, 10),
                                            ::testing::Values(OutcomeStream::kLeast, 32, OutcomeStream::kMost)));

TEST(OutcomeStream, CarriesEverythingToAllReadersThroughThreads) {
  constexpr std::uint64_t kOutcomes = 20'000;
  OutcomeStream stream;
  const auto read = [&](Reader reader) {
    for (std::uint64_t id = 0; id != kOutcomes;) {
      const std::uint32_t seen = stream.sent().look();
      OutcomeBatch* batch = stream.next(reader);
      if (batch == nullptr) {
        stream.sent().wait(seen);
        continue;
      }
      for (const tcp::Turn& turn : batch->turns) ASSERT_EQ(turn.id, ++id);
      stream.give_back(reader, batch);
    }
  };
  std::vector<std::thread> readers;
  for (const Reader reader : kAll) readers.emplace_back([&read, reader] { read(reader); });
  OutcomeBatch* batch = nullptr;
  for (std::uint64_t id = 1; id <= kOutcomes; ++id) {
    while (batch == nullptr && (batch = stream.empty()) == nullptr) {
      const std::uint32_t seen = stream.returned().look();
      if (!stream.is_half_back()) stream.returned().wait(seen);
    }
    add(*batch, id);
    if (batch->size() == 1 + id % OutcomeBatch::kOutcomes || id == kOutcomes) {
      stream.send(batch);
      batch = nullptr;
    }
    if (batch != nullptr && batch->size() == OutcomeBatch::kOutcomes) stream.send(std::exchange(batch, nullptr));
  }
  for (std::thread& thread : readers) thread.join();
}

}  // namespace
}  // namespace finwait::engine
