#include "parts.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "finwait/base/hash.h"
#include "finwait/report/eve_sink.h"
#include "finwait/report/json_sink.h"
#include "finwait/report/summary_sink.h"
#include "finwait/report/zeek_sink.h"

namespace finwait::app {
namespace {

std::string shell_word(const std::string& word) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:,+@%=";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

/// How to run again on the same input: "finwait -r a.pcap"; empty if it cannot be read again.
std::string command(const Options& options) {
  if (options.captures.empty()) return {};  // what was captured live is gone
  std::string text = "finwait";
  for (const std::string& path : options.captures) text += " -r " + shell_word(path);
  return text;
}

/// Live nothing may wait for a disk or a reader; from files nothing may be lost.
report::Output output_to(report::LogFile file, const Queueing* live) {
  if (live == nullptr) return {std::make_unique<report::DirectDestination>(std::move(file))};
  auto queue = queued(std::move(file), live->waiting, live->messages);
  live->queues.push_back(queue.get());
  return {std::move(queue)};
}

std::unique_ptr<report::Sink> make_sink(const Options& options, const std::string& format, report::Output output, bool prompt) {
  if (format == "json") return std::make_unique<report::JsonSink>(std::move(output), prompt);
  if (format == "events") return std::make_unique<report::EventsSink>(std::move(output), prompt);
  if (format == "zeek")
    return std::make_unique<report::ZeekSink>(std::move(output), report::ZeekSink::Format::kColumns, options.local_nets, prompt);
  if (format == "zeek-json")
    return std::make_unique<report::ZeekSink>(std::move(output), report::ZeekSink::Format::kJson, options.local_nets, prompt);
  if (format == "eve") return std::make_unique<report::EveSink>(std::move(output), prompt);
  return std::make_unique<report::SummarySink>(std::move(output),
                                               report::SummaryOptions{command(options), options.only_words, options.verbose});
}

}  // namespace

std::unique_ptr<service::QueuedDestination> queued(report::LogFile file, std::size_t bytes, service::Messages& messages) {
  service::QueueOptions options;
  options.bytes = bytes;
  options.tell = [&messages](const std::string& line) { messages.tell(line); };
  return std::make_unique<service::QueuedDestination>(std::move(file), std::move(options));
}

std::vector<OpenOutput> open_outputs(const Options& options) {
  std::vector<OutputChoice> choices = options.outputs;
  if (choices.empty() && options.explain.empty() && options.write != "-") choices.push_back({"summary", "-"});
  std::vector<OpenOutput> outputs;
  for (const OutputChoice& choice : choices) outputs.push_back({choice.format, report::LogFile(choice.path, options.rotation)});
  return outputs;
}

std::vector<std::unique_ptr<report::Sink>> make_sinks(const Options& options, std::vector<OpenOutput> outputs, const Queueing* live) {
  const bool prompt = live != nullptr || std::count(options.captures.begin(), options.captures.end(), "-") != 0;
  std::vector<std::unique_ptr<report::Sink>> sinks;
  for (OpenOutput& output : outputs) sinks.push_back(make_sink(options, output.format, output_to(std::move(output.file), live), prompt));
  return sinks;
}

engine::PipelineOptions pipeline_options(const Options& options) {
  engine::PipelineOptions result = options.pipeline;
  result.tracker.seed = options.seed ? *options.seed : base::random_seed();
  const auto any = [&](auto&& is) { return std::any_of(options.outputs.begin(), options.outputs.end(), is); };
  result.tracker.events = any([](const auto& choice) { return choice.format == "events"; });
  result.tracker.zeek = any([](const auto& choice) { return choice.format != "events" && choice.format != "summary"; });
  return result;
}

hosts::HostOptions host_options(const Options& options, const Budget& budget, std::uint64_t seed, unsigned threads) {
  hosts::HostOptions result;
  result.thresholds = options.host_thresholds;
  result.seed = seed;  // that of the numbers too
  result.isn.memory = budget.numbers;
  result.isn.threads = threads;
  return result;
}

std::uint64_t peak_memory() {
  struct rusage usage {};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

}  // namespace finwait::app
