#pragma once

#include "app/api/api_actor.hpp"

#include <functional>

/// The handlers of all requests, and what they share. Used by the API actor only.
namespace rolecall::api {

/// How long other actors may take.
constexpr millis answer_timeout{10'000};

unix_time wall(api_self self);
/// "starting", "ready" or "draining".
std::string node_state(const api_state& state, const fleet_status& fleet);
/// Lets the node end if that is what it waits for, and nothing is left to do.
void check_drained(api_self self);
/// Has the coordinator take tasks on. Exactly one of the two is called, `accepted` with those of
/// them that were there already.
void submit(api_self self, std::vector<task_spec> tasks,
            std::function<void(const std::vector<task_id>&)> accepted,
            std::function<void(const problem_details&)> refused);
/// Sends the answer; the last thing that is done for a request.
void reply(api_self self, const call_ptr& request, net::http_response response);
void refuse(api_self self, const call_ptr& request, const problem_details& why);
/// Answers with all problems of the query, if it has any; gives whether it had.
bool refuse_wrong_query(api_self self, const call_ptr& request);
/// Answers a request with what another actor's error means.
std::function<void(caf::error&)> refuser(api_self self, const call_ptr& request);
/// Asks another node, and goes on with what it said: a failure too.
void ask_node(api_self self, const node_name& node, node_question question,
              std::function<void(const node_reply&)> next);
/// The limit of `?wait=`; zero if there is none.
millis read_wait(query_reader& query);
/// Answers once these tasks have ended; `open` are those that have not.
void wait_for_tasks(api_self self, api_state::waiting_call what, const std::vector<task_id>& open,
                    millis limit);
void answer_waiting(api_self self, std::uint64_t operation);
/// Goes on with the streams of tasks that wait for room.
void go_on_with_intakes(api_self self);
void on_intake_part(api_self self, std::uint64_t operation, const net::body_piece& piece);
void go_on_with_intake(api_self self, std::uint64_t operation);

// -- task_handlers.cpp
void list_tasks(api_self self, const call_ptr& request);
void get_task(api_self self, const call_ptr& request);
void wait_for_remote(api_self self, const call_ptr& request, time_point until);
void cancel_task(api_self self, const call_ptr& request);
void cancel_tasks(api_self self, const call_ptr& request);
void retry_task(api_self self, const call_ptr& request);
void explain_task(api_self self, const call_ptr& request);
// -- submit_handlers.cpp, intake_handlers.cpp
void submit_tasks(api_self self, const call_ptr& request);
void take_in_tasks(api_self self, const call_ptr& request);
// -- event_handlers.cpp
void follow_task(api_self self, const call_ptr& request);
void follow_all(api_self self, const call_ptr& request);
// -- fleet_handlers.cpp
void list_agents(api_self self, const call_ptr& request);
void get_agent(api_self self, const call_ptr& request);
void spawn_agent(api_self self, const call_ptr& request);
void drain_agent(api_self self, const call_ptr& request);
void list_roles(api_self self, const call_ptr& request);
void list_nodes(api_self self, const call_ptr& request);
// -- figures_handlers.cpp
void show_stats(api_self self, const call_ptr& request);
void show_metrics(api_self self, const call_ptr& request);
void show_health(api_self self, const call_ptr& request);
void show_readiness(api_self self, const call_ptr& request);
// -- page_handlers.cpp
void show_openapi(api_self self, const call_ptr& request);
void show_errors(api_self self, const call_ptr& request);
void show_dashboard(api_self self, const call_ptr& request);
void show_asset(api_self self, const call_ptr& request);

} // namespace rolecall::api
