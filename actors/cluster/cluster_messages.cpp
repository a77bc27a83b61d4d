// What nodes tell each other of their agents, and of what they need.
#include "actors/cluster/cluster_parts.hpp"

#include <algorithm>

namespace rolecall {

namespace {

constexpr std::size_t max_roles_of_peer = 10'000;
constexpr std::size_t max_services_of_peer = 1'000;

/// What all peers together want agents of a role for.
void tell_demand(cluster_self self, const role_name& role) {
  role_demand sum{role};
  for (const auto& [node, peer] : self->state.nodes)
    if (auto found = peer.demand.find(role); found != peer.demand.end()) {
      sum.waiting += found->second.waiting;
      sum.unmatched += found->second.unmatched;
    }
  self->send(self->state.peers.manager, peer_demand{sum});
}

/// The messages that nobody but the membership is to hear are not here.
struct receiver {
  cluster_self self;
  const node_name& from;

  cluster_state::peer& peer() const { return self->state.nodes[from]; }

  template <class Other>
  void operator()(Other&) const {}
  void operator()(heartbeat& beat) const {
    peer().figures = std::move(beat.figures);
    peer().sequence = beat.sequence;
  }
  void operator()(agent_snapshot& snapshot) const {
    apply(self, from, self->state.mirror.on_peer_snapshot(from, snapshot));
  }
  void operator()(agent_event& event) const {
    apply(self, from, self->state.mirror.on_peer_event(from, event));
  }
  void operator()(agents_wanted&) const { tell(self, from, self->state.mirror.own()); }
  void operator()(agent_uses& uses) const {
    std::erase_if(uses.agents, [&](const auto& use) { return use.agent.node != from; });
    self->send(self->state.peers.router, std::move(uses));
  }
  void operator()(role_directory& directory) const {
    if (directory.offers.size() > max_roles_of_peer)
      directory.offers.resize(max_roles_of_peer);
    peer().offers = std::move(directory);
    tell_offers(self);
  }
  void operator()(role_demand& demand) const {
    auto role = demand.role;
    if (demand.waiting == 0 && demand.unmatched == 0)
      peer().demand.erase(role);
    else if (peer().demand.size() < max_roles_of_peer)
      peer().demand[role] = std::move(demand);
    tell_demand(self, role);
  }
  /// Whoever else offers the role may still get agents for it.
  void operator()(role_unavailable& news) const {
    auto offers = [&](const std::vector<role_offer>& all) {
      return std::any_of(all.begin(), all.end(),
                         [&](const auto& offer) { return offer.role == news.role; });
    };
    auto elsewhere = offers(self->state.offers.offers);
    for (const auto& [node, other] : self->state.nodes)
      elsewhere = elsewhere || (node != from && other.up && offers(other.offers.offers));
    if (!elsewhere)
      self->send(self->state.peers.router, std::move(news));
  }
  void operator()(service_claims& said) const {
    if (said.claims.size() > max_services_of_peer)
      said.claims.resize(max_services_of_peer);
    peer().claims = std::move(said.claims);
    tell_holds(self);
  }
  void operator()(attempt_request& request) const { on_remote_request(self, from, request); }
  void operator()(attempt_cancel& what) const { on_remote_cancel(self, from, what); }
  void operator()(attempt_outcome& outcome) const { on_remote_outcome(self, from, outcome); }
  void operator()(numbered_question& question) const { on_question(self, from, question); }
  void operator()(numbered_reply& reply) const { on_reply(self, from, reply); }
};

} // namespace

void on_message(cluster_self self, const node_name& from, link_message& message) {
  std::visit(receiver{self, from}, message);
}

void on_up(cluster_self self, const node_name& node) {
  auto& state = self->state;
  auto& peer = state.nodes[node];
  peer.up = true;
  peer.seen = now(self);
  peer.demand.clear();
  state.attempts.forget_told(node);
  tell(self, node, state.mirror.own());
  tell(self, node, state.offers);
  service_claims claims;
  for (const auto& [service, claim] : state.options.claims)
    claims.claims.push_back(claim);
  tell(self, node, claims);
  tell(self, node, heartbeat{0, state.mirror.sequence(), state.figures});
  share_uses(self);
  tell_offers(self);
}

void on_down(cluster_self self, const node_name& node, const std::string& why) {
  auto& state = self->state;
  auto& peer = state.nodes[node];
  peer.up = false;
  peer.seen = now(self);
  peer.claims.clear();
  auto demand = std::exchange(peer.demand, {});
  for (const auto& [role, ignored] : demand)
    tell_demand(self, role);
  // Its agents go before the outcomes of what ran there: what is tried again must not go there.
  apply(self, node, state.mirror.on_peer_gone(node));
  for (const auto& [task, attempt] : state.attempts.abandon(node))
    self->send(state.peers.pool, atom::cancel_v, task, attempt);
  lose(self, state.attempts.lose(node, why));
  fail_questions(self, node, why);
  tell_holds(self);
  tell_offers(self);
  check_left(self);
}

void apply(cluster_self self, const node_name& from, const agent_mirror::changes& changes) {
  // No requests, as in the manager: there may be very many.
  for (const auto& record : changes.put)
    caf::anon_send(self->state.peers.registry, atom::put_v, record);
  for (const auto& key : changes.remove)
    caf::anon_send(self->state.peers.registry, atom::remove_v, key);
  if (changes.gap)
    tell(self, from, agents_wanted{});
}

void tell_offers(cluster_self self) {
  auto& state = self->state;
  const auto& options = state.options.membership;
  std::erase_if(state.nodes, [&](const auto& entry) {
    return !entry.second.up && now(self) - entry.second.seen > options.forget_after;
  });
  peer_offers offers;
  offers.complete = options.peers.empty() || now(self) - state.started > settling_time;
  for (const auto& [node, peer] : state.nodes) {
    offers.nodes.push_back({node, peer.up && !state.membership->leaving(node), peer.offers.offers});
    if (peer.up && !peer.offers.complete)
      offers.complete = false;
  }
  if (offers == state.offers_told)
    return;
  state.offers_told = offers;
  self->send(state.peers.router, std::move(offers));
}

/// The earliest claim counts, so that whoever comes later takes nothing away; the same on all
/// nodes.
void tell_holds(cluster_self self) {
  auto& state = self->state;
  service_holds holds;
  for (const auto& [service, claim] : state.options.claims) {
    auto best = std::pair{claim.since_us, state.options.membership.node};
    for (const auto& [node, peer] : state.nodes)
      for (const auto& other : peer.claims)
        if (peer.up && other.identity == claim.identity)
          best = std::min(best, std::pair{other.since_us, node});
    if (best.second != state.options.membership.node)
      holds.holders[service] = best.second;
  }
  if (holds == state.holds_told)
    return;
  state.holds_told = holds;
  self->send(state.peers.manager, std::move(holds));
}

void share_uses(cluster_self self) {
  auto& state = self->state;
  state.next_share.reset();
  for (auto link : state.membership->up())
    if (const auto* node = state.membership->node_of(link))
      if (auto news = state.attempts.news_for(*node); !news.empty())
        tell(self, *node, agent_uses{std::move(news)});
}

} // namespace rolecall
