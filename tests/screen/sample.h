// A model with something of everything, for the tests of drawing and of keys.
#pragma once

#include <cstring>

#include "finwait/screen/model.h"

namespace finwait::screen {

inline constexpr base::Timestamp kNow = 1'700'000'000 * base::kSecond;

inline wire::Address v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
  const std::array<std::uint8_t, 4> four{a, b, c, d};
  return wire::Address::v4(four.data());
}

inline tcp::ConnectionView sample_view(std::uint64_t id, std::uint8_t host, std::uint16_t port) {
  tcp::ConnectionView v;
  v.id = id;
  v.index = static_cast<std::uint32_t>(id);
  v.ends[0] = {
      v4(10, 0, 0, host), static_cast<std::uint16_t>(40'000 + id), tcp::State::kEstablished, 10 * id, 1'000 * id, 600 * id, 0, 0, 0, 0, 0};
  v.ends[1] = {
      v4(192, 0, 2, 1), port, tcp::State::kEstablished, 12 * id, 90'000 * id, 80'000 * id, 0, static_cast<std::uint32_t>(id % 3), 0, 0, 0};
  v.start = kNow - static_cast<base::Duration>(id) * base::kSecond;
  v.end = kNow - base::kSecond / 2;
  v.last_frame = 5'000 + id;
  v.syn_to_syn_ack = 20 * base::kMillisecond;
  v.syn_ack_to_ack = 35'000;
  return v;
}

inline Status sample_status() {
  Status s;
  s.interfaces = "eth0";
  s.elapsed = 3'723 * base::kSecond;
  engine::LiveCounters& c = s.counters;
  c.clock = c.now = kNow;
  c.received = 1'234'567;
  c.analysed = 1'234'000;
  c.bytes = 1'000'000'000;
  c.dropped_by_kernel = 567;
  c.created = 20'000;
  c.opened = 18'000;
  c.ended = 17'500;
  c.failed = 1'900;
  c.remembered = 2'100;
  c.most = 4'194'304;
  c.reported = 17'900;
  const auto state = [](tcp::State n) { return static_cast<std::size_t>(n); };
  c.ends[state(tcp::State::kEstablished)] = 960;
  c.ends[state(tcp::State::kSynSent)] = 12;
  c.ends[state(tcp::State::kTimeWait)] = 1'400;
  c.endings[static_cast<std::size_t>(tcp::Ending::kGraceful)] = 16'000;
  c.endings[static_cast<std::size_t>(tcp::Ending::kReset)] = 1'500;
  c.endings[static_cast<std::size_t>(tcp::Ending::kRefused)] = 400;
  s.rates = {12'345.6, 98'100'000, 2.5, 103.4, 99.2, 97, 4.2, {}};
  s.rates.entered[state(tcp::State::kEstablished)] = 198.4;
  s.rates.entered[state(tcp::State::kTimeWait)] = 0.3;
  return s;
}

inline Closeup sample_closeup() {
  Closeup closeup;
  tcp::ConnectionDetails& d = closeup.details;
  d.view = sample_view(7, 1, 443);
  d.view.anomaly_kinds = 1ULL << static_cast<unsigned>(tcp::AnomalyKind::kRetransmission);
  d.verdict.opening = tcp::Opening::kThreeWay;
  d.verdict.ending = tcp::Ending::kOpen;
  d.transitions = {{0, tcp::State::kClosed, tcp::State::kSynSent, tcp::Proof::kProven, 7, 7, d.view.start},
                   {1, tcp::State::kListen, tcp::State::kSynReceived, tcp::Proof::kProven, 7, 8, d.view.start + 20 * base::kMillisecond}};
  tcp::Anomaly anomaly;
  anomaly.kind = tcp::AnomalyKind::kRetransmission;
  anomaly.severity = tcp::Severity::kNotice;
  anomaly.count = 3;
  anomaly.frames[0] = 99;
  d.anomalies = {anomaly};
  tcp::LiveStep step;
  step.connection = 7;
  step.segment.frame = 5'001;
  step.segment.time = kNow - base::kSecond;
  step.segment.seq = 1'000;
  step.segment.ack = 77;
  step.segment.payload_length = 100;
  step.segment.window = 501;
  step.segment.flags = wire::tcp_flag::kAck | wire::tcp_flag::kPsh;
  step.states = {tcp::State::kEstablished, tcp::State::kEstablished};
  closeup.steps = {step};
  step.segment.frame = 5'002;
  step.segment.direction = 1;
  step.segment.seq = 77;
  step.segment.ack = 1'100;
  step.segment.payload_length = 0;
  closeup.steps.push_back(step);
  return closeup;
}

/// 30 connections of three hosts, as many pairs, 40 findings.
inline Model sample() {
  Model model;
  model.status = sample_status();
  for (std::uint64_t n = 1; n <= 30; ++n) {
    ConnectionRow row;
    row.view = sample_view(n, static_cast<std::uint8_t>(1 + n % 3), n % 2 == 0 ? 443 : 80);
    if (n == 4) row.view.ends[0].state = tcp::State::kFinWait2;
    if (n == 4) row.view.ends[1].state = tcp::State::kCloseWait;
    row.byte_rate = static_cast<double>(n * 1'500);
    row.trouble = n == 9 ? 10 : n % 2;
    model.connections.push_back(row);
    PairRow pair;
    pair.pair = {v4(10, 0, static_cast<std::uint8_t>(n), 1), v4(192, 0, 2, 1), static_cast<std::uint16_t>(n % 2 == 0 ? 443 : 80), 4};
    pair.connections = 31 - n;
    pair.bytes = n * 12'345'678;
    pair.packets = n * 1'000;
    pair.retransmitted = n == 5 ? 700 : 0;
    pair.trouble = n == 6 ? 13 : 0;
    pair.packet_rate = static_cast<double>(n) * 10.5;
    pair.byte_rate = static_cast<double>(n * 15'000);
    model.pairs.push_back(pair);
  }
  for (std::uint64_t n = 0; n != 40; ++n) {
    tcp::Notice notice;
    notice.connection = 100 - n;
    notice.key = {v4(10, 0, 0, 1), v4(192, 0, 2, 1), static_cast<std::uint16_t>(50'000 + n), 443, 0};
    notice.kind = n % 2 == 0 ? tcp::AnomalyKind::kResetEstablished : tcp::AnomalyKind::kRetransmission;
    notice.severity = n % 4 == 0 ? tcp::Severity::kWarning : tcp::Severity::kNotice;
    notice.time = kNow - static_cast<base::Duration>(n * n) * base::kSecond;
    model.notices.push_back(notice);
  }
  model.all_pairs = model.all_connections = 30;
  return model;
}

}  // namespace finwait::screen
