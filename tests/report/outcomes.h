// Connections for the tests of sinks: segments between 10.0.0.9:40000 and 192.88.99.1:80 through a tracker, and what it gives.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "finwait/report/sink.h"
#include "finwait/tcp/tracker.h"

namespace finwait::report::test {

inline wire::Address address(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
  const std::array<std::uint8_t, 4> bytes{a, b, c, d};
  return wire::Address::v4(bytes.data());
}

/// An empty file that goes with the object.
class TemporaryFile {
 public:
  TemporaryFile() : path_((std::filesystem::temp_directory_path() / "finwait_test_XXXXXX").string()) {
    const int descriptor = mkstemp(path_.data());
    if (descriptor < 0) throw std::runtime_error("no temporary file");
    ::close(descriptor);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() { std::filesystem::remove(path_); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline std::string read_file(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Numbers are relative to the initial ones; a SYN has number 0.
class Player {
 public:
  Player& at(base::Timestamp time) {
    time_ = time;
    return *this;
  }
  Player& client(std::string_view flags, std::uint32_t seq, std::uint32_t ack, std::uint32_t payload = 0) {
    return send(0, flags, seq, ack, payload);
  }
  Player& server(std::string_view flags, std::uint32_t seq, std::uint32_t ack, std::uint32_t payload = 0) {
    return send(1, flags, seq, ack, payload);
  }

  /// Hands what the tracker makes of it to the sink. Once only.
  void give(Sink& sink) {
    tcp::TrackerOptions options;
    options.max_connections = 16;
    tcp::Tracker tracker(options);
    for (wire::Segment& s : segments_) s.hash = tracker.hash(s.key);
    tracker.track(segments_);
    tracker.finish(time_);
    tracker.drain([&](const tcp::Outcome& outcome) { sink.connection(outcome); });
  }

 private:
  Player& send(std::uint8_t from, std::string_view flags, std::uint32_t seq, std::uint32_t ack, std::uint32_t payload) {
    constexpr std::uint32_t kIss[2] = {1'000'000, 7'000'000};
    wire::Segment s;
    s.key.low = address(10, 0, 0, 9);
    s.key.high = address(192, 88, 99, 1);
    s.key.low_port = 40'000;
    s.key.high_port = 80;
    s.direction = from;
    s.seq = kIss[from] + seq;
    for (const char f : flags) {
      s.flags = static_cast<std::uint16_t>(s.flags | (f == 'S'   ? wire::tcp_flag::kSyn
                                                      : f == 'A' ? wire::tcp_flag::kAck
                                                      : f == 'F' ? wire::tcp_flag::kFin
                                                      : f == 'R' ? wire::tcp_flag::kRst
                                                                 : wire::tcp_flag::kPsh));
    }
    if (s.acks()) s.ack = kIss[1 - from] + ack;
    s.payload_length = payload;
    s.ip_length = 40 + payload;
    s.window = 8000;
    s.ttl = 64;
    s.time = time_;
    s.clock = time_;
    s.frame = segments_.size() + 1;
    s.ip_id = static_cast<std::uint16_t>(s.frame);
    segments_.push_back(s);
    return *this;
  }

  base::Timestamp time_ = 0;
  std::vector<wire::Segment> segments_;
};

}  // namespace finwait::report::test
