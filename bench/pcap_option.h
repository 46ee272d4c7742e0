// The option --pcap FILE of those benchmarks that measure on a capture; everything else is Google Benchmark's.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdio>
#include <string>
#include <string_view>

namespace finwait::bench {

/// The capture to measure on; set by run().
inline std::string& pcap_path() {
  static std::string path;
  return path;
}

/// For main(): takes --pcap out of the arguments, then runs the benchmarks that `add` adds. Returns the exit status.
template <class Add>
int run(int argc, char** argv, Add&& add) {
  int kept = 1;
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--pcap" && i + 1 < argc) {
      pcap_path() = argv[++i];
    } else {
      argv[kept++] = argv[i];
    }
  }
  argv[kept] = nullptr;
  benchmark::Initialize(&kept, argv);
  if (pcap_path().empty() || benchmark::ReportUnrecognizedArguments(kept, argv)) {
    std::fprintf(stderr, "usage: %s --pcap FILE [--benchmark_filter=...]   (finwait_gen makes captures)\n", argv[0]);
    return 2;
  }
  add();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

}  // namespace finwait::bench
