#include "finwait/service/metrics_server.h"

// All handlers run in one thread: asio's own fences, which ThreadSanitizer does not model, have nothing to order.
#define BOOST_ASIO_DISABLE_FENCED_BLOCK
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <charconv>
#include <chrono>
#include <exception>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

namespace finwait::service {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

constexpr std::chrono::seconds kPatience{10};
constexpr std::chrono::milliseconds kPause{200};  ///< after an accept that failed: descriptors may be short
constexpr int kMostClients = 16;
constexpr std::uint32_t kMostHeader = 8192;

using Response = http::response<http::string_body>;
using Page = std::function<std::string()>;

Response answer(const http::request<http::empty_body>& request, const Page& page) {
  Response response{http::status::ok, request.version()};
  response.set(http::field::server, "finwait");
  response.keep_alive(request.keep_alive());
  const bool get = request.method() == http::verb::get || request.method() == http::verb::head;
  const std::string_view target(request.target().data(), request.target().size());
  const std::string_view path = target.substr(0, target.find('?'));
  if (get && path == "/metrics") {
    response.set(http::field::content_type, "text/plain; version=0.0.4; charset=utf-8");
    response.body() = page();
  } else {
    response.result(get ? http::status::not_found : http::status::method_not_allowed);
    response.set(http::field::content_type, "text/plain; charset=utf-8");
    if (!get) response.set(http::field::allow, "GET, HEAD");
    response.body() = get ? "The metrics are at /metrics.\n" : "GET /metrics\n";
  }
  response.prepare_payload();
  if (request.method() == http::verb::head) response.body().clear();  // its length stays told
  return response;
}

/// One client. Lives as long as something of it is under way.
class Client : public std::enable_shared_from_this<Client> {
 public:
  Client(tcp::socket socket, const Page& page, std::shared_ptr<void> place)
      : stream_(std::move(socket)), page_(page), place_(std::move(place)), buffer_(2 * kMostHeader) {}

  void read() {
    parser_.emplace();
    parser_->header_limit(kMostHeader);
    parser_->body_limit(0);
    stream_.expires_after(kPatience);
    http::async_read(stream_, buffer_, *parser_, [self = shared_from_this()](beast::error_code error, std::size_t) {
      if (!error) self->write();
    });
  }

 private:
  void write() {
    response_ = answer(parser_->get(), page_);
    const bool head = parser_->get().method() == http::verb::head;
    serializer_.emplace(response_);
    const auto done = [self = shared_from_this()](beast::error_code error, std::size_t) {
      if (!error && self->response_.keep_alive()) return self->read();
      beast::error_code ignored;
      self->stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    };
    stream_.expires_after(kPatience);
    if (head) {
      http::async_write_header(stream_, *serializer_, done);
    } else {
      http::async_write(stream_, *serializer_, done);
    }
  }

  beast::tcp_stream stream_;
  const Page& page_;
  std::shared_ptr<void> place_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::empty_body>> parser_;
  Response response_;
  std::optional<http::response_serializer<http::string_body>> serializer_;
};

}  // namespace

struct MetricsServer::Impl {
  explicit Impl(const MetricsAddress& address) : acceptor(context), timer(context) {
    const std::string where = "--metrics " + address.address + ":" + std::to_string(address.port);
    beast::error_code error;
    const auto ip = asio::ip::make_address(address.address, error);
    const auto check = [&](const char* what) {
      if (error) throw MetricsError(where + ": " + what + ": " + error.message());
    };
    check("not an address");
    const tcp::endpoint endpoint(ip, address.port);
    acceptor.open(endpoint.protocol(), error);
    check("no socket");
    acceptor.set_option(asio::socket_base::reuse_address(true), error);
    acceptor.bind(endpoint, error);
    check("cannot be listened on");
    acceptor.listen(asio::socket_base::max_listen_connections, error);
    check("cannot be listened on");
  }

  void accept() {
    if (clients.use_count() > kMostClients) return rest();
    acceptor.async_accept([this](beast::error_code error, tcp::socket socket) {
      if (error) return rest();
      std::make_shared<Client>(std::move(socket), page, clients)->read();
      accept();
    });
  }
  /// What one client breaks (no memory for the page) is over with that client.
  void serve() noexcept {
    while (!context.stopped()) {
      try {
        context.run();
      } catch (const std::exception&) {
        std::this_thread::sleep_for(kPause);
      }
    }
  }
  void rest() {
    timer.expires_after(kPause);
    timer.async_wait([this](beast::error_code error) {
      if (!error) accept();
    });
  }

  Page page;
  std::shared_ptr<void> clients = std::make_shared<int>(0);  ///< each client holds it
  asio::io_context context{1};
  tcp::acceptor acceptor;
  asio::steady_timer timer;
  std::thread thread;
};

MetricsAddress parse_metrics_address(const std::string& word) {
  const auto bad = [] {
    return std::invalid_argument("ADDRESS:PORT, [IPV6]:PORT, or PORT alone for the loopback; an address, not a name");
  };
  MetricsAddress result;
  const std::size_t colon = word.rfind(':');
  const std::string port = colon == std::string::npos ? word : word.substr(colon + 1);
  std::string address = colon == std::string::npos ? "" : word.substr(0, colon);
  if (address.size() > 2 && address.front() == '[' && address.back() == ']') {
    address = address.substr(1, address.size() - 2);
  } else if (address.find(':') != std::string::npos) {
    throw bad();
  }
  const auto end = std::from_chars(port.data(), port.data() + port.size(), result.port);
  if (end.ec != std::errc() || end.ptr != port.data() + port.size()) throw bad();
  if (address.empty()) return result;
  beast::error_code error;
  result.address = asio::ip::make_address(address, error).to_string();
  if (error) throw bad();
  return result;
}

MetricsServer::MetricsServer(const MetricsAddress& address) : impl_(std::make_unique<Impl>(address)) {}

MetricsServer::~MetricsServer() {
  impl_->context.stop();
  if (impl_->thread.joinable()) impl_->thread.join();
}

void MetricsServer::start(std::function<std::string()> page) {
  impl_->page = std::move(page);
  impl_->accept();
  impl_->thread = std::thread([this] { impl_->serve(); });
}

std::string MetricsServer::url() const {
  const tcp::endpoint endpoint = impl_->acceptor.local_endpoint();
  const std::string address = endpoint.address().to_string();
  return "http://" + (endpoint.address().is_v6() ? "[" + address + "]" : address) + ":" + std::to_string(endpoint.port()) + "/metrics";
}

}  // namespace finwait::service
