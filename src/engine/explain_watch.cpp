#include "finwait/engine/explain_watch.h"

#include <arpa/inet.h>

#include <charconv>
#include <utility>
#include <vector>

#include "finwait/report/uid.h"

namespace finwait::engine {
namespace {

bool parse_number(std::string_view text, std::uint64_t& value) {
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
  return end.ec == std::errc() && end.ptr == text.data() + text.size();
}

/// "192.0.2.1:80" or "[2001:db8::1]:80".
bool parse_endpoint(std::string_view text, wire::Address& address, std::uint16_t& port) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return false;
  std::uint64_t number = 0;
  if (!parse_number(text.substr(colon + 1), number) || number > 0xffff) return false;
  port = static_cast<std::uint16_t>(number);
  std::string host(text.substr(0, colon));
  std::array<std::uint8_t, 16> bytes{};
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  if (inet_pton(AF_INET, host.c_str(), bytes.data()) == 1) {
    address = wire::Address::v4(bytes.data());
    return true;
  }
  if (inet_pton(AF_INET6, host.c_str(), bytes.data()) != 1) return false;
  address = wire::Address::v6(bytes.data());
  return true;
}

}  // namespace

std::optional<ExplainId> parse_explain_id(std::string_view text) {
  ExplainId id;
  if (parse_number(text, id.frame)) return id.frame != 0 ? std::optional(id) : std::nullopt;
  if (const auto frame = report::id_of_uid(text)) {
    id.frame = *frame;
    return id;
  }
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  id.frame = 0;
  if (!parse_endpoint(text.substr(0, dash), id.addresses[0], id.ports[0]) ||
      !parse_endpoint(text.substr(dash + 1), id.addresses[1], id.ports[1])) {
    return std::nullopt;
  }
  if (std::pair(id.addresses[1], id.ports[1]) < std::pair(id.addresses[0], id.ports[0])) {  // as FlowKey orders them
    std::swap(id.addresses[0], id.addresses[1]);
    std::swap(id.ports[0], id.ports[1]);
  }
  return id;
}

ExplainWatch::ExplainWatch(const ExplainId& wanted, report::ExplainSink& sink) : wanted_(wanted), sink_(sink) {
  if (wanted.frame != 0) sink_.want(wanted.frame);
}

bool ExplainWatch::is_wanted(const wire::Segment& segment) const noexcept {
  if (wanted_.frame != 0) return segment.frame == wanted_.frame;
  const wire::FlowKey& key = segment.key;
  return key.low == wanted_.addresses[0] && key.high == wanted_.addresses[1] && key.low_port == wanted_.ports[0] &&
         key.high_port == wanted_.ports[1];
}

void ExplainWatch::before(const wire::Segment& segment, tcp::Tracker& tracker) {
  if (key_ || !is_wanted(segment)) return;
  key_ = segment.key;
  tracker.watch(*key_);
  sink_.watch(*key_);
}

/// Steps first, each with its events; what no step accounts for was a timer's doing, or another flow's.
void ExplainWatch::after(tcp::Tracker& tracker) {
  const auto events = tracker.events();
  std::vector<std::uint64_t> whose;  // by id, as far as the flow watched goes
  for (const tcp::Event& event : events) {
    const tcp::Connection& c = tracker.connection(event.connection);
    whose.push_back(key_ && c.key == *key_ ? c.id : 0);
  }
  std::size_t next = 0;
  const auto take_timers = [&](std::size_t until) {
    for (; next < until; ++next) {
      if (whose[next] != 0) sink_.add(events[next], whose[next]);
    }
  };
  for (const tcp::Step& step : tracker.steps()) {
    take_timers(step.first_event);
    const auto id_of = [&](std::uint32_t index) { return index == tcp::kNoBlock ? 0 : tracker.connection(index).id; };
    const std::uint64_t id = id_of(step.connection);
    const std::uint64_t beside = id_of(step.beside);
    if (step.segment.frame == wanted_.frame) belongs_to_ = beside != 0 ? beside : id != wanted_.frame ? id : 0;
    const std::size_t count = step.last_event - step.first_event;
    sink_.add(step, id, beside, events.subspan(step.first_event, count), std::span(whose).subspan(step.first_event, count));
    next = step.last_event;
  }
  take_timers(events.size());
  tracker.clear_steps();
}

std::string ExplainWatch::why_not() const {
  if (!key_) return wanted_.frame != 0 ? "no TCP segment has that frame number" : "no segment between these endpoints";
  if (belongs_to_ != 0)
    return "that frame is part of connection " + std::to_string(belongs_to_) + ": --explain " + std::to_string(belongs_to_);
  return "that frame began no connection";
}

}  // namespace finwait::engine
