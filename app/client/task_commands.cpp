#include "app/client/task_commands.hpp"

#include "app/client/command.hpp"
#include "app/client/many_tasks.hpp"
#include "app/client/receipt_text.hpp"
#include "app/client/refusal.hpp"
#include "app/client/task_filter.hpp"
#include "app/client/task_text.hpp"
#include "app/terminal.hpp"
#include "messages/json_codec.hpp"

#include <optional>

namespace rolecall::client {

namespace {

struct ids_options : command_options {
  std::vector<std::string> ids;
};

struct get_options : ids_options {
  bool receipts{false};
};

struct list_options : command_options {
  task_filter filter;
  std::string context;
  std::size_t limit{100};
  bool all{false};
};

void add_ids(CLI::App& command, ids_options& options) {
  command.add_option("ID", options.ids, "Ids of tasks")->required();
}

int get_tasks(node_client& node, const get_options& options) {
  std::vector<json> views;
  auto code = for_each_id(options.ids, views,
                          [&](const std::string& id) { return node.get(task_path(id)); });
  if (options.receipts && !options.json) {
    for (const auto& view : views)
      std::fputs(receipts_text(view).c_str(), stdout);
    return code;
  }
  if (options.json || !leads_to_terminal(stdout)) {
    print_tasks(views, options.ids, options.json);
    return code;
  }
  for (const auto& view : views)
    std::fputs(task_details(view).c_str(), stdout);
  return code;
}

int explain_task(node_client& node, const ids_options& options) {
  auto why = node.get(task_path(options.ids.front(), "/why"));
  if (options.json) {
    print_json(why);
    return exit_codes::ok;
  }
  auto text = why_text(why);
  std::fputs((leads_to_terminal(stdout) ? text : without_colours(text)).c_str(), stdout);
  return exit_codes::ok;
}

int list_tasks(node_client& node, const list_options& options) {
  constexpr std::size_t page = 1'000; // the most that a node gives at once
  std::vector<json> tasks;
  std::string cursor;
  do {
    auto wanted = options.all ? page : std::min(page, options.limit - tasks.size());
    auto path = "/v1/tasks" +
                query_of({{"limit", std::to_string(wanted)},
                          {"context_id", options.context},
                          {"cursor", cursor}}) +
                options.filter.query("&");
    auto answer = node.get(path);
    const auto& found = array_in(answer, "tasks", "GET /v1/tasks", node);
    tasks.insert(tasks.end(), found.begin(), found.end());
    if (cursor.empty())
      tell_unreachable(answer);
    auto next = text(answer, "next_cursor");
    // A node that sends us round in circles would do so for ever.
    cursor = found.empty() || next == cursor ? "" : next;
  } while (!cursor.empty() && (options.all || tasks.size() < options.limit));
  if (options.json) {
    json result{{"tasks", tasks}};
    if (!cursor.empty())
      result["next_cursor"] = cursor;
    print_json(result);
    return exit_codes::ok;
  }
  print(task_table(tasks));
  if (!cursor.empty())
    tell("the newest " + std::to_string(tasks.size()) +
         " are listed, there are more: --limit N or --all lists them");
  return exit_codes::ok;
}

} // namespace

void add_task_commands(CLI::App& app, std::function<int()>& run) {
  add_command<get_options>(
      app, run, "get", "Shows tasks, with their inputs and outputs",
      [](CLI::App& command, get_options& options) {
        add_ids(command, options);
        command.add_flag("--receipts", options.receipts,
                         "Shows the receipt of each attempt: who asked whom, when, and hashes of "
                         "what was sent and answered");
      },
      get_tasks);
  add_command<list_options>(
      app, run, "list", "Lists tasks, the newest first",
      [](CLI::App& command, list_options& options) {
        options.filter.add_options(command);
        command.add_option("--context", options.context, "Only tasks of this context");
        auto* limit = command.add_option("--limit", options.limit, "The most tasks to list")
                          ->type_name("N")
                          ->check(CLI::Range(1, 10'000'000))
                          ->capture_default_str();
        command.add_flag("--all", options.all, "Lists all of them")->excludes(limit);
      },
      list_tasks);
  add_commands_for_many(app, run);
  add_command<ids_options>(
      app, run, "why", "Explains why a task went to its agent, or why it waits",
      [](CLI::App& command, ids_options& options) {
        command.add_option("ID", options.ids, "Id of the task")->required()->expected(1);
      },
      explain_task);
}

} // namespace rolecall::client
