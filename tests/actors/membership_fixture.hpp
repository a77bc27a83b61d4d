#pragma once

#include "actors/cluster/membership.hpp"

#include <algorithm>
#include <memory>
#include <set>

/// Several nodes' membership over a network that is made of queues.
namespace rolecall::tests {

using namespace std::chrono_literals;

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
      result += node.str();
    return result;
  }
  std::size_t count(const std::string& address, const std::string& line) const {
    const auto& log = hosts.at(address).log;
    return static_cast<std::size_t>(std::count_if(
        log.begin(), log.end(), [&](const auto& each) { return each.find(line) == 0; }));
  }
};

} // namespace rolecall::tests
