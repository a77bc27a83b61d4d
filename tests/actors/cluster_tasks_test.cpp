// The front of all nodes' tasks, with the test as the links to the others.
#include "actors/cluster/cluster_tasks_actor.hpp"
#include "tests/support/chain_fixture.hpp"

#include <catch2/catch.hpp>

using namespace rolecall;
using namespace rolecall::tests;

namespace {

const task_id own{"own"};
const task_id far{"far"};

/// Node "a" with a task of its own; "b" has another one, and what is asked of others is written
/// down.
struct cluster_tasks_fixture : chain_fixture {
  cluster_tasks_fixture() {
    auto others = [](peer_nodes_actor::pointer,
                     cluster_tasks_fixture* test) -> peer_nodes_actor::behavior_type {
      return {
          [test](atom::list) { return test->nodes; },
          [test](const peer_question& question) {
            test->asked.push_back(question);
            return peer_reply{question.node == node_name{"b"} ? answer_of_b(question.question)
                                                              : test->answer_of_others};
          },
      };
    };
    auto links = keep(system.spawn(others, this));
    tasks = keep(system.spawn(cluster_tasks, tasks_actor{coord}, links, node_name{"a"}));
    submit({make_task(own.str())});
  }

  static node_reply answer_of_b(const node_question& question) {
    task_detail task;
    task.record.edit().id = far;
    task.record.edit().state = task_state::working;
    task.record.edit().submitted_at = unix_time{1};
    task.record.edit().number = 1;
    if (const auto* words = std::get_if<describe_tasks>(&question)) {
      auto knows = std::count(words->tasks.begin(), words->tasks.end(), far) > 0;
      return knows ? std::vector{task} : std::vector<task_detail>{};
    }
    if (std::holds_alternative<task_query>(question))
      return task_page{{*task.record}};
    if (std::holds_alternative<cancel_tasks>(question))
      return cancel_count{1};
    return failure{ec::unknown_task, "there is no such task"};
  }

  std::vector<task_detail> describe(std::vector<task_id> ids) {
    return ask<std::vector<task_detail>>(tasks, atom::describe_v, std::move(ids));
  }

  peer_nodes nodes{{node_name{"b"}}, {}};
  node_reply answer_of_others{failure{ec::timeout, "no answer"}};
  std::vector<peer_question> asked;
  tasks_actor tasks;
};

} // namespace

TEST_CASE_METHOD(cluster_tasks_fixture, "others are asked only for what this node does not have") {
  CHECK(ask<task_record>(tasks, atom::get_v, own).home.empty());
  CHECK(asked.empty());
  auto found = describe({own, far});
  REQUIRE(found.size() == 2);
  CHECK(found[1].record->home == node_name{"b"});
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].question == node_question{describe_tasks{{far}}});
}

TEST_CASE_METHOD(cluster_tasks_fixture, "a task that all nodes say they do not have is unknown") {
  ask<task_record>(tasks, atom::get_v, task_id{"nobody's"});
  CHECK(last_error == ec::unknown_task);
  ask<task_record>(tasks, atom::cancel_v, task_id{"nobody's"});
  CHECK(last_error == ec::unknown_task);
}

TEST_CASE_METHOD(cluster_tasks_fixture,
                 "a task is not called unknown as long as a node that may have it says nothing") {
  SECTION("it has no link") {
    nodes.lost = {"c"};
  }
  SECTION("it does not answer") {
    nodes.linked.emplace_back("c");
  }
  SECTION("it is about to end") {
    nodes.linked.emplace_back("c");
    answer_of_others = failure{ec::shutting_down, "the node ends"};
  }
  const task_id id{"somebody's"};
  auto told = [&] {
    return last_error == ec::node_unreachable &&
           to_failure(last_error).message.find("may be at c,") != std::string::npos;
  };
  ask<task_record>(tasks, atom::get_v, id);
  CHECK(told());
  ask<task_record>(tasks, atom::cancel_v, id);
  CHECK(told());
  ask<task_detail>(tasks, atom::retry_v, id, task_id{"again"});
  CHECK(told());
  describe({own, id});
  CHECK(told());
  CHECK(describe({own, far}).size() == 2); // all that was asked for is found
}

TEST_CASE_METHOD(
    cluster_tasks_fixture,
    "a node that has just started calls no task unknown: others may not be found yet") {
  nodes.settled = false;
  ask<task_record>(tasks, atom::get_v, task_id{"somebody's"});
  CHECK(last_error == ec::node_unreachable);
  CHECK_THAT(to_failure(last_error).message, Catch::Contains("has just started"));
  CHECK(ask<task_record>(tasks, atom::get_v, far).home == node_name{"b"});
}

TEST_CASE_METHOD(cluster_tasks_fixture,
                 "an answer about many tasks names the nodes that it lacks") {
  auto page = ask<task_page>(tasks, atom::list_v, task_query{});
  CHECK(page.tasks.size() == 2);
  CHECK(page.unreachable.empty());
  nodes.lost = {"127.0.0.1:7600"};
  nodes.linked.emplace_back("c");
  page = ask<task_page>(tasks, atom::list_v, task_query{});
  CHECK(page.tasks.size() == 2);
  CHECK(page.unreachable == std::vector<std::string>{"127.0.0.1:7600", "c"});
  auto canceled = ask<cancel_count>(tasks, atom::cancel_v, task_query{});
  CHECK(canceled == cancel_count{2, {"127.0.0.1:7600", "c"}});
}
