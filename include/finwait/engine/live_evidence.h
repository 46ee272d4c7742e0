// -w of a live capture: the packets of each connection selected, written when it is over, with what they are evidence of as comments.
//
// Bounded: packets are held for so long as there is room for them; what a connection had before that is counted, not written. The file is
// in the order in which connections are over, within each in the order of capture. Each file of a rotation is a capture of its own.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "finwait/engine/held_frames.h"
#include "finwait/report/output.h"
#include "finwait/report/sink.h"

namespace finwait::engine {

class LiveEvidence final : public report::Sink {
 public:
  /// `frames` outlives it. `interfaces` are the names behind Frame::interface, `link_types` what their frames can be. Throws OutputError.
  LiveEvidence(report::Output output, HeldFrames& frames, const std::vector<std::string>& interfaces,
               const std::vector<std::uint16_t>& link_types);

  void connection(const tcp::Outcome& outcome) override;
  void advance(base::Timestamp clock) override { output_.advance(clock); }
  void conclude(base::Timestamp clock) override { output_.conclude(clock); }
  void reopen() override { output_.reopen(); }
  void settle() override { output_.flush(); }
  void finish(const report::Totals& totals) override { output_.close(totals.capture.last); }
  [[nodiscard]] bool closed() const noexcept override { return output_.closed(); }

  /// Packets of the connections written that were no longer held.
  [[nodiscard]] std::uint64_t left_out() const noexcept { return left_out_; }

 private:
  void write(const capture::Frame& frame, const std::string& comment);

  HeldFrames& frames_;
  std::string opening_;                                                       // of each file; before the output, which reads it to its end
  std::map<std::pair<std::uint32_t, std::uint16_t>, std::uint32_t> numbers_;  // interface and link type, to the number in each file
  report::Output output_;
  std::string block_;
  std::uint64_t left_out_ = 0;
};

}  // namespace finwait::engine
