// Streams of frames over TLS with certificates on both sides: who gets in, and what the rest is
// told.
#include "tests/net/certificates.hpp"
#include "tests/net/frame_fixture.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>

#include <fstream>

using namespace rolecall::net;
using namespace rolecall::net::test;
using namespace std::chrono_literals;
namespace asio = boost::asio;
namespace fs = std::filesystem;

namespace {

/// The files of a node, for as long as a test.
struct node_files {
  link_tls tls;

  node_files(const authority& ca, const std::string& name, const authority& signer,
             const certificate_traits& traits = {})
      : tls{ca.file() + "." + name + ".pem", ca.file() + "." + name + ".key", ca.file()} {
    renew(signer.issue("DNS:" + name, traits));
  }
  node_files(const authority& ca, const std::string& name, const certificate_traits& traits = {})
      : node_files{ca, name, ca, traits} {}
  ~node_files() {
    std::error_code ignored;
    fs::remove(tls.certificate, ignored);
    fs::remove(tls.key, ignored);
  }
  node_files(const node_files&) = delete;
  node_files& operator=(const node_files&) = delete;

  void renew(const identity& self) const {
    std::ofstream{tls.certificate} << self.certificate;
    std::ofstream{tls.key} << self.key;
  }
};

/// A cluster with the nodes "a", which listens, and "b".
struct cluster {
  authority ca;
  node_files a{ca, "a"};
  node_files b{ca, "b"};
  frame_fixture fixture;

  explicit cluster(frame_listener_options options = {}) : fixture{with(std::move(options), a)} {}

  static frame_listener_options with(frame_listener_options options, const node_files& files) {
    options.tls = files.tls;
    return options;
  }

  /// Why "a" refuses a node with these files, and what that node is told, at once or later.
  std::pair<std::string, std::string> refused(const link_tls& files) {
    auto link = fixture.dial({.tls = files});
    auto told = link.end ? link.end->closed.next() : link.reason;
    return {fixture.refused.next().reason, told};
  }
};

/// Another TLS client: what it reads after its handshake is an error, which it gives.
std::string foreign_client(std::uint16_t port, asio::ssl::context& tls) {
  asio::io_context context;
  asio::ssl::stream<asio::ip::tcp::socket> stream{context, tls};
  stream.lowest_layer().connect({asio::ip::make_address("127.0.0.1"), port});
  boost::system::error_code error;
  stream.handshake(asio::ssl::stream_base::client, error);
  std::array<char, 1> byte{};
  if (!error)
    stream.read_some(asio::buffer(byte), error);
  return error.message();
}

} // namespace

TEST_CASE("nodes of one cluster exchange frames over TLS, and know each other's names") {
  cluster two;
  auto client = two.fixture.connect({.tls = two.b.tls});
  auto server = two.fixture.accepted.next();
  CHECK(client->stream->certificate_names() == std::vector<std::string>{"a"});
  CHECK(server->stream->certificate_names() == std::vector<std::string>{"b"});
  for (const auto& frame : {std::string{"small"}, std::string{}, std::string(1u << 20, 'x')}) {
    client->stream->send(frame);
    server->stream->send(frame);
    CHECK(server->frames.next() == frame);
    CHECK(client->frames.next() == frame);
  }
  CHECK(server->stream->received_bytes() == (1u << 20) + 5 + 3 * 4);
}

TEST_CASE("what is queued is written before the close over TLS too") {
  cluster two;
  auto client = two.fixture.connect({.tls = two.b.tls, .frames = {.close_patience = patience}});
  auto server = two.fixture.accepted.next();
  for (int i = 0; i < 8; ++i)
    client->stream->send(std::string(1u << 20, 'x'));
  client->stream->close();
  for (int i = 0; i < 8; ++i)
    CHECK(server->frames.next().size() == 1u << 20);
  CHECK(server->closed.next() == "the peer closed the connection");
  CHECK(client->closed.next().empty());
}

TEST_CASE("a certificate names what its alternative names say, or else its common name") {
  cluster two;
  auto names_with = [&](const std::string& alternative) {
    two.b.renew(two.ca.issue(alternative, {.common_name = "common"}));
    auto client = two.fixture.connect({.tls = two.b.tls});
    return two.fixture.accepted.next()->stream->certificate_names();
  };
  using names = std::vector<std::string>;
  CHECK(names_with("DNS:b1,IP:127.0.0.1,DNS:b2") == names{"b1", "b2"});
  CHECK(names_with("IP:127.0.0.1") == names{"common"});
}

TEST_CASE("a certificate of another CA is refused on both sides, whatever that is called") {
  cluster two;
  authority other{GENERATE("rolecall test authority", "another authority")};
  node_files stranger{two.ca, "stranger", other};
  auto [reason, told] = two.refused(stranger.tls);
  CHECK(reason == "its certificate is not signed by this cluster's CA");
  CHECK_THAT(told, Catch::Contains("it does not accept this node's certificate"));

  node_files trusting{other, "trusting", two.ca};
  auto [seen, said] = two.refused(trusting.tls);
  CHECK_THAT(said, Catch::Contains("no TLS with 127.0.0.1:"));
  CHECK_THAT(said, Catch::Contains("its certificate is not signed by this cluster's CA"));
  CHECK_THAT(seen, Catch::Contains("it does not accept this node's certificate"));
}

TEST_CASE("a certificate that has expired, or is for servers only, is refused with that reason") {
  cluster two;
  node_files old{two.ca, "old", {.expired = true}};
  CHECK(two.refused(old.tls).first == "its certificate has expired");
  node_files half{two.ca, "half", {.extended_usage = "serverAuth"}};
  CHECK_THAT(two.refused(half.tls).first, Catch::Contains("needs serverAuth and clientAuth"));
  node_files whole{two.ca, "whole", {.extended_usage = "serverAuth,clientAuth"}};
  two.fixture.connect({.tls = whole.tls});
}

TEST_CASE("a client without a certificate is refused, and told that it needs one") {
  cluster two;
  asio::ssl::context tls{asio::ssl::context::tls_client};
  CHECK_THAT(foreign_client(two.fixture.listener->port(), tls),
             Catch::Contains("certificate required"));
  auto refused = two.fixture.refused.next();
  CHECK(refused.reason == "it has no certificate");
  CHECK(refused.remote.starts_with("127.0.0.1:"));
}

TEST_CASE("older versions of TLS are refused, with a good certificate too") {
  cluster two;
  asio::ssl::context tls{asio::ssl::context::tls_client};
  use_identity(tls, two.b.tls.certificate, two.b.tls.key);
  SSL_CTX_set_max_proto_version(tls.native_handle(), TLS1_2_VERSION);
  foreign_client(two.fixture.listener->port(), tls);
  CHECK_THAT(two.fixture.refused.next().reason, Catch::Contains("it does not speak TLS 1.3"));
}

TEST_CASE("a plain node at a TLS listener is refused, and told what the other speaks") {
  cluster two;
  auto client = two.fixture.connect();
  client->stream->send("hello");
  CHECK_THAT(two.fixture.refused.next().reason, Catch::Contains("it does not speak TLS 1.3"));
  CHECK_THAT(client->closed.next(), Catch::Contains("perhaps it speaks TLS"));
}

TEST_CASE("a TLS node at a plain listener is told, and so is that") {
  cluster two;
  frame_fixture plain;
  auto reason = plain.dial({.tls = two.b.tls}).reason;
  CHECK_THAT(reason, Catch::Contains("no TLS with 127.0.0.1:"));
  CHECK_THAT(reason, Catch::Contains("perhaps it does not speak TLS"));
  CHECK(plain.accepted.next()->closed.next() == "the peer speaks TLS, and this side does not");
}

TEST_CASE("noise at a TLS listener is refused, and does not disturb the others") {
  cluster two;
  auto client = two.fixture.connect({.tls = two.b.tls});
  auto server = two.fixture.accepted.next();
  auto noise = two.fixture.raw();
  noise.send_until_closed(std::string(1'024, '\xa5'), 1'024);
  noise.finish_sending();
  CHECK_THAT(two.fixture.refused.next().reason, Catch::Contains("it does not speak TLS 1.3"));
  CHECK(noise.closes_within(patience));
  client->stream->send("still here");
  CHECK(server->frames.next() == "still here");
}

TEST_CASE("a connection that says nothing, or goes, in its handshake is refused") {
  cluster two{{.handshake_timeout = 50ms}};
  auto silent = two.fixture.raw();
  CHECK(two.fixture.refused.next().reason == "the TLS handshake took too long");
  CHECK(silent.closes_within(patience));
  two.fixture.raw().close();
  CHECK_THAT(two.fixture.refused.next().reason, Catch::Contains("it closed the connection"));
}

TEST_CASE("a server that says nothing ends the dial in time") {
  raw_server server{[](raw_socket& socket, int) { socket.closes_within(patience); }};
  cluster two;
  auto reason = two.fixture.dial({.port = server.port(), .tls = two.b.tls, .timeout = 50ms}).reason;
  CHECK_THAT(reason, Catch::Contains("the TLS handshake took too long"));
}

TEST_CASE("connections past the bound of handshakes are refused, and let in once there is room") {
  cluster two{{.handshake_timeout = patience, .max_handshakes = 1}};
  auto silent = two.fixture.raw();
  auto second = two.fixture.raw();
  CHECK(two.fixture.refused.next().reason == "too many connections are in their handshake");
  CHECK(second.closes_within(patience));
  silent.close();
  two.fixture.refused.next();
  two.fixture.connect({.tls = two.b.tls});
}

TEST_CASE("renewed certificates are used by the next link, on both sides") {
  cluster two;
  two.fixture.connect({.tls = two.b.tls});
  two.fixture.accepted.next();
  two.a.renew(two.ca.issue("DNS:new-a"));
  two.b.renew(two.ca.issue("DNS:new-b"));
  auto client = two.fixture.connect({.tls = two.b.tls});
  CHECK(client->stream->certificate_names().front() == "new-a");
  CHECK(two.fixture.accepted.next()->stream->certificate_names().front() == "new-b");
}

TEST_CASE("a file that cannot be used is named at the start, and whenever it is needed after") {
  cluster two;
  link_tls missing{two.a.tls.certificate, "/nowhere/a.key", two.a.tls.ca};
  event_loop loop;
  auto listen = [&] {
    frame_listener{loop.context(), {.tls = missing}, [](const auto&) {}, [](const auto&...) {}};
  };
  CHECK_THROWS_WITH(listen(), Catch::Contains("/nowhere/a.key"));
  CHECK_THAT(two.fixture.dial({.tls = missing}).reason, Catch::Contains("/nowhere/a.key"));
  two.fixture.refused.next();

  std::ofstream{two.a.tls.certificate} << "no certificate";
  CHECK_FALSE(two.fixture.dial({.tls = two.b.tls}).end);
  CHECK_THAT(two.fixture.refused.next().reason, Catch::Contains(two.a.tls.certificate));
}

TEST_CASE("nothing is called after a listener or a dial has gone in the middle of a handshake") {
  raw_server server{[](raw_socket& socket, int) { socket.closes_within(patience); }};
  cluster two;
  auto silent = two.fixture.raw();
  two.fixture.start_dial({.port = server.port(), .tls = two.b.tls});
  auto busy = GENERATE(true, false);
  if (busy)
    two.fixture.settle();
  two.fixture.dialing = nullptr;
  two.fixture.listener = nullptr;
  two.fixture.settle();
  CHECK(two.fixture.dials.size() == 0);
  CHECK(two.fixture.refused.size() == 0);
  CHECK(silent.closes_within(patience));
}
