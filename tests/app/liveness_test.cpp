// Whether a node that hangs in one of its parts is noticed.
#include "app/liveness.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/response_promise.hpp>
#include <catch2/catch.hpp>

using namespace rolecall;

namespace {

/// Three actors that answer, until one is told not to.
struct watched_node {
  struct system_config : caf::actor_system_config {
    system_config() { add_messages(*this); }
  };

  template <class Answer, class... Words>
  caf::actor part(bool answers) {
    // With an argument: CAF 0.17 looks at those of an actor without any all the same.
    return system.spawn(
        [](caf::event_based_actor* self, bool answers_too) -> caf::behavior {
          return {[self, answers_too](Words...) -> caf::result<Answer> {
            if (answers_too)
              return Answer{};
            return self->make_response_promise(); // kept by nobody: it is never answered
          }};
        },
        answers);
  }

  std::optional<std::string> silent_when(const std::string& stuck, millis patience) {
    caf::scoped_actor self{system};
    auto router = part<std::vector<agent_key>, atom::idle, role_name, millis>(stuck != "router");
    auto coordinator = part<std::vector<task_detail>, atom::describe, std::vector<task_id>>(
        stuck != "coordinator");
    auto api = part<std::uint64_t, atom::status>(stuck != "api");
    auto result = who_is_silent(self, caf::actor_cast<router_actor>(router),
                                caf::actor_cast<coordinator_actor>(coordinator),
                                caf::actor_cast<rolecall::api::api_actor>(api), patience);
    for (const auto& each : {router, coordinator, api})
      caf::anon_send_exit(each, caf::exit_reason::user_shutdown);
    return result;
  }

  system_config config;
  caf::actor_system system{config};
};

} // namespace

TEST_CASE("the watchdog hears of a router, a coordinator, or an API that answers no more") {
  watched_node node;
  CHECK_FALSE(node.silent_when("nobody", millis{10'000}));
  for (const std::string part : {"router", "coordinator", "api"})
    CHECK(node.silent_when(part, millis{20}) == part);
}
