// The server over TLS: who gets in, and what the rest sees.
#include "tests/net/certificates.hpp"
#include "tests/net/client_fixture.hpp"
#include "tests/net/server_fixture.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>

#include <fstream>

using namespace rolecall::net;
using namespace rolecall::net::test;
namespace asio = boost::asio;

namespace {

/// A server with a certificate for "localhost" and 127.0.0.1.
struct tls_fixture {
  authority ca;
  std::string certificate{ca.file() + ".server.pem"};
  std::string key{ca.file() + ".server.key"};
  std::unique_ptr<server_fixture> server;

  explicit tls_fixture(http_server_options options = {}) {
    auto self = ca.issue("DNS:localhost,IP:127.0.0.1");
    std::ofstream{certificate} << self.certificate;
    std::ofstream{key} << self.key;
    options.tls = tls_files{certificate, key};
    server = std::make_unique<server_fixture>(echo, std::move(options));
  }
  ~tls_fixture() {
    std::filesystem::remove(certificate);
    std::filesystem::remove(key);
  }

  /// Whether a handshake succeeds with no version of the protocol but this one.
  bool accepts(int version) const {
    asio::io_context context;
    asio::ssl::context tls{asio::ssl::context::tls_client};
    SSL_CTX_set_security_level(tls.native_handle(), 0);
    SSL_CTX_set_min_proto_version(tls.native_handle(), version);
    SSL_CTX_set_max_proto_version(tls.native_handle(), version);
    asio::ssl::stream<asio::ip::tcp::socket> stream{context, tls};
    stream.lowest_layer().connect({asio::ip::make_address("127.0.0.1"), server->server->port()});
    boost::system::error_code error;
    stream.handshake(asio::ssl::stream_base::client, error);
    return !error;
  }
};

} // namespace

TEST_CASE("requests are served over TLS, large ones too, on a kept connection") {
  tls_fixture fixture;
  client_fixture client{{.ca_file = fixture.ca.file()}};
  auto url = "https://localhost:" + std::to_string(fixture.server->server->port()) + "/x";
  for (std::size_t size : {std::size_t{3}, std::size_t{3} << 20}) {
    http_request request{.method = "POST", .url = url};
    request.body = std::make_shared<const std::string>(size, 'b');
    auto result = client.call(request);
    REQUIRE(std::holds_alternative<http_response>(result));
    CHECK(std::get<http_response>(result).body == "POST /x? " + std::string(size, 'b'));
  }
}

TEST_CASE("versions of TLS that are broken are refused, and the present ones are spoken") {
  tls_fixture fixture;
  CHECK_FALSE(fixture.accepts(TLS1_VERSION));
  CHECK_FALSE(fixture.accepts(TLS1_1_VERSION));
  CHECK(fixture.accepts(TLS1_2_VERSION));
  CHECK(fixture.accepts(TLS1_3_VERSION));
}

TEST_CASE("plain HTTP on a TLS port gets no answer, and neither does silence") {
  tls_fixture fixture{{.head_timeout = std::chrono::milliseconds{50}}};
  auto plain = fixture.server->answer("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(plain.find("HTTP/1.1") == std::string::npos);
  CHECK(fixture.server->connect().closes_within(patience));
}

TEST_CASE("a certificate or a key that cannot be used is told with its file") {
  authority ca;
  auto start = [&](const std::string& certificate, const std::string& key) {
    server_fixture{echo, {.tls = tls_files{certificate, key}}};
  };
  CHECK_THROWS_WITH(start("/nowhere/cert.pem", ca.file()), Catch::Contains("/nowhere/cert.pem"));
  CHECK_THROWS_WITH(start(ca.file(), "/nowhere/key.pem"), Catch::Contains("/nowhere/key.pem"));
}
