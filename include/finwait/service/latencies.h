// How long handshakes and closes took, counted in fixed buckets, for whoever asks while the capture goes on.
//
// A sink among the others: counts what is reported. One thread counts, any may copy (base/seqlock.h). Counted when a connection is over: a
// handshake that was never completed and a close that was not orderly are in neither.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "finwait/base/seqlock.h"
#include "finwait/report/sink.h"

namespace finwait::service {

struct Latency {
  static constexpr std::array<base::Duration, 19> kBounds{100 * base::kMicrosecond,
                                                          250 * base::kMicrosecond,
                                                          500 * base::kMicrosecond,
                                                          base::kMillisecond,
                                                          2'500 * base::kMicrosecond,
                                                          5 * base::kMillisecond,
                                                          10 * base::kMillisecond,
                                                          25 * base::kMillisecond,
                                                          50 * base::kMillisecond,
                                                          100 * base::kMillisecond,
                                                          250 * base::kMillisecond,
                                                          500 * base::kMillisecond,
                                                          base::kSecond,
                                                          2'500 * base::kMillisecond,
                                                          5 * base::kSecond,
                                                          10 * base::kSecond,
                                                          30 * base::kSecond,
                                                          60 * base::kSecond,
                                                          300 * base::kSecond};

  std::array<std::uint64_t, kBounds.size()> within{};  ///< of each bound, and not of the one before
  std::uint64_t count = 0;                             ///< longer ones included
  double seconds = 0.0;                                ///< their sum

  /// Less than nothing counts as nothing.
  void add(base::Duration took) noexcept;
};

struct Latencies {
  Latency handshake;  ///< SYN to the ACK that completed it
  Latency close;      ///< first FIN to the acknowledgment of both
};

class LatencySink final : public report::Sink {
 public:
  void connection(const tcp::Outcome& outcome) override;
  void settle() override { published_.store(latencies_); }
  void finish(const report::Totals& /*totals*/) override { settle(); }

  /// As of the last settle(). Any thread.
  [[nodiscard]] Latencies latencies() const noexcept { return published_.load(); }

 private:
  Latencies latencies_;
  base::Seqlock<Latencies> published_;
};

}  // namespace finwait::service
