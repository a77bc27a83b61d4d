#include "app/client/watch_command.hpp"

#include "app/client/command.hpp"
#include "app/client/event_text.hpp"
#include "app/client/interrupts.hpp"
#include "app/client/task_filter.hpp"
#include "app/client/task_follower.hpp"
#include "app/terminal.hpp"
#include "messages/json_codec.hpp"

#include <algorithm>
#include <cstdio>
#include <set>

namespace rolecall::client {

namespace {

struct watch_options : command_options {
  std::vector<std::string> ids;
  task_filter filter;
};

void print_event(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout); // whoever reads a pipe wants it now
}

/// Runs `node` until `ended` says so, a signal comes, or nobody reads any more.
template <class Ended>
void run_until(node_client& node, const interrupts& stop, Ended ended) {
  while (!stop.happened() && !ended() && !std::ferror(stdout))
    node.run_for(millis{200});
}

int watch_tasks(node_client& node, const watch_options& options) {
  interrupts stop{node.context()};
  std::vector<task_record> tasks;
  std::set<std::string> seen;
  for (const auto& id : options.ids) {
    if (id.empty())
      throw wrong_input("an ID is empty");
    if (seen.insert(id).second)
      tasks.emplace_back().id = task_id{id};
  }
  auto colours = leads_to_terminal(stdout);
  auto changed = [&](const task_record& task, const json& view) {
    if (options.json)
      print_json_line({{"type", "task"}, {"data", view.empty() ? to_json(task) : view}});
    else
      print_event(event_line(task, wall_clock(), colours));
  };
  task_follower follower{node, std::move(tasks), false, {changed, tell}};
  run_until(node, stop, [&] { return follower.open() == 0 || follower.failure(); });
  if (follower.failure())
    throw *follower.failure();
  if (stop.happened())
    return exit_codes::interrupted;
  auto completed = [](const auto& task) { return task.state == task_state::completed; };
  return std::all_of(follower.tasks().begin(), follower.tasks().end(), completed)
             ? exit_codes::ok
             : exit_codes::failure;
}

int watch_events(node_client& node, const watch_options& options) {
  interrupts stop{node.context()};
  auto colours = leads_to_terminal(stdout);
  auto away = false;
  event_stream stream{
      node,
      "/v1/events" + options.filter.query("?"),
      false,
      {[&](const server_event& event) {
         auto data = json::parse(event.data, nullptr, false);
         if (event.type == "gap")
           tell("events were missed: the node no longer has them");
         if (options.json)
           print_json_line({{"id", event.id}, {"type", event.type}, {"data", std::move(data)}});
         else if (auto line = event_line(event.type, data, wall_clock(), colours); !line.empty())
           print_event(line);
       },
       [&] {
         if (std::exchange(away, false))
           tell("the node at " + node.where() + " is back");
       },
       [&](const std::string& why) {
         away = true;
         tell("lost the node: " + why + "; trying again until it is back");
       }}};
  run_until(node, stop, [&] { return stream.failure().has_value(); });
  if (stream.failure())
    throw *stream.failure();
  return stop.happened() ? exit_codes::interrupted : exit_codes::ok;
}

} // namespace

void add_watch_command(CLI::App& app, std::function<int()>& run) {
  add_command<watch_options>(
      app, run, "watch", "Follows what happens at a node, a line for each event",
      [](CLI::App& command, watch_options& options) {
        auto* ids = command.add_option(
            "ID", options.ids,
            "Follows these tasks until they have ended (default: all that happens)");
        options.filter.add_options(command);
        for (const auto* name : {"--role", "--state", "--label"})
          ids->excludes(command.get_option(name));
      },
      [](node_client& node, const watch_options& options) {
        return options.ids.empty() ? watch_events(node, options) : watch_tasks(node, options);
      });
}

} // namespace rolecall::client
