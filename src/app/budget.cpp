#include "budget.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <bit>

#include "finwait/capture/live_source.h"
#include "finwait/hosts/watch.h"
#include "finwait/service/queued_destination.h"
#include "finwait/tcp/tracker.h"

namespace finwait::app {
namespace {

constexpr std::uint64_t kMiB = 1U << 20U;
constexpr std::uint64_t kMostConnections = 1U << 28U;

/// What stands beside the tables, as measured and rounded up: the program and its libraries, buffers of input and outputs, fragments, the
/// large pages of which each table uses only a part.
constexpr std::uint64_t kProgram = 28 * kMiB;
/// Several threads: their units, pieces and batches of outcomes, and the rounding of one more set of tables.
constexpr std::uint64_t kSharing = 16 * kMiB;
constexpr std::uint64_t kThread = 14 * kMiB;
/// Of a file as many threads are reckoned with as may be given up to this number, used or not: so what there is room for, and with it who
/// has to go when that is too little, does not depend on how many there are.
constexpr unsigned kReckoned = 8;

std::uint64_t hosts_memory(std::size_t numbers) {
  hosts::HostOptions options;
  options.isn.memory = numbers;
  return hosts::HostWatch(options).memory();  // reserved, not touched
}

Budget defaults() {
  Budget budget;
  budget.numbers = hosts::IsnLimits{}.memory;
  budget.waiting = service::QueueOptions{}.bytes;
  budget.held = 256 * kMiB;
  return budget;
}

/// A quarter of the machine's memory, but no more connections than anybody has; pages are only taken when they are used.
std::uint32_t by_machine(std::uint64_t each) {
  constexpr std::uint64_t kMost = 1U << 22U;
  const auto machine = static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(machine / 4 / each, 2, kMost));
}

/// All but connections.
std::uint64_t others(const Options& options, const Budget& budget, unsigned threads) {
  std::uint64_t bytes = kProgram + hosts_memory(budget.numbers);
  if (threads > 1) bytes += kSharing + threads * kThread;
  if (options.interfaces.empty()) return bytes;
  bytes += options.interfaces.size() * options.buffer.value_or(capture::LiveOptions{}.buffer);
  bytes += options.outputs.size() * budget.waiting;
  return options.write.empty() ? bytes : bytes + 2 * budget.held;  // held, and waiting for the disk
}

Budget shrunk_to(std::uint64_t memory) {
  const Budget full = defaults();
  Budget budget;
  budget.numbers = static_cast<std::size_t>(std::clamp<std::uint64_t>(memory / 16, kMiB, full.numbers));
  budget.waiting = static_cast<std::size_t>(std::clamp<std::uint64_t>(std::bit_floor(memory / 16), kMiB, full.waiting));
  budget.held = static_cast<std::size_t>(std::clamp<std::uint64_t>(memory / 8, kMiB, full.held));
  return budget;
}

/// The least that leaves connections an eighth of it.
bool suffices(const Options& options, std::uint64_t memory, unsigned threads) {
  return others(options, shrunk_to(memory), threads) + memory / 8 <= memory;
}

std::string too_little(const Options& options, std::uint64_t memory, unsigned threads) {
  constexpr std::uint64_t kStep = 16 * kMiB;
  std::uint64_t enough = memory / kStep * kStep + kStep;
  while (!suffices(options, enough, threads)) enough += kStep;
  return fmt::format("--memory: at least {}M are needed{}{}", enough >> 20U, threads > 1 ? fmt::format(" with {} threads", threads) : "",
                     options.interfaces.empty() ? "" : "; a smaller ring (-B) takes less");
}

}  // namespace

unsigned affordable_threads(const Options& options, unsigned threads) {
  if (!options.memory) return threads;
  while (threads > 1 && kSharing + threads * kThread > *options.memory / 8) --threads;
  return threads;
}

Budget share_out(const Options& options, unsigned threads, bool zeek) {
  const std::uint64_t each = tcp::Tracker::bytes_per_connection(zeek);
  Budget budget = defaults();
  budget.connections = by_machine(each);
  if (options.memory) {
    if (options.interfaces.empty()) threads = std::max(threads, affordable_threads(options, kReckoned));
    if (!suffices(options, *options.memory, threads)) throw UsageError(too_little(options, *options.memory, threads));
    budget = shrunk_to(*options.memory);
    const std::uint64_t fit = (*options.memory - others(options, budget, threads)) / each;
    budget.connections = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(fit, 2, kMostConnections));
  }
  if (options.max_connections)
    budget.connections = options.memory ? std::min(budget.connections, *options.max_connections) : *options.max_connections;
  return budget;
}

}  // namespace finwait::app
