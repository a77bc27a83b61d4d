// Every message comes out of the wire as it went in.
#include "messages/interfaces.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>

#include <catch2/catch.hpp>

using namespace rolecall;

namespace {

struct config : caf::actor_system_config {
  config() { add_messages(*this); }
};

template <class T>
T through_the_wire(T value) {
  config cfg;
  caf::actor_system system{cfg};
  std::vector<char> buffer;
  caf::binary_serializer out{system, buffer};
  // As a message, so that its type id is used too.
  auto sent = caf::make_message(value);
  REQUIRE_FALSE(out(sent));
  caf::message received;
  caf::binary_deserializer in{system, buffer};
  REQUIRE_FALSE(in(received));
  REQUIRE(received.match_elements<T>());
  return received.get_as<T>(0);
}

const agent_key key{service_name{"local"}, agent_id{"reviewer-1"}};

agent_record agent() {
  agent_record x;
  x.key = key;
  x.role = role_name{"reviewer"};
  x.skills = {{"cpp", 0.9}, {"sql", 0.25}};
  x.max_concurrency = 4;
  x.state = agent_state::draining;
  x.service_url = "http://localhost:8052";
  x.revision = 42;
  return x;
}

failure error() {
  failure x{ec::agent_failed, "said \"no\""};
  x.code = "own_code";
  return x;
}

role_directory directory() {
  return {true, {{role_name{"reviewer"}, service_name{"local"}, {{"cpp", 1}}, 2, 1, 8}}};
}

} // namespace

TEST_CASE("ids and texts round-trip") {
  CHECK(through_the_wire(task_id{"t-1"}) == task_id{"t-1"});
  CHECK(through_the_wire(role_name{"reviewer"}) == role_name{"reviewer"});
  CHECK(through_the_wire(agent_id{"a"}) == agent_id{"a"});
  CHECK(through_the_wire(service_name{"s"}) == service_name{"s"});
  CHECK(through_the_wire(key) == key);
  CHECK(through_the_wire(json_text{R"({"a":[1,"ü"]})"}) == json_text{R"({"a":[1,"ü"]})"});
  CHECK(through_the_wire(json_text{}).empty());
  CHECK(through_the_wire(millis{1'234}) == millis{1'234});
  CHECK(through_the_wire(error()) == error());
}

TEST_CASE("what is said of agents round-trips") {
  CHECK(through_the_wire(agent()) == agent());
  auto unhealthy = agent();
  unhealthy.state = agent_state::unhealthy;
  unhealthy.problem = error();
  CHECK(through_the_wire(unhealthy) == unhealthy);
  health_report report{
      key, role_name{"r"}, check_result::failed, false, error(), millis{9}, millis{8}, true, true};
  CHECK(through_the_wire(report) == report);
  CHECK(through_the_wire(directory()) == directory());
  CHECK(through_the_wire(directory().offers[0]) == directory().offers[0]);
  service_status service{service_name{"local"}, "http://x", false, "refused", 3};
  CHECK(through_the_wire(service) == service);
  role_status role{role_name{"r"}, 3, 1, 2, error()};
  fleet_status fleet{{service}, directory(), {role}, 7, 2, 5};
  CHECK(through_the_wire(fleet) == fleet);
  agent_event event{17, agent_change::down, agent()};
  CHECK(through_the_wire(event) == event);
  agent_snapshot snapshot{16, {agent(), agent()}};
  CHECK(through_the_wire(snapshot) == snapshot);
  std::vector<agent_key> keys{key, key};
  CHECK(through_the_wire(keys) == keys);
  std::vector<agent_record> agents{agent()};
  CHECK(through_the_wire(agents) == agents);
  service_answer answer{service_name{"local"},
                        service_question::spawn,
                        9,
                        role_name{"r"},
                        agent_id{"a"},
                        3,
                        false,
                        error(),
                        true,
                        millis{2'000},
                        directory().offers,
                        {agent()}};
  CHECK(through_the_wire(answer) == answer);
}

TEST_CASE("what is said of tasks round-trips") {
  task_spec spec{task_id{"t"},
                 role_name{"r"},
                 json_text{"[1]"},
                 {"cpp"},
                 9,
                 millis{5},
                 2,
                 "ctx",
                 {{"tenant", "x"}},
                 "00-1-2-01",
                 task_id{"o"},
                 millis{7},
                 {millis{1}, millis{2}, {"timeout"}},
                 {task_id{"u"}},
                 dependency_policy::run};
  CHECK(through_the_wire(spec) == spec);
  task_record record{task_id{"t"},
                     role_name{"r"},
                     task_state::failed,
                     3,
                     key,
                     millis{10},
                     millis{20},
                     json_text{"1"},
                     error(),
                     17,
                     9,
                     {{"tenant", "x"}},
                     "ctx",
                     task_id{"o"},
                     unix_time{1},
                     unix_time{2},
                     unix_time{3},
                     "00-1-2-01",
                     "3",
                     unix_time{4},
                     task_id{"n"}};
  CHECK(through_the_wire(record) == record);
  std::vector<task_spec> specs{spec, spec};
  CHECK(through_the_wire(specs) == specs);
  std::vector<task_record> records{record};
  CHECK(through_the_wire(records) == records);
  std::vector<task_id> ids{task_id{"a"}, task_id{"b"}};
  CHECK(through_the_wire(ids) == ids);
  placement_request request{task_id{"t"}, 2, role_name{"r"}, {"cpp"}, 3, 99, {key}};
  CHECK(through_the_wire(request) == request);
  candidate_list candidates{
      {{key, true, true, "", 1, 2, 0.5, 1.5}, {key, false, false, "full", 2, 2, 1, 0}}, 7};
  CHECK(through_the_wire(candidates) == candidates);
  placement placed{task_id{"t"}, 2, agent(), candidates};
  CHECK(through_the_wire(placed) == placed);
  placement_refused refused{task_id{"t"}, 2, error()};
  CHECK(through_the_wire(refused) == refused);
  role_demand demand{role_name{"r"}, 5, 3, 1, 7.5, true, 99, 98, micros{7}};
  CHECK(through_the_wire(demand) == demand);
  role_unavailable unavailable{role_name{"r"}, error()};
  CHECK(through_the_wire(unavailable) == unavailable);
  attempt_request attempt{task_id{"t"},
                          2,
                          key,
                          4,
                          "http://x",
                          role_name{"r"},
                          json_text{"{}"},
                          "ctx",
                          json_text{"{}"},
                          millis{60'000},
                          millis{70'000},
                          "00-1-2-01"};
  attempt.health_check = true;
  CHECK(through_the_wire(attempt) == attempt);
  attempt_outcome outcome{task_id{"t"},
                          2,
                          key,
                          verdict::retryable,
                          json_text{"1"},
                          error(),
                          micros{77},
                          millis{500},
                          true,
                          receipt{"n", "http://x", 200, micros{5}, 6, 7, "aa", "bb"}};
  CHECK(through_the_wire(outcome) == outcome);
}

TEST_CASE("what is told of tasks and of routing to the outside round-trips") {
  candidate_list candidates{{{key, true, true, "", 1, 2, 0.5, 1.5}}, 7};
  attempt_record attempt{
      2, key, unix_time{5}, true, verdict::retryable, millis{6}, error(), "4", {}, 8, 9};
  CHECK(through_the_wire(attempt) == attempt);
  task_record record;
  record.id = task_id{"t"};
  record.labels = {{"a", "b"}};
  task_spec spec;
  spec.id = task_id{"t"};
  spec.input = json_text{"{}"};
  task_detail detail{record,    spec, millis{5},     3, {attempt}, candidates,
                     millis{9}, 2,    {task_id{"u"}}};
  CHECK(through_the_wire(detail) == detail);
  CHECK(through_the_wire(std::vector{detail, detail}) == std::vector{detail, detail});
  task_event event{99, unix_time{7}, record, {attempt}, true};
  CHECK(through_the_wire(event) == event);
  task_query query{role_name{"r"}, bit_of(task_state::failed), {{"a", ""}}, "ctx", 5, 10};
  CHECK(through_the_wire(query) == query);
  task_page page{{record}, 4};
  CHECK(through_the_wire(page) == page);
  wait_explanation why{wait_reason::parked, 2, 3, millis{4}, candidates};
  CHECK(through_the_wire(why) == why);
  agent_load load{agent(), 1, 2, 3, 0.4, 5.5, millis{6}, millis{7}, true, error(), millis{8}};
  load.checks_passed = 9;
  load.checks_failed = 10;
  load.check_error = error();
  load.next_check = millis{11};
  journal_append append{3, true, {{spec, record, {attempt}, 2, 1, 8, 9}}, {4, 5}, 7};
  CHECK(through_the_wire(append) == append);
  journal_news news{3, {2}, error()};
  CHECK(through_the_wire(news) == news);
  submit_result result{{task_id{"t"}}};
  CHECK(through_the_wire(result) == result);
  routing_status status{{load}, {{role_name{"r"}, 5, 3, 1}}, {{role_name{"r"}, 6, 7}}};
  CHECK(through_the_wire(status) == status);
}

TEST_CASE("every value of the error enum has a name of its own") {
  std::set<std::string> names;
  for (auto code = static_cast<int>(ec::invalid_task); code <= static_cast<int>(ec::storage_full);
       ++code)
    CHECK(names.insert(to_string(static_cast<ec>(code))).second);
  CHECK_FALSE(names.contains("unknown_error"));
  config cfg;
  caf::actor_system system{cfg};
  CHECK(system.render(caf::make_error(ec::unknown_role)).find("unknown_role") != std::string::npos);
}
