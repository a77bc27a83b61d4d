// Connections, frames and time: what the membership wants is carried out.
#include "actors/cluster/cluster_parts.hpp"

#include "messages/link_codec.hpp"
#include "net/http.hpp"

#include <tuple>

namespace rolecall {

namespace {

constexpr std::size_t max_stranger_frame_bytes = 4u << 10;
constexpr millis tick{50};

void start(cluster_self self, membership::link_id link,
           const std::shared_ptr<net::frame_stream>& stream) {
  self->state.connections[link] = {stream};
  auto me = caf::actor_cast<cluster_actor>(self);
  stream->start(
      [me, link](std::string content) {
        caf::anon_send(me, link_frame{link, std::move(content)});
      },
      [me, link](std::string why) {
        caf::anon_send(me, link_closed{link, std::move(why)});
      });
}

/// Forgets a connection, but for what went through it. Null if there is none.
std::shared_ptr<net::frame_stream> take_out(cluster_self self, membership::link_id link) {
  auto found = self->state.connections.extract(link);
  if (found.empty())
    return nullptr;
  const auto& [stream, received, node] = found.mapped();
  if (node) {
    auto& [sent_before, received_before] = self->state.traffic[*node];
    sent_before += stream->sent_bytes();
    received_before += stream->received_bytes();
  }
  return stream;
}

/// Carries out the effects of the membership.
struct carrier {
  cluster_self self;

  void operator()(const membership::dial& d) const {
    auto& state = self->state;
    auto me = caf::actor_cast<cluster_actor>(self);
    auto parsed = net::parse_url("http://" + d.address);
    const auto* address = std::get_if<net::url>(&parsed);
    if (!address) { // from a peer: what the configuration has is checked
      state.dials[d.link] = nullptr;
      self->send(self, link_dialed{d.link, nullptr, "\"" + d.address + "\" is no address"});
      return;
    }
    net::frame_dial_options options;
    options.host = address->host;
    options.port = address->port;
    options.tls = state.options.tls;
    options.frames = frame_options_of(state.options);
    options.timeout = state.options.connect_timeout;
    state.dials[d.link] = std::make_unique<net::frame_dial>(
        *state.context, options,
        [me, link = d.link](std::shared_ptr<net::frame_stream> stream, std::string why) {
          caf::anon_send(me, link_dialed{link, std::move(stream), std::move(why)});
        });
  }
  void operator()(const membership::say& s) const {
    if (auto found = self->state.connections.find(s.link); found != self->state.connections.end())
      found->second.stream->send(encode(s.message));
  }
  void operator()(const membership::trust& t) const {
    if (auto found = self->state.connections.find(t.link); found != self->state.connections.end())
      found->second.stream->set_max_frame_bytes(self->state.options.max_frame_bytes);
  }
  void operator()(const membership::hang_up& h) const {
    self->state.dials.erase(h.link);
    if (auto stream = take_out(self, h.link))
      stream->close();
  }
  void operator()(const membership::came_up& up) const {
    self->state.connections[up.link].node = up.node;
    on_up(self, up.node);
  }
  void operator()(const membership::went_down& down) const { on_down(self, down.node, down.why); }
  void operator()(const membership::note& note) const {
    if (self->state.options.log)
      self->state.options.log(note);
  }
};

void send_beats(cluster_self self) {
  auto& state = self->state;
  auto sent = std::chrono::duration_cast<micros>(now(self).time_since_epoch()).count();
  tell_all(self,
           heartbeat{static_cast<std::uint64_t>(sent), state.mirror.sequence(), state.figures});
  for (auto& [link, connection] : state.connections)
    if (auto received = connection.stream->received_bytes(); received != connection.received) {
      connection.received = received;
      state.membership->stirred(link, now(self));
    }
}

} // namespace

net::frame_options frame_options_of(const cluster_options& options) {
  net::frame_options result;
  result.max_frame_bytes = max_stranger_frame_bytes;
  result.max_queued_bytes = options.max_queued_bytes;
  return result;
}

void carry_out(cluster_self self, membership::effects effects) {
  for (const auto& effect : effects)
    std::visit(carrier{self}, effect);
  auto& state = self->state;
  auto due = now(self) + tick;
  if (state.next_share)
    due = std::min(due, *state.next_share);
  state.timer.arm(self, due, atom::wake_v);
}

bool tell(cluster_self self, const node_name& node, const link_message& message) {
  auto& state = self->state;
  auto link = state.membership->link_of(node);
  auto found = link ? state.connections.find(*link) : state.connections.end();
  if (found == state.connections.end())
    return false;
  auto text = encode(message);
  if (text.size() > state.options.max_frame_bytes)
    return false;
  found->second.stream->send(text);
  return true;
}

void tell_all(cluster_self self, const link_message& message) {
  auto text = encode(message);
  for (auto link : self->state.membership->up())
    if (auto found = self->state.connections.find(link); found != self->state.connections.end())
      found->second.stream->send(text);
}

void on_accepted(cluster_self self, const std::shared_ptr<net::frame_stream>& stream) {
  membership::effects out;
  auto link = self->state.membership->accepted(stream->remote(), stream->certificate_names(),
                                               now(self), out);
  start(self, link, stream);
  carry_out(self, std::move(out));
}

void on_dialed(cluster_self self, const link_dialed& news) {
  auto& state = self->state;
  membership::effects out;
  if (state.dials.erase(news.link) == 0 && news.stream)
    return; // it was given up in the meantime
  if (news.stream) {
    start(self, news.link, news.stream);
    state.membership->dialed(news.link, news.stream->remote(), news.stream->certificate_names(),
                             now(self), out);
  } else {
    state.membership->dial_failed(news.link, news.why, now(self), out);
  }
  carry_out(self, std::move(out));
}

void on_frame(cluster_self self, const link_frame& frame) {
  auto& state = self->state;
  auto found = state.connections.find(frame.link);
  if (found == state.connections.end())
    return;
  found->second.stream->consumed(frame.content.size());
  membership::effects out;
  auto message = decode(frame.content);
  if (!message) {
    state.membership->heard_nonsense(frame.link, "what came is no message of this protocol",
                                     now(self), out);
    return carry_out(self, std::move(out));
  }
  auto for_others = state.membership->heard(frame.link, *message, now(self), out);
  carry_out(self, std::move(out));
  if (const auto* node = for_others ? state.membership->node_of(frame.link) : nullptr)
    on_message(self, node_name{*node}, *message);
}

void on_closed(cluster_self self, const link_closed& news) {
  auto& state = self->state;
  take_out(self, news.link);
  membership::effects out;
  state.membership->closed(news.link, news.why, now(self), out);
  carry_out(self, std::move(out));
}

void on_wake(cluster_self self) {
  auto& state = self->state;
  state.timer.fired(now(self));
  if (now(self) >= state.next_beat) {
    send_beats(self);
    state.next_beat = now(self) + state.options.membership.heartbeat_interval;
  }
  if (state.next_share && now(self) >= *state.next_share)
    share_uses(self);
  lose(self, state.attempts.lose_overdue(now(self)));
  fail_overdue_questions(self);
  tell_offers(self);
  membership::effects out;
  state.membership->tick(now(self), out);
  carry_out(self, std::move(out));
}

cluster_status status_of(cluster_self self) {
  auto& state = self->state;
  cluster_status result;
  result.cluster = state.options.membership.cluster;
  result.address = state.options.membership.address;
  result.refused = state.membership->refused();
  for (auto& [link, status] : state.membership->status(now(self))) {
    if (auto known = state.nodes.find(status.node); known != state.nodes.end()) {
      status.figures = known->second.figures;
      status.lag = state.mirror.lag(status.node, known->second.sequence);
    }
    status.agents = state.mirror.agents_of(status.node);
    status.attempts = state.attempts.running_on(status.node);
    status.serving = state.attempts.served_for(status.node);
    if (auto before = state.traffic.find(status.node); before != state.traffic.end())
      std::tie(status.sent, status.received) = before->second;
    auto connection = link ? state.connections.find(*link) : state.connections.end();
    if (connection != state.connections.end()) {
      status.sent += connection->second.stream->sent_bytes();
      status.received += connection->second.stream->received_bytes();
      status.queued = connection->second.stream->queued_bytes();
    }
    result.links.push_back(std::move(status));
  }
  return result;
}

peer_nodes peers_of(cluster_self self) {
  const auto& state = self->state;
  peer_nodes result;
  std::set<std::string> lost;
  for (const auto& [link, status] : state.membership->status(now(self)))
    if (link)
      result.linked.push_back(status.node);
    else if (status.state != "refused") // whoever is no part of the cluster has nothing of it
      lost.insert(status.node.empty() ? status.address : status.node.str());
  for (const auto& [node, peer] : state.nodes)
    if (!peer.up && now(self) - peer.seen <= state.options.membership.forget_after)
      lost.insert(node.str());
  result.lost.assign(lost.begin(), lost.end());
  result.settled = now(self) - state.started > settling_time;
  return result;
}

} // namespace rolecall
