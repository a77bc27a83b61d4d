// GET /v1/tasks/ID/why, when the router has no explanation.
#include "app/api/api_actor.hpp"
#include "tests/app/api/request_stub.hpp"
#include "tests/support/actor_fixture.hpp"

#include <caf/event_based_actor.hpp>
#include <catch2/catch.hpp>

using namespace rolecall;
using namespace rolecall::tests;

namespace {

struct why_request : request_stub {
  explicit why_request(std::optional<net::http_response>& into)
      : request_stub{{{"Host", "127.0.0.1"}}}, answer{into} {}

  const std::string& path() const override { return target; }
  void respond(net::http_response response) override { answer = std::move(response); }

  std::string target{"/v1/tasks/t/why"};
  std::optional<net::http_response>& answer;
};

/// The API with peers that know one task, "t", which waits; the router refuses to explain it.
struct explain_fixture : actor_fixture {
  net::http_response why(ec refusal) {
    // They have arguments: CAF 0.17 looks at those of an actor without any all the same.
    auto router = keep(system.spawn(
        [](caf::event_based_actor*, ec why) -> caf::behavior {
          return {[why](atom::explain, const task_id&) -> caf::result<wait_explanation> {
            return caf::make_error(why);
          }};
        },
        refusal));
    auto coordinator = keep(system.spawn(
        [](caf::event_based_actor*, const task_id& known) -> caf::behavior {
          return {[](atom::subscribe, const task_listener_actor&, std::uint32_t) {},
                  [known](atom::describe, const std::vector<task_id>&) {
                    task_detail task;
                    task.record.edit().id = known;
                    return std::vector<task_detail>{task};
                  }};
        },
        task_id{"t"}));
    api::api_peers peers;
    peers.registry = keep(system.spawn(registry, registry_options{}));
    peers.router = caf::actor_cast<router_actor>(router);
    peers.tasks = caf::actor_cast<coordinator_actor>(coordinator);
    api::api_settings settings;
    settings.tokens = std::make_shared<shared_tokens>(token_set{});
    auto node = keep(system.spawn(api::api, peers, settings));
    std::optional<net::http_response> answer;
    self->send(node, api::http_call{std::make_shared<why_request>(answer)});
    run();
    REQUIRE(answer);
    return *answer;
  }
};

} // namespace

TEST_CASE_METHOD(explain_fixture,
                 "a task that the router does not know waits for its next attempt") {
  auto answer = why(ec::unknown_task);
  CHECK(answer.status == 200);
  CHECK(nlohmann::json::parse(answer.body)["reason"] == "backing_off");
}

TEST_CASE_METHOD(explain_fixture, "a router that cannot say why a task waits is not guessed for") {
  auto answer = why(ec::shutting_down);
  CHECK(answer.status == 503);
  CHECK(nlohmann::json::parse(answer.body)["code"] == "shutting_down");
}
