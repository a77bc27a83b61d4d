// https: whom the client trusts, and how it says that it does not.
#include "tests/net/certificates.hpp"
#include "tests/net/client_fixture.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>

using namespace rolecall::net;
using namespace rolecall::net::test;
namespace asio = boost::asio;

namespace {

/// Answers `requests` requests a connection, then ends it, with TLS's own goodbye or without.
class tls_server {
public:
  struct script {
    int requests{1};
    std::string answer{"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret"};
    bool goodbye{true};
  };

  tls_server(const identity& self, script what) : script_{std::move(what)} {
    context_.use_certificate_chain(asio::buffer(self.certificate));
    context_.use_private_key(asio::buffer(self.key), asio::ssl::context::pem);
    port_ = acceptor_.local_endpoint().port();
    thread_ = std::thread{[this] { serve_all(); }};
  }

  explicit tls_server(const identity& self) : tls_server{self, script{}} {}

  ~tls_server() {
    // Wakes the blocking accept, which closing alone does not.
    ::shutdown(acceptor_.native_handle(), SHUT_RDWR);
    thread_.join();
  }

  std::string url(const std::string& host) const {
    return "https://" + host + ":" + std::to_string(port_) + "/";
  }
  int accepted() const { return accepted_; }
  std::string server_name() const { return server_name_; } ///< SNI; once a call has ended

private:
  void serve_all() {
    while (true) {
      boost::system::error_code error;
      auto socket = acceptor_.accept(error);
      if (error)
        return;
      ++accepted_;
      serve(asio::ssl::stream<asio::ip::tcp::socket>{std::move(socket), context_});
    }
  }

  void serve(asio::ssl::stream<asio::ip::tcp::socket> stream) {
    boost::system::error_code error;
    stream.handshake(asio::ssl::stream_base::server, error);
    const auto* name = SSL_get_servername(stream.native_handle(), TLSEXT_NAMETYPE_host_name);
    server_name_ = name ? name : "";
    std::string input;
    for (int i = 0; i < script_.requests && !error; ++i) {
      auto size = asio::read_until(stream, asio::dynamic_buffer(input), "\r\n\r\n", error);
      input.erase(0, size);
      if (!error)
        asio::write(stream, asio::buffer(script_.answer), error);
    }
    if (script_.goodbye && !error)
      stream.shutdown(error);
  }

  script script_;
  asio::io_context io_;
  asio::ssl::context context_{asio::ssl::context::tls_server};
  asio::ip::tcp::acceptor acceptor_{io_, {asio::ip::make_address("127.0.0.1"), 0}};
  std::uint16_t port_{0};
  std::atomic<int> accepted_{0};
  std::string server_name_;
  std::thread thread_;
};

http_failure tls_failure(http_result result) {
  auto failure = failure_of(std::move(result));
  CHECK(failure.code == http_errc::tls_failed);
  INFO(failure.message);
  return failure;
}

} // namespace

TEST_CASE("a server whose certificate is signed by the given authority is trusted by its name") {
  authority trusted;
  tls_server server{trusted.issue("DNS:localhost")};
  client_fixture fixture{{.ca_file = trusted.file()}};
  CHECK(response_of(fixture.get(server.url("localhost"))).body == "secret");
  CHECK(server.server_name() == "localhost");
}

TEST_CASE("a server may be trusted by its address, which is not sent as a name") {
  authority trusted;
  tls_server server{trusted.issue("IP:127.0.0.1")};
  client_fixture fixture{{.ca_file = trusted.file()}};
  CHECK(response_of(fixture.get(server.url("127.0.0.1"))).body == "secret");
  CHECK(server.server_name().empty());
}

TEST_CASE("calls one after the other share one TLS connection") {
  authority trusted;
  tls_server server{trusted.issue("DNS:localhost"), {.requests = 3}};
  client_fixture fixture{{.ca_file = trusted.file()}};
  for (int i = 0; i < 3; ++i)
    response_of(fixture.get(server.url("localhost")));
  CHECK(server.accepted() == 1);
}

TEST_CASE("an authority that is not known is not trusted") {
  authority trusted;
  authority other;
  tls_server server{other.issue("DNS:localhost")};
  client_fixture fixture{{.ca_file = trusted.file()}};
  auto failure = tls_failure(fixture.get(server.url("localhost")));
  CHECK(failure.message.starts_with("TLS with localhost:"));
  CHECK(failure.message.find("certificate") != std::string::npos);
}

TEST_CASE("the system's store does not know an authority made for a test") {
  authority unknown;
  tls_server server{unknown.issue("DNS:localhost")};
  client_fixture fixture;
  tls_failure(fixture.get(server.url("localhost")));
}

TEST_CASE("a good certificate for another name or address is refused") {
  authority trusted;
  auto other = GENERATE("DNS:example.org", "IP:127.0.0.2");
  tls_server server{trusted.issue(other)};
  client_fixture fixture{{.ca_file = trusted.file()}};
  CHECK(tls_failure(fixture.get(server.url("localhost"))).message.find("ostname mismatch") !=
        std::string::npos);
  CHECK(tls_failure(fixture.get(server.url("127.0.0.1"))).message.find("address mismatch") !=
        std::string::npos);
}

TEST_CASE("a server that does not speak TLS fails the handshake") {
  raw_server server{[](raw_socket& socket, int) {
    socket.read(1);
    socket.send("HTTP/1.1 400 Bad Request\r\n\r\n");
    socket.closes_within(patience);
  }};
  client_fixture fixture;
  tls_failure(fixture.get("https://127.0.0.1:" + std::to_string(server.port()) + "/"));
}

TEST_CASE("a body that lasts until the close is whole only if TLS says goodbye") {
  authority trusted;
  client_fixture fixture{{.ca_file = trusted.file()}};
  std::string unframed = "HTTP/1.1 200 OK\r\n\r\nsecret";
  {
    tls_server server{trusted.issue("DNS:localhost"), {.answer = unframed}};
    CHECK(response_of(fixture.get(server.url("localhost"))).body == "secret");
  }
  tls_server server{trusted.issue("DNS:localhost"), {.answer = unframed, .goodbye = false}};
  auto failure = failure_of(fixture.get(server.url("localhost")));
  CHECK(failure.code == http_errc::connection_lost);
  CHECK(failure.message.find("secret") == std::string::npos);
}

TEST_CASE("a file of authorities that cannot be read is told at once, with its name") {
  event_loop loop;
  try {
    pooled_http_client client{loop.context(), {.ca_file = "/nowhere/ca.pem"}};
    FAIL("there is a client");
  } catch (const std::runtime_error& failure) {
    CHECK(std::string{failure.what()}.find("/nowhere/ca.pem") != std::string::npos);
  }
}
