// Who is in the cluster, who is let in, and who is gone.
#include "tests/actors/membership_fixture.hpp"

#include <catch2/catch.hpp>

using namespace rolecall;
using namespace rolecall::tests;
using namespace std::chrono_literals;

TEST_CASE("nodes that know one of the others find all of them, in whatever order they start") {
  std::vector<std::string> order{"a", "b", "c"};
  do {
    network net;
    for (const auto& name : order) {
      // Each knows but one: c knows nobody at all.
      std::vector<std::string> peers;
      if (name == "a")
        peers = {"B"};
      if (name == "b")
        peers = {"C"};
      net.start(name, {static_cast<char>(name[0] - 'a' + 'A')}, peers);
      net.run(100ms);
    }
    net.run(1900ms);
    CHECK(net.up_at("A") == "bc");
    CHECK(net.up_at("B") == "ac");
    CHECK(net.up_at("C") == "ab");
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("two nodes that call each other at the same time have one link") {
  network net;
  net.start("a", "A", {"B"});
  net.start("b", "B", {"A"});
  net.run(5s);
  CHECK(net.up_at("A") == "b");
  CHECK(net.wires.size() == 2); // its two ends
  CHECK(net.count("A", "node_joined") == 1);
  CHECK(net.count("B", "node_joined") == 1);
}

TEST_CASE("a node that was killed is gone at once, and comes back when it does") {
  network net;
  net.start("a", "A", {});
  net.start("b", "B", {"A"});
  net.run(1s);
  REQUIRE(net.up_at("A") == "b");
  net.kill("B");
  CHECK(net.up_at("A") == "");
  CHECK(net.count("A", "node_lost b: connection reset by peer") == 1);
  net.start("b", "B", {"A"});
  net.run(3s);
  CHECK(net.up_at("A") == "b");
}

TEST_CASE("a node that was only found is called again after it was away") {
  network net;
  net.start("a", "A", {});
  net.start("b", "B", {"A"});
  net.run(1s);
  net.kill("B");
  net.run(20s);
  net.start("b", "B", {}); // knows nobody now
  net.run(3s);
  CHECK(net.up_at("A") == "b");
}

TEST_CASE("a node may come back under another address") {
  network net;
  net.start("a", "A", {});
  net.start("b", "B", {"A"});
  net.start("c", "C", {"A"});
  net.run(2s);
  net.kill("B");
  net.start("b", "B2", {"A"});
  net.run(3s);
  CHECK(net.up_at("A") == "bc");
  CHECK(net.up_at("C") == "ab");
}

TEST_CASE("a cut link is noticed by its silence, and mended by itself") {
  network net;
  net.start("a", "A", {"B"});
  net.start("b", "B", {"A"});
  net.run(1s);
  net.cut.insert({"A", "B"});
  net.run(2400ms);
  CHECK(net.up_at("A") == "b");
  net.run(1200ms);
  CHECK(net.up_at("A") == "");
  CHECK(net.up_at("B") == "");
  CHECK(net.count("A", "node_lost b: there was no word from it for 3000 ms") == 1);
  net.run(30s);
  net.cut.clear();
  net.run(5s);
  CHECK(net.up_at("A") == "b");
  CHECK(net.up_at("B") == "a");
}

TEST_CASE("a node that was stopped for a while comes back as the one that it was") {
  network net;
  net.start("a", "A", {"B"});
  net.start("b", "B", {"A"});
  net.run(1s);
  net.frozen.insert("B");
  net.run(4s);
  CHECK(net.up_at("A") == "");
  net.frozen.clear();
  net.flying = std::exchange(net.flying_later, {});
  net.deliver();
  net.run(4s);
  CHECK(net.up_at("A") == "b");
  CHECK(net.up_at("B") == "a");
}

TEST_CASE("a long message that is on its way counts as a word") {
  network net;
  net.start("a", "A", {"B"});
  net.start("b", "B", {});
  net.run(1s);
  net.cut.insert({"A", "B"});
  for (auto i = 0; i < 10; ++i) {
    net.run(1s);
    for (auto* address : {"A", "B"})
      for (auto link : net.hosts.at(address).core->up())
        net.hosts.at(address).core->stirred(link, net.now);
  }
  CHECK(net.up_at("A") == "b");
}

TEST_CASE("a node of another cluster is refused, and both say why, once") {
  network net;
  net.start("a", "A", {});
  net.start("b", "B", {"A"}, [](auto& options) { options.cluster = "green"; });
  net.run(20s);
  CHECK(net.up_at("A") == "");
  auto why = "b: node \"a\" is of the cluster \"rolecall\", node \"b\" of \"green\"";
  CHECK(net.count("A", std::string{"node_refused "} + why) + net.count("A", "cluster_refused") ==
        1);
  CHECK(net.count("B", "cluster_refused") + net.count("B", "node_refused") == 1);
  auto status = net.hosts.at("B").core->status(net.now);
  REQUIRE(status.size() == 1);
  CHECK(status[0].second.state == "refused");
  CHECK(status[0].second.problem.find("is of the cluster") != std::string::npos);
}

TEST_CASE("a node that speaks another version of the protocol is refused with both versions") {
  network net;
  auto& a = net.start("a", "A", {});
  membership::effects out;
  auto id = a.accepted("10.0.0.9:1234", {}, net.now, out);
  out.clear();
  node_hello old;
  old.protocol = 99;
  old.version = "0.9";
  old.cluster = "rolecall";
  old.node = node_name{"b"};
  CHECK_FALSE(a.heard(id, old, net.now, out));
  auto refusal = std::find_if(out.begin(), out.end(), [](const auto& effect) {
    const auto* said = std::get_if<membership::say>(&effect);
    return said && std::holds_alternative<node_refusal>(said->message);
  });
  REQUIRE(refusal != out.end());
  auto why = std::get<node_refusal>(std::get<membership::say>(*refusal).message);
  CHECK(why.code == "incompatible_version");
  CHECK(why.message.find("version 99") != std::string::npos);
  CHECK(why.message.find("0.9") != std::string::npos);
  CHECK(a.refused() == 1);
}

TEST_CASE("two nodes of one name cannot both be in the cluster") {
  network net;
  net.start("a", "A", {});
  net.start("b", "B", {"A"});
  net.run(1s);
  net.start("b", "B2", {"A"});
  net.run(5s);
  CHECK(net.up_at("A") == "b");
  CHECK(net.up_at("B") == "a");
  CHECK(net.up_at("B2") == "");
  CHECK(net.count("B2", "cluster_refused") == 1);
  net.start("a", "A2", {"B2"}); // and a name is not one's own
  net.start("b", "B3", {"B"});
  net.run(2s);
  CHECK(net.count("B3", "node_refused b: the name \"b\" belongs to two nodes") +
            net.count("B3", "cluster_refused b: the name \"b\" belongs to two nodes") ==
        1);
}

TEST_CASE("a name that is not in the certificate is refused") {
  network net;
  auto strict = [](auto& options) { options.check_names = true; };
  net.start("a", "A", {}, strict);
  net.start("b", "B", {"A"}, strict);
  net.run(1s);
  CHECK(net.up_at("A") == "b");
  net.start("c", "C", {"A"}, strict);
  net.hosts.at("C").certificate_names = {"b"};
  net.run(1s);
  CHECK(net.up_at("A") == "b");
  CHECK(net.count("A", "node_refused c: the certificate of \"c\" is for \"b\"") +
            net.count("C", "node_refused c: the certificate of \"c\" is for \"b\"") +
            net.count("C", "cluster_refused a: the certificate of \"c\" is for \"b\"") >=
        1);
}

TEST_CASE("whoever does not say hello first is refused") {
  network net;
  auto& a = net.start("a", "A", {});
  for (const link_message& first :
       {link_message{node_welcome{}}, link_message{agent_snapshot{}}, link_message{heartbeat{}}}) {
    membership::effects out;
    auto id = a.accepted("10.0.0.9:1", {}, net.now, out);
    CHECK_FALSE(a.heard(id, first, net.now, out));
    CHECK(a.up().empty());
    CHECK(std::any_of(out.begin(), out.end(), [](const auto& effect) {
      return std::holds_alternative<membership::hang_up>(effect);
    }));
  }
  CHECK(a.refused() == 3);
}

TEST_CASE("noise is refused and logged once for an address, however often it comes") {
  network net;
  auto& a = net.start("a", "A", {});
  std::size_t notes = 0;
  for (auto i = 0; i < 1'000; ++i) {
    membership::effects out;
    auto id = a.accepted("10.0.0.9:" + std::to_string(1'000 + i), {}, net.now, out);
    if (i % 2 == 0)
      a.heard_nonsense(id, "what came is no message", net.now, out);
    else
      a.closed(id, "the peer announced a frame of " + std::to_string(i) + " bytes", net.now, out);
    for (const auto& effect : out)
      notes += std::holds_alternative<membership::note>(effect) ? 1 : 0;
  }
  CHECK(notes == 2); // one of each kind
  CHECK(a.refused() == 1'000);
}

TEST_CASE("a connection that says nothing is closed, and there are never many of them") {
  network net;
  auto& a = net.start("a", "A", {});
  membership::effects out;
  for (auto i = 0; i < 1'000; ++i)
    a.accepted("10.0.0.9:" + std::to_string(i), {}, net.now, out);
  CHECK(a.refused() == 1'000 - 256);
  out.clear();
  a.tick(net.now + 4s, out);
  CHECK(std::count_if(out.begin(), out.end(), [](const auto& effect) {
          return std::holds_alternative<membership::hang_up>(effect);
        }) == 256);
}

TEST_CASE("a node that is among its own peers does not call itself for ever") {
  network net;
  net.start("a", "A", {"A", "B"});
  net.start("b", "B", {});
  net.run(10s);
  CHECK(net.up_at("A") == "b");
  CHECK(net.hosts.at("A").core->status(net.now).size() == 1);
  CHECK(net.count("A", "node_refused") == 0);
}

TEST_CASE("a node that leaves is not taken for one that was lost") {
  network net;
  net.start("a", "A", {});
  net.start("b", "B", {"A"});
  net.run(1s);
  membership::effects out;
  net.hosts.at("B").core->leave(out);
  net.carry_out("B", out);
  net.deliver();
  CHECK(net.hosts.at("A").core->leaving(node_name{"b"}));
  CHECK(net.hosts.at("A").core->status(net.now)[0].second.state == "leaving");
  out.clear();
  net.hosts.at("B").core->hang_up_all(out);
  net.carry_out("B", out);
  net.deliver();
  CHECK(net.up_at("A") == "");
  CHECK(net.count("A", "node_left b") == 1);
  CHECK(net.count("A", "node_lost") == 0);
}

TEST_CASE("waits between calls grow to their bound, and differ") {
  network net;
  auto& a = net.start("a", "A", {"X"});
  std::vector<time_point> calls;
  for (auto stop = net.now + 60s; net.now < stop; net.now += 1ms) {
    membership::effects out;
    a.tick(net.now, out);
    for (const auto& effect : out)
      if (const auto* call = std::get_if<membership::dial>(&effect)) {
        calls.push_back(net.now);
        membership::effects ignored;
        a.dial_failed(call->link, "connection refused", net.now, ignored);
      }
  }
  REQUIRE(calls.size() > 30);
  CHECK(calls.size() < 90);
  std::set<time_point::duration> waits;
  for (std::size_t i = 10; i < calls.size(); ++i) {
    waits.insert(calls[i] - calls[i - 1]);
    CHECK(calls[i] - calls[i - 1] <= 2001ms);
    CHECK(calls[i] - calls[i - 1] >= 999ms);
  }
  CHECK(waits.size() > 10);
}

TEST_CASE(
    "an address that was learnt and where nobody answers is forgotten, a configured one not") {
  network net;
  net.start("a", "A", {"X"});
  net.start("b", "B", {"A"});
  net.run(1s);
  net.kill("B");
  CHECK(net.hosts.at("A").core->status(net.now).size() == 2);
  net.now += 11min;
  net.run(1s);
  auto left = net.hosts.at("A").core->status(net.now);
  REQUIRE(left.size() == 1);
  CHECK(left[0].second.address == "X");
}
