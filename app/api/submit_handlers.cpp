#include "app/api/handlers.hpp"

#include "app/random_id.hpp"
#include "messages/json_codec.hpp"
#include "messages/json_writer.hpp"

#include <caf/send.hpp>

#include <set>
#include <unordered_map>

namespace rolecall::api {

namespace {

/// What a body asks for: one task or several.
struct submission {
  std::vector<task_spec> tasks;
  bool one{false};
};

void read_list(const nlohmann::json& list, const std::string& pointer, submission& into,
               std::vector<problem>& problems) {
  if (list.empty())
    problems.push_back({pointer, "is empty: there is nothing to run"});
  for (std::size_t i = 0; i < list.size() && !is_full(problems); ++i)
    if (auto task = read_task(list[i], pointer + "/" + std::to_string(i), problems))
      into.tasks.push_back(std::move(*task));
}

submission read_submission(const nlohmann::json& body, std::vector<problem>& problems) {
  submission result;
  if (body.is_array()) {
    read_list(body, "", result, problems);
  } else if (body.is_object() && body.contains("tasks")) {
    object_reader object{body, "", problems};
    if (const auto* tasks = object.array("tasks"))
      read_list(*tasks, "/tasks", result, problems);
    object.finish();
  } else {
    result.one = true;
    if (auto task = read_task(body, "", problems))
      result.tasks.push_back(std::move(*task));
  }
  return result;
}

/// {"tasks":[view...],"known":[id...]}; without `known` if none was.
std::string views(const std::vector<task_detail>& tasks, const std::vector<task_id>& known) {
  std::string text;
  object_writer out{text};
  array_writer list{out.add_key("tasks")};
  for (const auto& task : tasks)
    list.add() += task_view(task);
  list.end();
  if (!known.empty()) {
    array_writer ids{out.add_key("known")};
    for (const auto& id : known)
      append_json(ids.add(), id.str());
    ids.end();
  }
  out.end();
  return text;
}

/// In the order that was asked for; those that are forgotten already are left out.
std::vector<task_detail> in_order(std::vector<task_detail> found, const std::vector<task_id>& ids) {
  std::unordered_map<task_id, task_detail*> by_id;
  for (auto& task : found)
    by_id[task.record->id] = &task;
  std::vector<task_detail> result;
  for (const auto& id : ids)
    if (auto each = by_id.find(id); each != by_id.end())
      result.push_back(std::move(*each->second));
  return result;
}

void answer_with_tasks(api_self self, api_state::waiting_call what) {
  constexpr millis patience{60'000}; // they have been accepted: an error would be a lie
  auto give_up = refuser(self, what.request);
  self->request(self->state.peers.tasks, patience, atom::describe_v, what.tasks)
      .then(
          [self, what = std::move(what)](std::vector<task_detail>& found) {
            auto tasks = in_order(std::move(found), what.tasks);
            if (what.one && tasks.empty())
              return refuse(self, what.request,
                            {"unknown_task", "the task is over and has been forgotten", {}, {}});
            auto response = json_text_response(what.status, what.one ? task_view(tasks.front())
                                                                     : views(tasks, what.known));
            if (what.one && what.status == 201)
              response.headers.push_back(
                  {"Location", "/v1/tasks/" + net::encode_path_segment(what.tasks.front().str())});
            reply(self, what.request, std::move(response));
          },
          std::move(give_up));
}

/// Waits for those tasks of a request that have not ended; those that were known may have.
void wait_for_open(api_self self, const api_state::waiting_call& what,
                   const std::vector<task_id>& known, millis wait) {
  self->request(self->state.peers.tasks, answer_timeout, atom::describe_v, known)
      .then(
          [self, what, wait](const std::vector<task_detail>& found) {
            std::set<task_id> over;
            for (const auto& task : found)
              if (is_terminal(task.record->state))
                over.insert(task.record->id);
            std::vector<task_id> open;
            for (const auto& id : what.tasks)
              if (!over.contains(id))
                open.push_back(id);
            wait_for_tasks(self, what, open, wait);
          },
          refuser(self, what.request));
}

/// The header Idempotency-Key is the id of the one task that comes without one.
std::optional<problem_details> take_key(const call_ptr& request, submission& submission) {
  auto key = net::find_header(request->exchange->headers(), "idempotency-key");
  if (!key)
    return std::nullopt;
  auto wrong = [](std::string why) {
    return problem_details{
        "invalid_task", "the header Idempotency-Key " + why, {{"Idempotency-Key", why}}, {}};
  };
  if (!submission.one)
    return wrong("is for one task; give each of several a task_id");
  if (auto why = name_problem(*key, 256))
    return wrong(*why);
  auto& id = submission.tasks.front().id;
  if (!id.empty() && id.str() != *key)
    return wrong("differs from the task_id; leave one of them out");
  id = task_id{std::string{*key}};
  return std::nullopt;
}

} // namespace

millis read_wait(query_reader& query) {
  constexpr millis most{600'000};
  return query.duration("wait", most).value_or(millis{0});
}

void submit_tasks(api_self self, const call_ptr& request) {
  if (self->state.draining)
    return refuse(self, request,
                  {"shutting_down", "the node is shutting down, and takes no new tasks", {}, {}});
  auto type = media_type(request->exchange->headers());
  if (type == "application/x-ndjson")
    return take_in_tasks(self, request);
  if (type != "application/json")
    return refuse(self, request,
                  {"unsupported_media_type",
                   "tasks come as application/json (one, or an array) or as application/x-ndjson "
                   "(one a line), not as " +
                       (type.empty() ? "a body without a type" : type),
                   {},
                   {}});
  auto wait = read_wait(request->query);
  if (refuse_wrong_query(self, request))
    return;
  std::vector<problem> problems;
  auto body =
      parse_body(request->exchange->body(),
                 {self->state.settings.node.api.max_body_bytes, max_payload_depth}, problems);
  if (!body)
    return refuse(self, request, {"invalid_body", "the body is not JSON", std::move(problems), {}});
  auto submission = read_submission(*body, problems);
  if (wait > millis{0} && submission.tasks.size() > self->state.settings.max_waited_tasks)
    problems.push_back({"wait", "is for at most " +
                                    std::to_string(self->state.settings.max_waited_tasks) +
                                    " tasks (execution.retain_tasks): those that have ended are "
                                    "not kept for longer"});
  if (!problems.empty())
    return refuse(self, request,
                  {"invalid_task",
                   "the body has " + count_of(problems.size(), "problem"),
                   std::move(problems),
                   {}});
  if (auto wrong = take_key(request, submission))
    return refuse(self, request, *wrong);
  auto trace = traceparent(request->exchange->headers());
  std::vector<task_id> ids;
  for (auto& task : submission.tasks) {
    if (task.id.empty())
      task.id = task_id{"task-" + random_hex(16)};
    task.traceparent = trace;
    ids.push_back(task.id);
  }
  api_state::waiting_call what{request, std::move(ids), 201, submission.one};
  // Called once.
  auto accepted = [self, what = std::move(what), wait](const std::vector<task_id>& known) mutable {
    what.known = known;
    if (known.size() == what.tasks.size())
      what.status = 200;
    if (wait == millis{0})
      return answer_with_tasks(self, std::move(what));
    if (!known.empty())
      return wait_for_open(self, what, known, wait);
    auto open = what.tasks;
    wait_for_tasks(self, std::move(what), open, wait);
  };
  submit(self, std::move(submission.tasks), std::move(accepted),
         [self, request](const problem_details& why) { refuse(self, request, why); });
}

void submit(api_self self, std::vector<task_spec> tasks,
            std::function<void(const std::vector<task_id>&)> accepted,
            std::function<void(const problem_details&)> refused) {
  constexpr millis patience{60'000}; // without an answer nobody knows what was accepted
  ++self->state.submits;
  auto ended = [self] {
    --self->state.submits;
    check_drained(self);
  };
  self->request(self->state.peers.tasks, patience, atom::submit_v, std::move(tasks))
      .then(
          [accepted = std::move(accepted), ended](const submit_result& result) {
            accepted(result.known);
            ended();
          },
          [refused = std::move(refused), ended](caf::error& error) {
            refused(to_problem(error));
            ended();
          });
}

void wait_for_tasks(api_self self, api_state::waiting_call what, const std::vector<task_id>& open,
                    millis limit) {
  auto& state = self->state;
  auto operation = state.next_operation++;
  what.request->exchange->on_disconnect([me = caf::actor_cast<api_actor>(self), operation] {
    caf::anon_send(me, client_gone{operation});
  });
  state.waiting_calls.emplace(operation, std::move(what));
  state.waits.add(operation, open, now(self) + limit);
  state.timer.arm(self, state.waits.next_due(), atom::wake_v);
}

void answer_waiting(api_self self, std::uint64_t operation) {
  auto found = self->state.waiting_calls.extract(operation);
  if (!found.empty())
    answer_with_tasks(self, std::move(found.mapped()));
}

} // namespace rolecall::api
