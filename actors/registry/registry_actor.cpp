#include "actors/registry/registry_actor.hpp"

#include "actors/lifecycle_actor.hpp"

#include <algorithm>

namespace rolecall {

namespace {

using self_pointer = registry_actor::stateful_pointer<registry_state>;

void publish(self_pointer self, const agent_event& event) {
  for (const auto& subscriber : self->state.subscribers)
    self->send(subscriber, event);
}

} // namespace

registry_actor::behavior_type registry(self_pointer self, registry_options options) {
  set_quiet_handlers(self);
  self->set_down_handler([self](const caf::down_msg& down) {
    auto& all = self->state.subscribers;
    std::erase_if(all, [&](const auto& subscriber) { return subscriber.address() == down.source; });
  });
  return {
      [self, options](atom::put, agent_record& record) -> caf::result<std::uint64_t> {
        if (!self->state.agents.find(record.key) && self->state.agents.size() >= options.max_agents)
          return caf::make_error(ec::queue_full);
        auto revision = record.revision;
        auto event = self->state.agents.put(std::move(record));
        if (!event)
          return caf::make_error(ec::stale_revision);
        publish(self, *event);
        return revision;
      },
      [self](atom::remove, const agent_key& key) {
        auto event = self->state.agents.remove(key);
        if (event)
          publish(self, *event);
        return event.has_value();
      },
      [self](atom::get, const agent_key& key) -> caf::result<agent_record> {
        if (const auto* record = self->state.agents.find(key))
          return *record;
        return caf::make_error(ec::unknown_agent);
      },
      [self](atom::list) { return self->state.agents.list(); },
      [self](atom::list, const role_name& role) { return self->state.agents.list(role); },
      [self](atom::subscribe, const agent_listener_actor& subscriber) {
        auto& all = self->state.subscribers;
        if (std::find(all.begin(), all.end(), subscriber) == all.end()) {
          self->monitor(subscriber);
          all.push_back(subscriber);
        }
        self->send(subscriber, self->state.agents.snapshot());
      },
  };
}

} // namespace rolecall
