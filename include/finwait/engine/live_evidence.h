// -w of a live capture: the packets of each connection selected, written when it is over, with what they are evidence of as comments.
//
// Bounded: packets are held for so long as there is room for them; what a connection had before that is counted, not written. The file is
// in the order in which connections are over, within each in the order of capture. When it cannot be written (a full disk) the capture goes
// on without it, and finish() says so.
#pragma once

#include <cstdint>
#include <string>

#include "finwait/capture/pcapng_writer.h"
#include "finwait/engine/held_frames.h"
#include "finwait/report/sink.h"

namespace finwait::engine {

class LiveEvidence final : public report::Sink {
 public:
  /// `frames` outlives it. Throws CaptureError if the file cannot be made.
  LiveEvidence(const std::string& path, HeldFrames& frames);

  void connection(const tcp::Outcome& outcome) override;
  void settle() override;
  /// Throws OutputError if not all could be written.
  void finish(const report::Totals& totals) override;

  /// Packets of the connections written that were no longer held.
  [[nodiscard]] std::uint64_t left_out() const noexcept { return left_out_; }

 private:
  template <class F>
  void guarded(F&& write);

  HeldFrames& frames_;
  capture::PcapngWriter writer_;
  std::uint64_t left_out_ = 0;
  std::string failure_;  // the first one
};

}  // namespace finwait::engine
