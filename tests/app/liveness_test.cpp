// Whether a node that hangs in one of its parts is noticed.
#include "app/liveness.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/response_promise.hpp>
#include <catch2/catch.hpp>

using namespace rolecall;

namespace {

enum class part { answers, timed_out, silent };

/// Three actors of which each answers, or says what a requester hears when its time has run out, or
/// says nothing at all.
struct watched_node {
  struct system_config : caf::actor_system_config {
    system_config() { add_messages(*this); }
  };

  template <class Answer, class... Words>
  caf::actor spawned(part does) {
    // With an argument: CAF 0.17 looks at those of an actor without any all the same.
    return system.spawn(
        [](caf::event_based_actor* self, part what) -> caf::behavior {
          return {[self, what](Words...) -> caf::result<Answer> {
            if (what == part::answers)
              return Answer{};
            if (what == part::timed_out)
              return caf::make_error(caf::sec::request_timeout);
            return self->make_response_promise(); // kept by nobody: it is never answered
          }};
        },
        does);
  }

  std::optional<std::string> silent_when(part router_does, part coordinator_does, part api_does,
                                         millis patience) {
    caf::scoped_actor self{system};
    auto router = spawned<std::vector<agent_key>, atom::idle, role_name, millis>(router_does);
    auto coordinator =
        spawned<std::vector<task_detail>, atom::describe, std::vector<task_id>>(coordinator_does);
    auto api = spawned<std::uint64_t, atom::status>(api_does);
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

constexpr millis patient{60'000}; // longer than any machine needs to answer

} // namespace

TEST_CASE("the watchdog hears of a router, a coordinator, or an API that answers no more") {
  watched_node node;
  auto ok = part::answers;
  auto gone = part::timed_out;
  CHECK_FALSE(node.silent_when(ok, ok, ok, patient));
  CHECK(node.silent_when(gone, ok, ok, patient) == "router");
  CHECK(node.silent_when(ok, gone, ok, patient) == "coordinator");
  CHECK(node.silent_when(ok, ok, gone, patient) == "api");
}

TEST_CASE("the watchdog waits no longer for an answer than its patience") {
  watched_node node;
  CHECK(node.silent_when(part::silent, part::silent, part::silent, millis{1}));
}
