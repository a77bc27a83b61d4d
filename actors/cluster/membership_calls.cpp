// Whom a node calls, and how its membership looks.
#include "actors/cluster/membership.hpp"

#include <algorithm>

namespace rolecall {

namespace {

constexpr std::size_t max_told = 1'000;

} // namespace

// -- whom to call
// ------------------------------------------------------------------------------------

void membership::target_failed(const std::string& address, const std::string& why, bool refused,
                               time_point now, effects& out) {
  auto found = targets_.find(address);
  if (found == targets_.end())
    return;
  auto& t = found->second;
  t.link.reset();
  if (t.failures == 0)
    t.failing_since = now;
  auto bound = options_.reconnect_backoff;
  for (std::uint32_t i = 0; i < t.failures && bound < options_.max_reconnect_backoff; ++i)
    bound *= 2;
  bound = std::min(bound, options_.max_reconnect_backoff);
  ++t.failures;
  // Half of it at least: whoever is away is not asked all the time.
  std::uniform_int_distribution<millis::rep> wait{bound.count() / 2, bound.count()};
  t.next_try = now + millis{wait(chance_)};
  if (!refused && t.problem != why)
    out.emplace_back(note{t.configured, "node_unreachable", t.node.str(), address, why});
  t.problem = why;
  t.refused = refused;
}

void membership::learn(const node_list& list, time_point now) {
  for (const auto& each : list.nodes) {
    if (each.address.empty() || each.node == options_.node || each.address == options_.address ||
        targets_.size() > 4 * options_.max_nodes)
      continue;
    auto [at, fresh] = targets_.try_emplace(each.address);
    at->second.node = each.node;
    if (fresh)
      at->second.failing_since = now;
  }
}

void membership::call_missing(time_point now, effects& out) {
  if (quitting_)
    return;
  for (auto& [address, t] : targets_) {
    if (t.link || t.self || now < t.next_try || (!t.node.empty() && up_.contains(t.node)))
      continue;
    link fresh;
    fresh.at = stage::dialing;
    fresh.target = address;
    fresh.since = fresh.heard_at = now;
    t.link = open(std::move(fresh));
    out.emplace_back(dial{*t.link, address});
  }
}

node_list membership::known_nodes() const {
  node_list result;
  for (const auto& [node, id] : up_)
    if (const auto& address = links_.at(id).hello.address; !address.empty())
      result.nodes.push_back({node, address});
  return result;
}

// -- what can be asked
// -------------------------------------------------------------------------------

std::optional<membership::link_id> membership::link_of(const node_name& node) const {
  auto found = up_.find(node);
  return found == up_.end() ? std::nullopt : std::optional{found->second};
}

std::vector<membership::link_id> membership::up() const {
  std::vector<link_id> result;
  for (const auto& [node, id] : up_)
    result.push_back(id);
  return result;
}

const node_name* membership::node_of(link_id id) const {
  auto found = links_.find(id);
  return found == links_.end() || found->second.at != stage::up ? nullptr
                                                                : &found->second.hello.node;
}

/// Whether something is to be logged: once until the link works. Bounded: the oldest is forgotten.
bool membership::first_time(const std::string& key) {
  if (!told_.insert(key).second)
    return false;
  told_order_.push_back(key);
  if (told_order_.size() > max_told) {
    told_.erase(told_order_.front());
    told_order_.pop_front();
  }
  return true;
}

std::vector<std::pair<std::optional<membership::link_id>, link_status>>
membership::status(time_point now) const {
  std::vector<std::pair<std::optional<link_id>, link_status>> result;
  auto ago = [&](time_point at) { return std::chrono::duration_cast<millis>(now - at); };
  for (const auto& [node, id] : up_) {
    const auto& l = links_.at(id);
    link_status s;
    s.node = node;
    s.address = l.hello.address;
    s.state = leaving_.contains(node) ? "leaving" : "up";
    s.version = l.hello.version;
    s.since = ago(l.since);
    s.round_trip = l.round_trip;
    s.connects = connects_.at(node);
    result.emplace_back(id, std::move(s));
  }
  for (const auto& [address, t] : targets_) {
    if (t.self || (!t.node.empty() && up_.contains(t.node)))
      continue;
    link_status s;
    s.node = t.node;
    s.address = address;
    s.state = t.refused ? "refused" : t.failures > 0 ? "unreachable" : "connecting";
    s.problem = t.problem;
    s.since = t.failures > 0 ? ago(t.failing_since) : millis{0};
    if (auto count = connects_.find(t.node); count != connects_.end())
      s.connects = count->second;
    result.emplace_back(std::nullopt, std::move(s));
  }
  return result;
}

} // namespace rolecall
