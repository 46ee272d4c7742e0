#include "finwait/service/metrics_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstring>
#include <vector>

namespace finwait::service {
namespace {

std::uint16_t port_of(const MetricsServer& server) {
  const std::string url = server.url();
  const std::size_t colon = url.rfind(':');
  return static_cast<std::uint16_t>(std::stoi(url.substr(colon + 1)));
}

int connected(std::uint16_t port) {
  const int client = socket(AF_INET, SOCK_STREAM, 0);
  const timeval patience{10, 0};
  setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0) << std::strerror(errno);
  return client;
}

std::string asked(std::uint16_t port, const std::string& request) {
  const int client = connected(port);
  EXPECT_EQ(send(client, request.data(), request.size(), MSG_NOSIGNAL), static_cast<ssize_t>(request.size()));
  std::string text;
  std::array<char, 4096> part{};
  for (ssize_t got = 0; (got = recv(client, part.data(), part.size(), 0)) > 0;) text.append(part.data(), static_cast<std::size_t>(got));
  close(client);
  return text;
}

std::string get(std::uint16_t port, const std::string& target, const std::string& method = "GET") {
  return asked(port, method + " " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
}

TEST(MetricsServer, answers_one_question_and_no_other) {
  MetricsServer server({"127.0.0.1", 0});
  server.start([] { return std::string("a 1\n"); });
  const std::uint16_t port = port_of(server);
  const std::string page = get(port, "/metrics");
  EXPECT_EQ(page.find("HTTP/1.1 200 OK\r\n"), 0U) << page;
  EXPECT_NE(page.find("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"), std::string::npos);
  EXPECT_NE(page.find("Content-Length: 4\r\n"), std::string::npos);
  EXPECT_NE(page.find("\r\n\r\na 1\n"), std::string::npos);
  EXPECT_NE(get(port, "/metrics?x=y").find("a 1\n"), std::string::npos);
  const std::string head = get(port, "/metrics", "HEAD");
  EXPECT_NE(head.find("Content-Length: 4\r\n"), std::string::npos) << head;
  EXPECT_EQ(head.find("a 1"), std::string::npos);
  EXPECT_EQ(get(port, "/etc/passwd").find("HTTP/1.1 404 "), 0U);
  EXPECT_EQ(get(port, "/metrics", "POST").find("HTTP/1.1 405 "), 0U);
}

TEST(MetricsServer, keeps_a_connection_open_for_the_next_question) {
  MetricsServer server({"127.0.0.1", 0});
  std::atomic<int> asks{0};
  server.start([&] { return std::to_string(++asks) + "\n"; });
  const std::string two =
      asked(port_of(server), "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\nGET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_NE(two.find("\r\n\r\n1\n"), std::string::npos) << two;
  EXPECT_NE(two.find("\r\n\r\n2\n"), std::string::npos) << two;
}

TEST(MetricsServer, bears_whatever_a_client_sends) {
  MetricsServer server({"127.0.0.1", 0});
  server.start([] { return std::string("a 1\n"); });
  const std::uint16_t port = port_of(server);
  const std::vector<std::string> rubbish{"nonsense\r\n\r\n", std::string(1000, '\0') + "\r\n\r\n",
                                         "GET /metrics HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n",
                                         "GET /" + std::string(7000, 'x') + "\r\n\r\n"};
  for (const std::string& nonsense : rubbish) EXPECT_EQ(asked(port, nonsense).find("200"), std::string::npos);
  const int client = connected(port);
  const std::string endless = "GET / HTTP/1.1\r\nX: " + std::string(1 << 20, 'x');
  static_cast<void>(send(client, endless.data(), endless.size(), MSG_NOSIGNAL));
  std::array<char, 64> part{};
  EXPECT_LE(recv(client, part.data(), part.size(), 0), 0) << "cut off, not read to its end";
  close(client);
  EXPECT_NE(get(port, "/metrics").find("a 1\n"), std::string::npos);
}

TEST(MetricsServer, is_not_held_up_by_those_who_say_nothing) {
  MetricsServer server({"127.0.0.1", 0});
  server.start([] { return std::string("a 1\n"); });
  std::vector<int> silent;
  for (int n = 0; n != 10; ++n) silent.push_back(connected(port_of(server)));
  EXPECT_NE(get(port_of(server), "/metrics").find("a 1\n"), std::string::npos);
  for (const int client : silent) close(client);
}

TEST(MetricsServer, says_when_the_place_is_taken) {
  const MetricsServer first({"127.0.0.1", 0});
  try {
    const MetricsServer second({"127.0.0.1", port_of(first)});
    FAIL() << "two on one port";
  } catch (const MetricsError& e) {
    EXPECT_NE(std::string(e.what()).find("--metrics 127.0.0.1:" + std::to_string(port_of(first))), std::string::npos) << e.what();
  }
}

TEST(MetricsAddress, is_on_the_loopback_unless_told_otherwise) {
  const auto text = [](const std::string& word) {
    const MetricsAddress a = parse_metrics_address(word);
    return a.address + " " + std::to_string(a.port);
  };
  EXPECT_EQ(text("9090"), "127.0.0.1 9090");
  EXPECT_EQ(text(":9090"), "127.0.0.1 9090");
  EXPECT_EQ(text("0.0.0.0:80"), "0.0.0.0 80");
  EXPECT_EQ(text("[::1]:9090"), "::1 9090");
  for (const char* bad : {"", ":", "x", "localhost:9090", "::1:9090", "127.0.0.1:", "127.0.0.1:70000", "127.0.0.1:80x", "[::1]"})
    EXPECT_THROW(static_cast<void>(parse_metrics_address(bad)), std::invalid_argument) << bad;
}

}  // namespace
}  // namespace finwait::service
