// Finds the flow that --explain asks for while the capture is read, once, and collects what happens in it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "finwait/engine/pipeline.h"
#include "finwait/report/explain_sink.h"

namespace finwait::engine {

/// What to explain: the connection that began with a frame, or all between two endpoints.
struct ExplainId {
  std::uint64_t frame = 0;  ///< 0: by endpoints
  std::array<wire::Address, 2> addresses{};
  std::array<std::uint16_t, 2> ports{};
};

/// An id, a uid, or "ADDR:PORT-ADDR:PORT" with IPv6 addresses in brackets.
[[nodiscard]] std::optional<ExplainId> parse_explain_id(std::string_view text);

class ExplainWatch final : public Onlooker {
 public:
  /// `sink` outlives it.
  ExplainWatch(const ExplainId& wanted, report::ExplainSink& sink);

  void before(const wire::Segment& segment, tcp::Tracker& tracker) override;
  void after(tcp::Tracker& tracker) override;

  /// Whether there was anything to explain; after the sink's finish().
  [[nodiscard]] bool found() const noexcept { return sink_.found(); }
  /// When nothing was found: a phrase that says why.
  [[nodiscard]] std::string why_not() const;

 private:
  [[nodiscard]] bool is_wanted(const wire::Segment& segment) const noexcept;

  ExplainId wanted_;
  report::ExplainSink& sink_;
  std::optional<wire::FlowKey> key_;
  std::uint64_t belongs_to_ = 0;  // id of the connection that the wanted frame is a later part of
};

}  // namespace finwait::engine
