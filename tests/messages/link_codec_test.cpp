// What nodes say to each other comes out of a frame as it went in, and nothing else comes out.
#include "messages/link_codec.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <random>
#include <set>

using namespace rolecall;

namespace {

const agent_key key{service_name{"local"}, agent_id{"a-1"}, node_name{"b"}};

agent_record agent() {
  agent_record x;
  x.key = key;
  x.role = role_name{"reviewer"};
  x.skills = {{"cpp", 0.9}};
  x.max_concurrency = 4;
  x.revision = 42;
  return x;
}

task_detail task() {
  task_detail x;
  x.record.edit().id = task_id{"t-1"};
  x.record.edit().output = json_text{"{\"a\":1}"};
  x.record.edit().error = {ec::timeout, "late"};
  x.spec.edit().labels = {{"tenant", "acme"}};
  x.spec.edit().depends_on = {task_id{"t-0"}};
  x.history.push_back({1, key, unix_time{5}, true, verdict::retryable, millis{7}, {}, "ab"});
  x.candidates.edit().best.push_back({key, true, true, "note", 1, 2, 0.5, 3});
  return x;
}

attempt_request attempt() {
  attempt_request x;
  x.task = task_id{"t-1"};
  x.attempt = 2;
  x.agent = key;
  x.role = role_name{"reviewer"};
  x.input = json_text{std::string(100'000, ' ') + "1"};
  x.timeout = millis{300'000};
  return x;
}

std::vector<link_message> one_of_each() {
  attempt_outcome outcome;
  outcome.task = task_id{"t-1"};
  outcome.agent = key;
  outcome.output = json_text{"null"};
  outcome.receipt.edit().url = "http://localhost/";
  node_figures figures{
      "ready", unix_time{1}, 3, {{service_name{"local"}, "http://x", true, "", 2}}};
  wait_answer why;
  why.why.reason = wait_reason::at_limit;
  why.why.candidates = *task().candidates;
  std::vector<link_message> result{
      node_hello{"rolecall", 1, "0.1", "blue", node_name{"a"}, 7, "127.0.0.1:7481"},
      node_refusal{"other_cluster", "this is \"green\""},
      node_welcome{},
      node_leaving{},
      node_list{{{node_name{"c"}, "10.0.0.3:7481"}}},
      heartbeat{12, 3, figures},
      heartbeat_answer{12},
      agent_snapshot{9, {agent(), agent()}},
      agent_event{10, agent_change::changed, agent()},
      agents_wanted{},
      agent_uses{{{key, 3}}},
      role_directory{true, {{role_name{"r"}, service_name{"local"}, {{"x", 1}}, 2, 1, 8}}},
      role_demand{role_name{"r"}, 4, 3, 2},
      service_claims{{{"http://10.0.0.1:8052", 77}}},
      attempt(),
      attempt_cancel{task_id{"t-1"}, 2},
      outcome,
      role_unavailable{role_name{"r"}, {ec::no_agent, "none"}},
  };
  std::vector<node_question> questions{
      describe_tasks{{task_id{"t-1"}}}, task_query{role_name{"r"}, 3, {{"a", "b"}}, "c", 4, 5},
      cancel_tasks{{task_id{"t"}}, {}}, retry_task{task_id{"t"}, task_id{"u"}},
      explain_task{task_id{"t"}},       drain_agent{key},
      spawn_agent{role_name{"r"}},      fleet_wanted{},
  };
  for (const auto& question : questions)
    result.emplace_back(numbered_question{5, question});
  std::vector<node_reply> replies{
      failure{ec::unknown_task, "no"},
      std::vector{task()},
      task_page{{*task().record}, 3, {}, {"c"}},
      cancel_count{4, {"c"}},
      why,
      agent(),
      fleet_status{},
  };
  for (const auto& reply : replies)
    result.emplace_back(numbered_reply{6, reply});
  return result;
}

} // namespace

TEST_CASE("every message between nodes comes out of a frame as it went in") {
  auto all = one_of_each();
  std::set<std::size_t> kinds;
  for (const auto& message : all) {
    kinds.insert(message.index());
    auto received = decode(encode(message));
    REQUIRE(received);
    CHECK(*received == message);
  }
  CHECK(kinds.size() == std::variant_size_v<link_message>);
}

TEST_CASE("a message that was cut off or goes on for too long is none") {
  for (const auto& message : one_of_each()) {
    auto text = encode(message);
    for (std::size_t size = 0; size < std::min<std::size_t>(text.size(), 300); ++size)
      CHECK_FALSE(decode(text.substr(0, size)));
    CHECK_FALSE(decode(text + '\0'));
  }
}

TEST_CASE("an unknown kind of message is none") {
  CHECK_FALSE(decode(std::string{static_cast<char>(std::variant_size_v<link_message>)}));
  CHECK_FALSE(decode("\xff"));
  CHECK_FALSE(decode(""));
  numbered_question question{1, describe_tasks{}};
  auto text = encode(question);
  text[1 + sizeof(std::uint64_t)] = '\x77'; // the kind of the question
  CHECK_FALSE(decode(text));
}

TEST_CASE("values that no member can have are refused") {
  auto record = agent();
  record.state = static_cast<agent_state>(9);
  CHECK_FALSE(decode(encode(agent_event{1, agent_change::up, record})));
  CHECK_FALSE(decode(encode(agent_event{1, static_cast<agent_change>(3), agent()})));
  auto request = attempt();
  request.timeout = millis::max();
  CHECK_FALSE(decode(encode(request)));
  request.timeout = millis::min();
  CHECK_FALSE(decode(encode(request)));
  attempt_outcome outcome;
  outcome.verdict = static_cast<verdict>(200);
  CHECK_FALSE(decode(encode(outcome)));
  outcome.verdict = verdict::failed;
  outcome.error.kind = static_cast<ec>(250);
  CHECK_FALSE(decode(encode(outcome)));
}

TEST_CASE("noise and changed bytes never do more than give another message or none") {
  std::mt19937 chance{1};
  auto byte = [&] { return static_cast<char>(chance()); };
  for (auto i = 0; i < 2'000; ++i) {
    std::string noise(chance() % 200, ' ');
    std::generate(noise.begin(), noise.end(), byte);
    decode(noise);
  }
  for (const auto& message : one_of_each()) {
    const auto text = encode(message);
    for (auto i = 0; i < 200; ++i) {
      auto changed = text;
      changed[chance() % std::min<std::size_t>(changed.size(), 400)] = byte();
      decode(changed);
    }
  }
}
