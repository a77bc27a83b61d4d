#include "app/client/many_tasks.hpp"

#include "app/client/interrupts.hpp"
#include "app/client/refusal.hpp"
#include "app/client/retry_order.hpp"
#include "app/client/task_text.hpp"
#include "app/terminal.hpp"

#include <algorithm>
#include <cstdio>
#include <optional>

namespace rolecall::client {

namespace {

/// Names of tasks are either ids or a filter.
void check_choice(const chosen_tasks& options, bool by_filter, const std::string& how) {
  if (options.ids.empty() == !by_filter)
    throw wrong_input(by_filter ? "name tasks by their ids or by a filter, not by both"
                                : "name the tasks: " + how);
}

std::string in_words(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " task" : " tasks");
}

int cancel_tasks(node_client& node, const cancel_options& options) {
  if (options.all && options.has_filter())
    throw wrong_input("--all cancels every task; leave out the filter, or --all");
  check_choice(options, options.all || options.has_filter(),
               "by their ids, by --role, --state, --label or --context, or with --all");
  if (!options.ids.empty()) {
    std::vector<json> views;
    auto code = for_each_id(options.ids, views, [&](const std::string& id) {
      return node.post(task_path(id, "/cancel"));
    });
    print_tasks(views, options.ids, options.json);
    return code;
  }
  auto answer = options.all ? node.post_json("/v1/tasks/cancel", R"({"all":true})")
                            : node.post("/v1/tasks/cancel" + options.query("?"));
  auto canceled = number(answer, "canceled");
  if (!canceled || *canceled < 0)
    throw not_a_node("POST /v1/tasks/cancel", node.where(), "it does not say how many there were");
  if (options.json)
    print_json(answer);
  else
    std::printf("%s canceled\n", in_words(static_cast<std::size_t>(*canceled)).c_str());
  tell_unreachable(answer);
  return exit_codes::ok;
}

/// Retries one task, and gives the new one; none if interrupted. A node that is full is asked again
/// until it has room.
std::optional<json> retry_patiently(node_client& node, const std::string& id,
                                    const interrupts& stop) {
  constexpr unsigned too_many = 429;
  constexpr millis pause{1'000};
  while (!stop.happened()) {
    try {
      return node.post(task_path(id, "/retry"));
    } catch (const client_error& error) {
      if (error.status != too_many)
        throw;
    }
    auto until = std::chrono::steady_clock::now() + pause;
    while (!stop.happened() && std::chrono::steady_clock::now() < until)
      node.run_for(millis{50});
  }
  return std::nullopt;
}

/// The tasks that the filter lets through and that nobody has retried yet, the oldest first.
std::vector<retry_candidate> tasks_to_retry(node_client& node, const retry_options& options) {
  std::vector<retry_candidate> result;
  std::string cursor;
  do {
    auto answer = node.get("/v1/tasks" + query_of({{"limit", "1000"}, {"cursor", cursor}}) +
                           options.query("&"));
    for (const auto& view : array_in(answer, "tasks", "GET /v1/tasks", node)) {
      auto task = task_in(view, "GET /v1/tasks", node);
      if (text(view, "retried_as").empty())
        result.push_back({task.id.str(), task.error.code == "dependency_failed" ||
                                             task.state == task_state::canceled});
    }
    if (cursor.empty())
      tell_unreachable(answer);
    auto next = text(answer, "next_cursor");
    cursor = next == cursor ? "" : next; // a node may not send us round in circles
  } while (!cursor.empty());
  std::reverse(result.begin(), result.end());
  return result;
}

std::vector<std::string> dependencies_of(node_client& node, const std::string& id) {
  std::vector<std::string> result;
  json view;
  try {
    view = node.get(task_path(id));
  } catch (const client_error& error) {
    if (error.status == 0)
      throw;
    return result; // it has been forgotten by now: its retry will say so
  }
  if (auto found = view.find("depends_on"); found != view.end() && found->is_array())
    for (const auto& each : *found)
      if (each.is_string())
        result.push_back(each.get<std::string>());
  return result;
}

int retry_by_filter(node_client& node, const retry_options& options) {
  interrupts stop{node.context()};
  auto code = exit_codes::ok;
  std::size_t count = 0;
  auto retry = [&](const std::string& id) {
    try {
      auto made = retry_patiently(node, id, stop);
      if (!made)
        return false;
      auto fresh = task_in(*made, "POST /v1/tasks/{id}/retry", node).id.str();
      ++count;
      if (options.json)
        print_json_line({{"task_id", id}, {"retried_as", fresh}});
      else
        std::printf("%s -> %s\n", printable(id).c_str(), printable(fresh).c_str());
    } catch (const client_error& error) {
      if (error.status == 0)
        throw; // the node is gone: all the others would fail as well
      tell(id + ": " + error.what());
      code = exit_codes::failure;
    }
    return true;
  };
  auto needs = [&](const std::string& id) { return dependencies_of(node, id); };
  auto whole = causes_first(tasks_to_retry(node, options), needs, retry);
  std::fflush(stdout);
  tell(in_words(count) + " retried" +
       (whole ? "" : "; interrupted: the same command goes on with the others"));
  return whole ? code : exit_codes::interrupted;
}

int retry_tasks(node_client& node, retry_options options) {
  auto by_filter = options.failed || options.has_filter();
  check_choice(options, by_filter, "by their ids, or by --failed or --state, and more of a filter");
  if (by_filter) {
    if (options.failed == !options.filter.states.empty())
      throw wrong_input("say which tasks with either --failed, or --state failed, canceled or "
                        "rejected");
    if (options.failed)
      options.filter.states = "failed,rejected";
    for (const auto* state : {"submitted", "working", "completed"})
      if (options.filter.states.find(state) != std::string::npos)
        throw wrong_input(std::string{"--state: a task that is "} + state +
                          " cannot be retried; failed, canceled and rejected ones can");
    return retry_by_filter(node, options);
  }
  std::vector<json> views;
  auto code = for_each_id(options.ids, views, [&](const std::string& id) {
    return node.post(task_path(id, "/retry"));
  });
  print_tasks(views, options.ids, options.json);
  return code;
}

} // namespace

std::string chosen_tasks::query(const char* first) const {
  auto result = filter.query(first);
  if (!context.empty())
    result += (result.empty() ? first : "&") + ("context_id=" + net::encode_path_segment(context));
  return result;
}

void chosen_tasks::add_options(CLI::App& command) {
  command.add_option("ID", ids, "Ids of tasks");
  filter.add_options(command);
  command.add_option("--context", context, "Only tasks of this context");
}

int for_each_id(const std::vector<std::string>& ids, std::vector<json>& views,
                const std::function<json(const std::string&)>& ask) {
  auto code = exit_codes::ok;
  for (const auto& id : ids) {
    if (id.empty())
      throw wrong_input("an ID is empty");
    try {
      views.push_back(ask(id));
    } catch (const client_error& error) {
      if (ids.size() == 1)
        throw;
      tell(id + ": " + error.what());
      code = exit_codes::failure;
    }
  }
  return code;
}

void print_tasks(const std::vector<json>& views, const std::vector<std::string>& ids,
                 bool as_json) {
  if (as_json && ids.size() == 1 && views.size() == 1)
    return print_json(views.front());
  if (as_json)
    return print_json({{"tasks", views}});
  print(task_table(views));
}

void add_commands_for_many(CLI::App& app, std::function<int()>& run) {
  add_command<cancel_options>(
      app, run, "cancel", "Cancels tasks that have not ended, by their ids or by a filter",
      [](CLI::App& command, cancel_options& options) {
        options.add_options(command);
        command.add_flag("--all", options.all, "Cancels all tasks that have not ended");
      },
      cancel_tasks);
  add_command<retry_options>(
      app, run, "retry",
      "Submits tasks anew that failed, or were canceled or rejected, by their ids or, if that has "
      "not been done yet, by a filter",
      [](CLI::App& command, retry_options& options) {
        options.add_options(command);
        command.add_flag("--failed", options.failed, "Tasks that failed or were rejected");
      },
      retry_tasks);
}

} // namespace rolecall::client
