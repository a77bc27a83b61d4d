// Who is in the cluster, who is let in, and who is gone: several nodes' membership over a network
// that is made of queues.
#include "actors/cluster/membership.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <memory>

using namespace rolecall;
using namespace std::chrono_literals;

namespace {

using time_point = membership::time_point;
using link_id = membership::link_id;

struct network {
  struct end {
    std::string address;
    link_id link;
    auto operator<=>(const end&) const = default;
  };
  struct host {
    std::unique_ptr<membership> core;
    std::vector<std::string> log; // "event node: problem"
    std::vector<std::string> certificate_names;
    std::set<node_name> up;
  };

  std::map<std::string, host> hosts; // by address
  std::map<end, end> wires;
  std::set<std::pair<std::string, std::string>> cut;
  std::set<std::string> frozen;
  std::vector<std::pair<end, link_message>> flying;
  std::vector<std::pair<end, link_message>> flying_later; // to those that are frozen
  std::vector<std::pair<time_point, end>> unanswered;     // calls
  time_point now{1h};
  std::uint64_t starts{0};

  membership& start(const std::string& name, const std::string& address,
                    std::vector<std::string> peers, auto change) {
    membership_options options;
    options.node = node_name{name};
    options.incarnation = ++starts;
    options.version = "1.0";
    options.address = address;
    options.peers = std::move(peers);
    options.seed = starts;
    change(options);
    auto& h = hosts[address];
    h = {std::make_unique<membership>(options), {}, {name}, {}};
    return *h.core;
  }
  membership& start(const std::string& name, const std::string& address,
                    std::vector<std::string> peers) {
    return start(name, address, std::move(peers), [](auto&) {});
  }

  bool reachable(const std::string& a, const std::string& b) const {
    return hosts.contains(a) && hosts.contains(b) && !cut.contains({a, b}) && !cut.contains({b, a});
  }

  void carry_out(const std::string& at, const membership::effects& effects) {
    for (const auto& effect : effects)
      std::visit([&](const auto& e) { carry_out(at, e); }, effect);
  }
  void carry_out(const std::string& at, const membership::dial& d) {
    membership::effects out;
    if (!hosts.contains(d.address)) {
      hosts.at(at).core->dial_failed(d.link, "connection refused", now, out);
      return carry_out(at, out);
    }
    if (!reachable(at, d.address) || frozen.contains(d.address)) {
      unanswered.emplace_back(now, end{at, d.link});
      return;
    }
    auto& other = *hosts.at(d.address).core;
    membership::effects theirs;
    auto id = other.accepted(at, hosts.at(at).certificate_names, now, theirs);
    wires[{at, d.link}] = {d.address, id};
    wires[{d.address, id}] = {at, d.link};
    hosts.at(at).core->dialed(d.link, d.address, hosts.at(d.address).certificate_names, now, out);
    carry_out(d.address, theirs);
    carry_out(at, out);
  }
  void carry_out(const std::string& at, const membership::say& s) {
    if (auto wire = wires.find({at, s.link}); wire != wires.end())
      flying.emplace_back(wire->second, s.message);
  }
  void carry_out(const std::string&, const membership::trust&) {}
  void carry_out(const std::string& at, const membership::hang_up& h) {
    auto wire = wires.extract(end{at, h.link});
    if (!wire.empty())
      flying.emplace_back(wire.mapped(), node_refusal{"hang up", ""}); // a marker, see deliver
  }
  void carry_out(const std::string& at, const membership::came_up& c) {
    hosts.at(at).up.insert(c.node);
  }
  void carry_out(const std::string& at, const membership::went_down& d) {
    hosts.at(at).up.erase(d.node);
  }
  void carry_out(const std::string& at, const membership::note& n) {
    hosts.at(at).log.push_back(n.event + " " + n.node + ": " + n.problem);
  }

  void deliver() {
    while (!flying.empty()) {
      auto all = std::exchange(flying, {});
      for (const auto& [to, message] : all) {
        auto wire = wires.find(to);
        if (wire == wires.end() || !hosts.contains(to.address))
          continue;
        if (frozen.contains(to.address)) {
          flying_later.emplace_back(to, message);
          continue;
        }
        if (!reachable(to.address, wire->second.address))
          continue;
        membership::effects out;
        const auto* refusal = std::get_if<node_refusal>(&message);
        auto& core = *hosts.at(to.address).core;
        if (refusal && refusal->code == "hang up") {
          wires.erase(wire);
          core.closed(to.link, "", now, out);
        } else {
          core.heard(to.link, message, now, out);
        }
        carry_out(to.address, out);
      }
    }
  }
  /// Whoever makes connections waits no longer than this.
  void give_up_calls() {
    for (const auto& [since, from] : std::exchange(unanswered, {}))
      if (now - since < 1s) {
        unanswered.emplace_back(since, from);
      } else if (hosts.contains(from.address)) {
        membership::effects out;
        hosts.at(from.address).core->dial_failed(from.link, "no answer", now, out);
        carry_out(from.address, out);
      }
  }

  /// Time goes by: beats are sent, timers come.
  void run(std::chrono::milliseconds time) {
    for (auto stop = now + time; now < stop; now += 50ms) {
      for (auto& [address, h] : hosts) {
        if (frozen.contains(address))
          continue;
        membership::effects out;
        if (now.time_since_epoch() % 500ms == 0ms)
          for (auto link : h.core->up())
            out.emplace_back(membership::say{
                link,
                heartbeat{static_cast<std::uint64_t>(
                              std::chrono::duration_cast<micros>(now.time_since_epoch()).count()),
                          0,
                          {}}});
        h.core->tick(now, out);
        carry_out(address, out);
      }
      deliver();
      give_up_calls();
    }
  }

  /// Gone at once; whoever has a connection with it notices.
  void kill(const std::string& address) {
    hosts.erase(address);
    std::vector<end> others;
    for (const auto& [from, to] : wires)
      if (to.address == address)
        others.push_back(from);
    std::erase_if(wires, [&](const auto& wire) {
      return wire.first.address == address || wire.second.address == address;
    });
    for (const auto& other : others) {
      membership::effects out;
      hosts.at(other.address).core->closed(other.link, "connection reset by peer", now, out);
      carry_out(other.address, out);
    }
  }

  std::string up_at(const std::string& address) const {
    std::string result;
    for (const auto& node : hosts.at(address).up)
      result += node.value;
    return result;
  }
  std::size_t count(const std::string& address, const std::string& line) const {
    const auto& log = hosts.at(address).log;
    return static_cast<std::size_t>(std::count_if(
        log.begin(), log.end(), [&](const auto& each) { return each.find(line) == 0; }));
  }
};

} // namespace

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
    a.heard_nonsense(id, "what came is no message", net.now, out);
    for (const auto& effect : out)
      notes += std::holds_alternative<membership::note>(effect) ? 1 : 0;
  }
  CHECK(notes == 1);
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
