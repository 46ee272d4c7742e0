// Answers GET /metrics over HTTP, in a thread of its own.
//
// Always true: it listens where it was told and nowhere else; it holds a fixed number of connections at most, each for some seconds at
// most, and reads a few kilobytes of each; nothing a client does costs the capture anything. Errors of clients are nobody's business.
// The socket is open when the object is made, the thread begins with start(): in between a sandbox may be entered.
//
// HTTP is Boost.Beast's: headers of a library that the program needs anyway, so nothing more is linked; it limits what it reads, and one
// thread serves all clients without waiting for any of them. Not here: TLS, authentication (a proxy's business), anything but /metrics.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

namespace finwait::service {

/// what() is one line that says what to do.
class MetricsError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct MetricsAddress {
  std::string address = "127.0.0.1";  ///< an IP address, never a name
  std::uint16_t port = 0;             ///< 0: one that is free
};

/// "9090", ":9090", "192.0.2.1:9090", "[::1]:9090"; without an address the loopback's. Throws std::invalid_argument with a phrase that says
/// what it should look like.
[[nodiscard]] MetricsAddress parse_metrics_address(const std::string& word);

class MetricsServer {
 public:
  /// Listens. Throws MetricsError.
  explicit MetricsServer(const MetricsAddress& address);
  MetricsServer(const MetricsServer&) = delete;
  MetricsServer& operator=(const MetricsServer&) = delete;
  /// Ends the thread.
  ~MetricsServer();

  /// Begins to answer; `page` is called by the thread and makes the text. Call once.
  void start(std::function<std::string()> page);

  /// Where it listens: "http://127.0.0.1:9090/metrics".
  [[nodiscard]] std::string url() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace finwait::service
