#include "../../src/app/budget.h"

#include <gtest/gtest.h>

#include <string>

#include "finwait/hosts/watch.h"
#include "finwait/tcp/tracker.h"

namespace finwait::app {
namespace {

constexpr std::uint64_t kMiB = 1U << 20U;

Options with(std::uint64_t memory) {
  Options options;
  options.memory = memory;
  return options;
}

TEST(Budget, OfConnectionsAndHostsIsWithinMemory) {
  for (const std::uint64_t memory : {96 * kMiB, 256 * kMiB, 1024 * kMiB, 64 * 1024 * kMiB}) {
    const Budget budget = share_out(with(memory), 1, true);
    hosts::HostOptions options;
    options.isn.memory = budget.numbers;
    EXPECT_LT(budget.connections * tcp::Tracker::bytes_per_connection(true) + hosts::HostWatch(options).memory(), memory) << memory;
    EXPECT_GT(budget.connections * tcp::Tracker::bytes_per_connection(true), memory / 8 - 4096) << memory;
  }
}

TEST(Budget, LeavesFewerConnectionsTheMoreElseThereIs) {
  Options options = with(512 * kMiB);
  const auto connections = [&](unsigned threads, bool zeek) { return share_out(options, threads, zeek).connections; };
  const std::uint32_t most = connections(1, false);
  EXPECT_LT(connections(1, true), most);
  EXPECT_LT(connections(4, false), connections(2, false));
  for (unsigned threads = 1; threads <= affordable_threads(options, 8); ++threads)
    EXPECT_EQ(connections(threads, false), most) << "of a file, as many threads as it can afford cost nobody his place";
  options.interfaces = {"a", "b"};
  const std::uint32_t live = connections(1, false);
  EXPECT_LT(live, most);
  options.buffer = 4 * kMiB;
  EXPECT_GT(connections(1, false), live) << "smaller rings";
  options.outputs.resize(3);
  options.write = "a.pcapng";
  EXPECT_LT(connections(1, false), live) << "lines that wait and frames that are held";
}

TEST(Budget, TooSmallIsSaidWithWhatIsNeeded) {
  for (const unsigned threads : {1U, 4U}) {
    std::string words;
    try {
      static_cast<void>(share_out(with(10 * kMiB), threads, true));
    } catch (const UsageError& e) {
      words = e.what();
    }
    const std::size_t at = words.find("at least ");
    ASSERT_NE(at, std::string::npos) << words;
    const std::uint64_t enough = std::stoull(words.substr(at + 9)) * kMiB;
    EXPECT_GT(share_out(with(enough), threads, true).connections, 1000U);
    EXPECT_THROW(static_cast<void>(share_out(with(enough - 16 * kMiB), threads, true)), UsageError);
  }
}

TEST(Budget, TakesTheSmallerOfTwoBounds) {
  Options options = with(256 * kMiB);
  options.max_connections = 100;
  EXPECT_EQ(share_out(options, 1, true).connections, 100U);
  options.max_connections = 1U << 28U;
  EXPECT_EQ(share_out(options, 1, true).connections, share_out(with(256 * kMiB), 1, true).connections);
  options.memory.reset();
  EXPECT_EQ(share_out(options, 1, true).connections, 1U << 28U);
}

TEST(Budget, AffordsFewerThreadsWithLittleMemory) {
  EXPECT_EQ(affordable_threads(Options{}, 8), 8U);
  EXPECT_EQ(affordable_threads(with(96 * kMiB), 8), 1U);
  EXPECT_EQ(affordable_threads(with(64 * 1024 * kMiB), 8), 8U);
  const unsigned some = affordable_threads(with(600 * kMiB), 8);
  EXPECT_GT(some, 1U);
  EXPECT_LT(some, 8U);
}

}  // namespace
}  // namespace finwait::app
