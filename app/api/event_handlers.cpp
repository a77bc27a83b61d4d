#include "app/api/handlers.hpp"

#include "messages/json_codec.hpp"

#include <caf/send.hpp>

#include <charconv>

namespace rolecall::api {

namespace {

/// What a reader has seen last: from the header that browsers send, or from the query.
std::optional<std::uint64_t> read_last_event_id(const call_ptr& request) {
  auto in_query = request->query.text("last_event_id");
  auto header = net::find_header(request->exchange->headers(), "last-event-id");
  std::string text = header ? std::string{*header} : in_query.value_or("");
  if (text.empty())
    return std::nullopt;
  std::uint64_t number = 0;
  auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (wrong == std::errc{} && end == text.data() + text.size())
    return number;
  request->query.complain("last_event_id", "must be the id of an event");
  return std::nullopt;
}

/// Begins the stream, and has the reader forgotten when it goes. Gives its number.
std::uint64_t begin(api_self self, const call_ptr& request, const event_filter& filter, bool ends) {
  auto& state = self->state;
  net::http_response head{200,
                          {{"Content-Type", "text/event-stream"},
                           {"Cache-Control", "no-store"},
                           {"X-Content-Type-Options", "nosniff"}},
                          {}};
  for (auto& header : state.access->cors_headers(*request->exchange))
    head.headers.push_back(std::move(header));
  auto operation = state.next_operation++;
  auto stream = request->exchange->respond_streamed(std::move(head));
  if (!stream)
    return operation;
  request->exchange->on_disconnect([me = caf::actor_cast<api_actor>(self), operation] {
    caf::anon_send(me, client_gone{operation});
  });
  state.figures->answered("GET", request->route, 200, now(self) - request->started);
  state.readers->add(operation, std::move(stream), filter, ends);
  state.readers->write(
      operation, std::make_shared<const std::string>(
                     "retry: 1000\n" +
                     *sse(0, "hello",
                          dump(json{{"last_event_id", std::to_string(state.events->last_id())},
                                    {"node", state.settings.node.name}}))));
  return operation;
}

} // namespace

void follow_all(api_self self, const call_ptr& request) {
  event_filter filter;
  filter.tasks = read_task_filter(request->query);
  for (const auto& list : request->query.all("type"))
    for (const auto& type : split(list, ',')) {
      if (type != "task" && type != "agent")
        request->query.complain("type", "\"" + type + "\" is no type; there are task and agent");
      filter.types.insert(type);
    }
  auto seen = read_last_event_id(request);
  if (refuse_wrong_query(self, request))
    return;
  auto operation = begin(self, request, filter, false);
  if (seen)
    self->state.readers->catch_up(operation, *seen, *self->state.events);
}

void follow_task(api_self self, const call_ptr& request) {
  auto seen = read_last_event_id(request);
  if (refuse_wrong_query(self, request))
    return;
  task_id id{request->path[2]};
  self->request(self->state.peers.tasks, answer_timeout, atom::describe_v, std::vector<task_id>{id})
      .then(
          [self, request, id, seen](const std::vector<task_detail>& found) {
            if (found.empty())
              return refuse(self, request,
                            {"unknown_task", "there is no task \"" + id.str() + "\"", {}, {}});
            auto& state = self->state;
            event_filter filter;
            filter.task = id;
            const auto& record = *found.front().record;
            auto operation = begin(self, request, filter, true);
            if (seen)
              state.readers->catch_up(operation, *seen, *state.events);
            else
              state.readers->write(operation,
                                   sse(state.events->last_id(), "task", task_summary(record)));
            if (is_terminal(record.state))
              state.readers->finish(operation);
          },
          refuser(self, request));
}

} // namespace rolecall::api
