#include "app/liveness.hpp"

namespace rolecall {

std::optional<std::string> who_is_silent(caf::scoped_actor& self, const router_actor& router,
                                         const coordinator_actor& coordinator,
                                         const api::api_actor& api, millis patience) {
  std::optional<std::string> result;
  auto silent = [&](const char* name) { return [&result, name](caf::error&) { result = name; }; };
  auto routed = self->request(router, patience, atom::idle_v, role_name{}, millis{0});
  auto described = self->request(coordinator, patience, atom::describe_v, std::vector<task_id>{});
  auto counted = self->request(api, patience, atom::status_v);
  routed.receive([](const std::vector<agent_key>&) {}, silent("router"));
  described.receive([](const std::vector<task_detail>&) {}, silent("coordinator"));
  counted.receive([](std::uint64_t) {}, silent("api"));
  return result;
}

} // namespace rolecall
