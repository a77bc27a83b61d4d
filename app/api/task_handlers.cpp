#include "app/api/handlers.hpp"

#include "app/random_id.hpp"
#include "messages/json_codec.hpp"
#include "messages/json_writer.hpp"

#include <charconv>

namespace rolecall::api {

namespace {

problem_details no_such_task(const std::string& id) {
  return {"unknown_task",
          "there is no task \"" + id +
              "\"; tasks that are over are forgotten after a time "
              "(execution.retain_tasks, retain_bytes)",
          {},
          {}};
}

/// A page of tasks ends here: with a number, or in a cluster with "node:number,node:number".
std::string cursor_of(const task_page& page) {
  std::string result = page.next == 0 ? "" : std::to_string(page.next);
  for (const auto& [node, before] : page.positions)
    result += (result.empty() ? "" : ",") + net::encode_path_segment(node.str()) + ":" +
              std::to_string(before);
  return result;
}

void read_cursor(query_reader& query, task_query& into) {
  auto text = query.text("cursor");
  if (!text)
    return;
  auto number = [](std::string_view digits) -> std::uint64_t {
    std::uint64_t result = 0;
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), result);
    return error == std::errc{} && end == digits.data() + digits.size() ? result : 0;
  };
  auto good = true;
  for (const auto& part : split(*text, ',')) {
    auto colon = part.rfind(':');
    auto before = number(std::string_view{part}.substr(colon == std::string::npos ? 0 : colon + 1));
    auto node =
        colon == std::string::npos ? std::nullopt : net::decode_path_segment(part.substr(0, colon));
    good = good && before > 0 && (colon == std::string::npos || node);
    if (node)
      into.positions[node_name{*node}] = before;
    else
      into.before = before;
  }
  if (!good || (into.before > 0 && !into.positions.empty()))
    query.complain("cursor", "is not one that this node gave");
}

/// Asks for one task, and goes on with it if there is one.
template <class Next>
void with_task(api_self self, const call_ptr& request, Next next) {
  task_id id{request->path[2]};
  self->request(self->state.peers.tasks, answer_timeout, atom::describe_v, std::vector<task_id>{id})
      .then(
          [self, request, next](const std::vector<task_detail>& found) {
            if (found.empty())
              refuse(self, request, no_such_task(request->path[2]));
            else
              next(found.front());
          },
          refuser(self, request));
}

/// An action has no body and no options.
bool refuse_wrong_action(api_self self, const call_ptr& request) {
  if (refuse_wrong_query(self, request))
    return true;
  auto body = request->exchange->body();
  if (body.find_first_not_of(" \t\r\n") == std::string::npos || body == "{}")
    return false;
  refuse(self, request,
         {"invalid_body", "this request takes no body", {{"", "must be empty"}}, {}});
  return true;
}

} // namespace

void list_tasks(api_self self, const call_ptr& request) {
  auto query = read_task_filter(request->query);
  query.limit = static_cast<std::uint32_t>(request->query.integer("limit", 1, 1'000).value_or(100));
  read_cursor(request->query, query);
  if (refuse_wrong_query(self, request))
    return;
  self->request(self->state.peers.tasks, answer_timeout, atom::list_v, query)
      .then(
          [self, request](const task_page& page) {
            std::string text;
            object_writer body{text};
            array_writer tasks{body.add_key("tasks")};
            for (const auto& task : page.tasks)
              tasks.add() += task_summary(task);
            tasks.end();
            if (auto cursor = cursor_of(page); !cursor.empty())
              body.add("next_cursor", cursor);
            if (!page.unreachable.empty())
              body.add_json("unreachable", dump(json(page.unreachable)));
            body.end();
            reply(self, request, json_text_response(200, std::move(text)));
          },
          refuser(self, request));
}

/// A task that another node has: its end is not told here, so that node is asked again and again.
void wait_for_remote(api_self self, const call_ptr& request, time_point until) {
  with_task(self, request, [self, request, until](const task_detail& task) {
    constexpr millis between{200};
    if (is_terminal(task.record->state) || now(self) + between > until)
      return reply(self, request, json_text_response(200, task_view(task)));
    self->delayed_send(self, between, ask_again{request, until});
  });
}

void get_task(api_self self, const call_ptr& request) {
  auto wait = read_wait(request->query);
  if (refuse_wrong_query(self, request))
    return;
  with_task(self, request, [self, request, wait](const task_detail& task) {
    if (wait == millis{0} || is_terminal(task.record->state))
      return reply(self, request, json_text_response(200, task_view(task)));
    if (task.record->home.empty())
      wait_for_tasks(self, {request, {task.record->id}, 200, true}, {task.record->id}, wait);
    else
      wait_for_remote(self, request, now(self) + wait);
  });
}

void cancel_task(api_self self, const call_ptr& request) {
  if (refuse_wrong_action(self, request))
    return;
  self->request(self->state.peers.tasks, answer_timeout, atom::cancel_v, task_id{request->path[2]})
      .then(
          [self, request](const task_record& record) {
            if (record.state != task_state::canceled)
              return refuse(self, request,
                            {"task_terminal",
                             "the task is " + to_string(record.state) +
                                 " already: there is nothing to cancel",
                             {},
                             {}});
            with_task(self, request, [self, request](const task_detail& task) {
              reply(self, request, json_text_response(200, task_view(task)));
            });
          },
          [self, request](caf::error& error) {
            auto why = to_problem(error);
            refuse(self, request,
                   why.code == "unknown_task" ? no_such_task(request->path[2]) : why);
          });
}

void cancel_tasks(api_self self, const call_ptr& request) {
  auto answer = [self, request](const cancel_count& done) {
    json body{{"canceled", done.canceled}};
    if (!done.unreachable.empty())
      body["unreachable"] = done.unreachable;
    reply(self, request, json_response(200, body));
  };
  auto filter = read_task_filter(request->query);
  if (refuse_wrong_query(self, request))
    return;
  auto text = request->exchange->body();
  auto has_filter = filter != task_query{};
  auto has_body = text.find_first_not_of(" \t\r\n") != std::string::npos;
  std::vector<problem> problems;
  std::vector<task_id> ids;
  auto all = false;
  if (has_body) {
    if (auto body = parse_body(text, {self->state.settings.node.api.max_body_bytes, 8}, problems)) {
      object_reader object{*body, "", problems};
      for (auto& id : object.strings("task_ids", 100'000).value_or(std::vector<std::string>{}))
        ids.emplace_back(std::move(id));
      all = object.boolean("all").value_or(false);
      object.finish();
    }
  }
  if (problems.empty() && (has_filter ? 1 : 0) + (ids.empty() ? 0 : 1) + (all ? 1 : 0) != 1)
    problems.push_back({"",
                        "name the tasks: {\"task_ids\": [...]}, or {\"all\": true}, or a filter "
                        "in the query (role, state, label, context_id); one of the three"});
  if (!problems.empty())
    return refuse(
        self, request,
        {"invalid_body", "it is not said which tasks to cancel", std::move(problems), {}});
  auto& tasks = self->state.peers.tasks;
  if (ids.empty())
    self->request(tasks, answer_timeout, atom::cancel_v, filter)
        .then(answer, refuser(self, request));
  else
    self->request(tasks, answer_timeout, atom::cancel_v, ids).then(answer, refuser(self, request));
}

void retry_task(api_self self, const call_ptr& request) {
  if (refuse_wrong_action(self, request))
    return;
  if (self->state.draining)
    return refuse(self, request, {"shutting_down", "the node is shutting down", {}, {}});
  task_id fresh{"task-" + random_hex(16)};
  self->request(self->state.peers.tasks, answer_timeout, atom::retry_v, task_id{request->path[2]},
                fresh)
      .then(
          [self, request](const task_detail& task) {
            auto response = json_text_response(201, task_view(task));
            response.headers.push_back(
                {"Location", "/v1/tasks/" + net::encode_path_segment(task.record->id.str())});
            reply(self, request, std::move(response));
          },
          [self, request](caf::error& error) {
            auto why = to_problem(error);
            refuse(self, request,
                   why.code == "unknown_task" ? no_such_task(request->path[2]) : why);
          });
}

void explain_task(api_self self, const call_ptr& request) {
  if (refuse_wrong_query(self, request))
    return;
  with_task(self, request, [self, request](const task_detail& task) {
    auto answer = [self, request, task](const wait_explanation* waiting, const role_status* role) {
      reply(self, request, json_response(200, why_view(task, waiting, role)));
    };
    auto answer_with = [answer, role = task.spec->role](const wait_explanation& waiting,
                                                        const fleet_status& fleet) {
      const role_status* state = nullptr;
      for (const auto& each : fleet.role_states)
        if (each.role == role)
          state = &each;
      answer(&waiting, state);
    };
    if (task.record->state != task_state::submitted || task.blockers > 0)
      return answer(nullptr, nullptr);
    if (!task.record->home.empty())
      return ask_node(self, task.record->home, rolecall::explain_task{task.record->id},
                      [answer, answer_with](const node_reply& said) {
                        if (const auto* why = std::get_if<wait_answer>(&said))
                          answer_with(why->why, why->fleet);
                        else
                          answer(nullptr, nullptr);
                      });
    auto with_fleet = [self, answer, answer_with](const wait_explanation& waiting) {
      self->request(self->state.peers.manager, answer_timeout, atom::status_v)
          .then([answer_with, waiting](const fleet_status& fleet) { answer_with(waiting, fleet); },
                [answer, waiting](caf::error&) { answer(&waiting, nullptr); });
    };
    self->request(self->state.peers.router, answer_timeout, atom::explain_v, task.record->id)
        .then(with_fleet, [self, request, answer](caf::error& error) {
          if (error == ec::unknown_task) // it waits for nothing there: for its next attempt
            return answer(nullptr, nullptr);
          refuse(self, request, to_problem(error));
        });
  });
}

} // namespace rolecall::api
