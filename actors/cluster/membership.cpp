#include "actors/cluster/membership.hpp"

#include <algorithm>

namespace rolecall {

namespace {

constexpr std::size_t max_strangers = 256; ///< connections that are not up yet

std::string host_of(const std::string& address) {
  return address.substr(0, address.rfind(':'));
}

node_refusal duplicate() {
  return {"duplicate", "there is a link already"};
}

} // namespace

membership::membership(membership_options options)
    : options_{std::move(options)}, chance_{options_.seed} {
  for (const auto& address : options_.peers)
    targets_[address].configured = true;
}

// -- what happens
// ------------------------------------------------------------------------------------

membership::link_id membership::open(link fresh) {
  auto id = next_link_++;
  links_.emplace(id, std::move(fresh));
  return id;
}

void membership::say_hello(link_id id, effects& out) {
  node_hello hello;
  hello.version = options_.version;
  hello.cluster = options_.cluster;
  hello.node = options_.node;
  hello.incarnation = options_.incarnation;
  hello.address = options_.address;
  out.emplace_back(say{id, std::move(hello)});
}

membership::link_id membership::accepted(const std::string& remote,
                                         std::vector<std::string> certificate_names, time_point now,
                                         effects& out) {
  link fresh;
  fresh.remote = remote;
  fresh.certificate_names = std::move(certificate_names);
  fresh.since = fresh.heard_at = now;
  auto id = open(std::move(fresh));
  auto strangers =
      static_cast<std::size_t>(std::count_if(links_.begin(), links_.end(), [](const auto& entry) {
        return entry.second.at != stage::up && entry.second.target.empty();
      }));
  if (strangers > max_strangers)
    refuse(id, {"too_many", "too many connections have not said who they are"}, now, out);
  else
    say_hello(id, out);
  return id;
}

void membership::dialed(link_id id, const std::string& remote,
                        std::vector<std::string> certificate_names, time_point now, effects& out) {
  auto found = links_.find(id);
  if (found == links_.end())
    return;
  auto& l = found->second;
  l.at = stage::greeting;
  l.remote = remote;
  l.certificate_names = std::move(certificate_names);
  l.since = l.heard_at = now;
  say_hello(id, out);
}

void membership::dial_failed(link_id id, const std::string& why, time_point now, effects& out) {
  auto found = links_.extract(id);
  if (!found.empty())
    target_failed(found.mapped().target, why, false, now, out);
}

bool membership::heard(link_id id, const link_message& message, time_point now, effects& out) {
  auto found = links_.find(id);
  if (found == links_.end())
    return false;
  auto& l = found->second;
  l.heard_at = now;
  if (const auto* refusal = std::get_if<node_refusal>(&message)) {
    if (refusal->code != duplicate().code && first_time(host_of(l.remote) + refusal->message))
      out.emplace_back(
          note{true, "cluster_refused", l.hello.node.str(), l.remote, refusal->message});
    if (!l.target.empty() && refusal->code != duplicate().code)
      target_failed(l.target, refusal->message, true, now, out);
    drop(id, "it refused: " + refusal->message, now, out);
    out.emplace_back(hang_up{id});
    return false;
  }
  if (l.at == stage::greeting) {
    if (const auto* hello = std::get_if<node_hello>(&message))
      greet(id, l, *hello, now, out);
    else
      heard_nonsense(id, "it did not say hello first", now, out);
    return false;
  }
  if (l.at != stage::up) {
    if (!std::holds_alternative<node_welcome>(message)) {
      heard_nonsense(id, "it went on before the link was up", now, out);
      return false;
    }
    if (l.at == stage::settling) {
      out.emplace_back(trust{id});
      out.emplace_back(say{id, node_welcome{}});
    }
    bring_up(id, l, now, out);
    return false;
  }
  if (std::holds_alternative<node_hello>(message) ||
      std::holds_alternative<node_welcome>(message)) {
    heard_nonsense(id, "it said hello twice", now, out);
    return false;
  }
  if (const auto* list = std::get_if<node_list>(&message)) {
    learn(*list, now);
    call_missing(now, out);
  } else if (std::holds_alternative<node_leaving>(message)) {
    leaving_.insert(l.hello.node);
  } else if (const auto* beat = std::get_if<heartbeat>(&message)) {
    out.emplace_back(say{id, heartbeat_answer{beat->sent_us}});
  } else if (const auto* answer = std::get_if<heartbeat_answer>(&message)) {
    auto sent = time_point{std::chrono::microseconds{answer->sent_us}};
    if (sent <= now && now - sent <= options_.heartbeat_timeout)
      l.round_trip = std::chrono::duration_cast<micros>(now - sent);
  }
  return true;
}

void membership::stirred(link_id id, time_point now) {
  if (auto found = links_.find(id); found != links_.end() && found->second.at == stage::up)
    found->second.heard_at = now;
}

void membership::greet(link_id id, link& l, const node_hello& hello, time_point now, effects& out) {
  l.hello = hello;
  if (hello.node == options_.node && hello.incarnation == options_.incarnation) {
    if (auto at = targets_.find(l.target); at != targets_.end())
      at->second.self = true;
    drop(id, "it is this node itself", now, out);
    out.emplace_back(hang_up{id});
    return;
  }
  if (auto wrong = objection(l, hello))
    return refuse(id, *wrong, now, out);
  if (!l.hello.address.empty() && l.hello.address.front() == ':')
    l.hello.address = host_of(l.remote) + l.hello.address;
  if (auto at = targets_.find(l.target); at != targets_.end()) {
    at->second.node = hello.node;
    at->second.self = false;
  }
  l.at = stage::settling;
  if (options_.node < hello.node)
    decide(id, l, now, out);
}

std::optional<node_refusal> membership::objection(const link& l, const node_hello& hello) const {
  if (hello.magic != node_hello{}.magic)
    return node_refusal{"protocol", "it is no node of rolecall"};
  if (hello.protocol != cluster_protocol)
    return node_refusal{"incompatible_version",
                        "node \"" + options_.node.str() + "\" (rolecall " + options_.version +
                            ") speaks version " + std::to_string(cluster_protocol) +
                            " of the protocol, node \"" + hello.node.str() + "\" (rolecall " +
                            hello.version + ") version " + std::to_string(hello.protocol)};
  if (hello.cluster != options_.cluster)
    return node_refusal{"other_cluster", "node \"" + options_.node.str() +
                                             "\" is of the cluster \"" + options_.cluster +
                                             "\", node \"" + hello.node.str() + "\" of \"" +
                                             hello.cluster + "\" (cluster.name)"};
  if (hello.node.empty() || hello.node.str().size() > 64)
    return node_refusal{"invalid_name", "a node's name has 1 to 64 characters"};
  const auto& names = l.certificate_names;
  if (options_.check_names &&
      std::find(names.begin(), names.end(), hello.node.str()) == names.end())
    return node_refusal{
        "wrong_certificate",
        "the certificate of \"" + hello.node.str() + "\" is for " +
            (names.empty() ? "nobody" : "\"" + names.front() + "\"") +
            ": a node's certificate names it (subjectAltName DNS:" + hello.node.str() + ")"};
  if (hello.node == options_.node)
    return node_refusal{"name_taken", "the name \"" + hello.node.str() +
                                          "\" belongs to two nodes: give each its own (node.name)"};
  if (!up_.contains(hello.node) && up_.size() >= options_.max_nodes)
    return node_refusal{"too_many", "the cluster has as many nodes as it may have"};
  return std::nullopt;
}

/// The node with the smaller name decides between two connections with the same node.
void membership::decide(link_id id, link& l, time_point now, effects& out) {
  if (auto known = other_link(id)) {
    const auto& k = links_.at(*known);
    if (k.hello.incarnation == l.hello.incarnation) {
      // It has called while it was called; later, it calls because it has lost the link.
      if (now - k.since < options_.hello_timeout)
        return refuse(id, duplicate(), now, out);
    } else if (now - k.heard_at < 2 * options_.heartbeat_interval) {
      return refuse(id,
                    {"name_taken", "a node \"" + l.hello.node.str() + "\" is here already, from " +
                                       k.remote + ": give each its own name (node.name)"},
                    now, out);
    }
    drop(*known, "it has called again", now, out);
    out.emplace_back(hang_up{*known});
  }
  l.at = stage::welcoming;
  out.emplace_back(trust{id});
  out.emplace_back(say{id, node_welcome{}});
}

/// Another connection with the same node that is up, or about to be.
std::optional<membership::link_id> membership::other_link(link_id id) const {
  const auto& node = links_.at(id).hello.node;
  for (const auto& [other, l] : links_)
    if (other != id && l.hello.node == node && (l.at == stage::up || l.at == stage::welcoming))
      return other;
  return std::nullopt;
}

void membership::bring_up(link_id id, link& l, time_point now, effects& out) {
  if (auto known = other_link(id)) {
    drop(*known, "it has another link", now, out);
    out.emplace_back(hang_up{*known});
  }
  l.at = stage::up;
  l.since = now;
  leaving_.erase(l.hello.node);
  up_[l.hello.node] = id;
  ++connects_[l.hello.node];
  if (auto at = targets_.find(l.target); at != targets_.end()) {
    at->second.failures = 0;
    at->second.problem.clear();
    at->second.refused = false;
  }
  // What was refused may be told again after it has worked.
  std::erase_if(told_, [&](const auto& text) { return text.rfind(host_of(l.remote), 0) == 0; });
  std::erase_if(told_order_, [&](const auto& text) { return !told_.contains(text); });
  out.emplace_back(note{false, "node_joined", l.hello.node.str(), l.remote, ""});
  out.emplace_back(came_up{id, l.hello.node});
  learn({{{l.hello.node, l.hello.address}}}, now);
  auto everybody = known_nodes();
  for (const auto& [node, link] : up_)
    out.emplace_back(say{link, everybody});
  if (quitting_)
    out.emplace_back(say{id, node_leaving{}});
}

void membership::refuse(link_id id, const node_refusal& why, time_point now, effects& out) {
  const auto& l = links_.at(id);
  auto quiet = why.code == duplicate().code;
  if (!quiet) {
    ++refused_;
    if (first_time(host_of(l.remote) + why.message))
      out.emplace_back(note{true, "node_refused", l.hello.node.str(), l.remote, why.message});
    if (!l.target.empty())
      target_failed(l.target, why.message, true, now, out);
  }
  out.emplace_back(say{id, why});
  out.emplace_back(hang_up{id});
  drop(id, why.message, now, out);
}

void membership::heard_nonsense(link_id id, const std::string& what, time_point now, effects& out) {
  if (links_.contains(id))
    refuse(id, {"protocol", what}, now, out);
}

void membership::turned_away(const std::string& remote, const std::string& why, time_point,
                             effects& out) {
  ++refused_;
  // Figures in it, of noise for example, make no other reason of it.
  auto kind = why;
  std::erase_if(kind, [](char c) { return c >= '0' && c <= '9'; });
  if (first_time(host_of(remote) + kind))
    out.emplace_back(note{true, "node_refused", "", remote, why});
}

void membership::closed(link_id id, const std::string& why, time_point now, effects& out) {
  auto found = links_.find(id);
  if (found == links_.end())
    return;
  const auto& l = found->second;
  if (l.at != stage::up) {
    if (l.target.empty())
      turned_away(l.remote, why.empty() ? "it hung up before it said who it is" : why, now, out);
    else
      target_failed(l.target, why, false, now, out);
  }
  drop(id, why.empty() ? "it hung up" : why, now, out);
}

/// Forgets a connection; whoever calls this has it closed.
void membership::drop(link_id id, const std::string& why, time_point now, effects& out) {
  auto found = links_.extract(id);
  if (found.empty())
    return;
  const auto& l = found.mapped();
  if (auto at = targets_.find(l.target); at != targets_.end() && at->second.link == id) {
    at->second.link.reset();
    std::uniform_int_distribution<millis::rep> wait{0, options_.reconnect_backoff.count()};
    at->second.next_try = std::max(at->second.next_try, now + millis{wait(chance_)});
  }
  if (l.at != stage::up)
    return;
  up_.erase(l.hello.node);
  auto expected = leaving_.erase(l.hello.node) > 0;
  out.emplace_back(
      note{!expected, expected ? "node_left" : "node_lost", l.hello.node.str(), l.remote, why});
  out.emplace_back(went_down{id, l.hello.node, why, expected});
  // It can be called where it said, if not where it called from.
  if (auto at = targets_.find(l.hello.address); at != targets_.end())
    at->second.failing_since = now;
}

// -- time
// --------------------------------------------------------------------------------------------

void membership::tick(time_point now, effects& out) {
  std::vector<link_id> silent;
  for (const auto& [id, l] : links_)
    if (l.at == stage::up ? now - l.heard_at > options_.heartbeat_timeout
                          : l.at != stage::dialing && now - l.since > options_.hello_timeout)
      silent.push_back(id);
  for (auto id : silent) {
    closed(id,
           "there was no word from it for " +
               std::to_string((links_.at(id).at == stage::up ? options_.heartbeat_timeout
                                                             : options_.hello_timeout)
                                  .count()) +
               " ms",
           now, out);
    out.emplace_back(hang_up{id});
  }
  std::erase_if(targets_, [&](const auto& entry) {
    const auto& t = entry.second;
    return !t.configured && !t.link && !up_.contains(t.node) &&
           now - t.failing_since > options_.forget_after;
  });
  call_missing(now, out);
}

void membership::leave(effects& out) {
  quitting_ = true;
  for (const auto& [node, link] : up_)
    out.emplace_back(say{link, node_leaving{}});
}

void membership::hang_up_all(effects& out) {
  quitting_ = true;
  for (const auto& [id, l] : links_)
    out.emplace_back(hang_up{id});
}

} // namespace rolecall
