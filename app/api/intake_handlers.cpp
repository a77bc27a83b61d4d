// Tasks that come as a stream of lines: read no faster than they are accepted and their answers are
// taken.
#include "app/api/handlers.hpp"

#include "app/random_id.hpp"

#include <caf/send.hpp>

namespace rolecall::api {

namespace {

/// Answers that a client may leave unread before its tasks are not read any more.
constexpr std::size_t max_unread_answers = 16u << 20;

std::shared_ptr<const std::string> shared(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

void read_on(api_self self, std::uint64_t operation, const api_state::intake& intake) {
  auto me = caf::actor_cast<api_actor>(self);
  intake.request->exchange->read_body([me, operation](net::body_piece piece) {
    caf::anon_send(me, body_part{operation, std::move(piece)});
  });
}

void write_answers(api_state::intake& intake) {
  if (auto text = intake.lines.take_output(); !text.empty())
    intake.stream->write(shared(std::move(text)));
}

/// All that has come is settled: asks for more, once the answers are taken, or ends.
void end_or_read_on(api_self self, std::uint64_t operation, api_state::intake& intake) {
  auto& state = self->state;
  if (intake.ended) {
    intake.stream->write(shared(intake.lines.summary()));
    intake.stream->finish();
    state.figures->answered("POST", intake.request->route, 200,
                            now(self) - intake.request->started);
    state.intakes.erase(operation);
    return;
  }
  if (intake.stream->backlog() <= max_unread_answers)
    return read_on(self, operation, intake);
  intake.stream->when_below(max_unread_answers / 2,
                            [me = caf::actor_cast<api_actor>(self), operation] {
                              caf::anon_send(me, backlog_gone{operation});
                            });
}

void on_refused(api_self self, std::uint64_t operation, const problem_details& why) {
  auto found = self->state.intakes.find(operation);
  if (found == self->state.intakes.end())
    return;
  found->second->waiting = !found->second->lines.refused(why);
  if (!found->second->waiting)
    return go_on_with_intake(self, operation);
  constexpr millis pause{50}; // room comes when tasks end
  self->state.timer.arm(self, now(self) + pause, atom::wake_v);
}

} // namespace

void take_in_tasks(api_self self, const call_ptr& request) {
  auto& state = self->state;
  if (request->query.text("wait"))
    request->query.complain("wait", "is not for a stream; follow /v1/events instead");
  if (refuse_wrong_query(self, request))
    return;
  ndjson_intake::options options;
  options.max_line_bytes = state.settings.node.api.max_body_bytes;
  options.traceparent = traceparent(request->exchange->headers());
  options.make_id = [] { return "task-" + random_hex(16); };
  net::http_response head{200, {{"Content-Type", "application/x-ndjson"}}, {}};
  for (auto& header : state.access->cors_headers(*request->exchange))
    head.headers.push_back(std::move(header));
  auto stream = request->exchange->respond_streamed(std::move(head));
  if (!stream)
    return;
  auto operation = state.next_operation++;
  auto intake = std::make_unique<api_state::intake>(
      api_state::intake{request, std::move(stream), ndjson_intake{std::move(options)}});
  request->exchange->on_disconnect([me = caf::actor_cast<api_actor>(self), operation] {
    caf::anon_send(me, client_gone{operation});
  });
  read_on(self, operation, *intake);
  state.intakes.emplace(operation, std::move(intake));
}

void on_intake_part(api_self self, std::uint64_t operation, const net::body_piece& piece) {
  auto found = self->state.intakes.find(operation);
  if (found == self->state.intakes.end())
    return;
  auto& intake = *found->second;
  using state = net::body_piece::state;
  if (piece.what == state::broken) {
    self->state.intakes.erase(found); // a batch that is with the coordinator may still be accepted
    return;
  }
  intake.lines.feed(piece.data);
  if (piece.what == state::timeout)
    intake.stream->write(shared(
        json{{"error", to_json(problem_details{"body_timeout", "the body took too long", {}, {}})}}
            .dump() +
        "\n"));
  intake.ended = piece.what != state::more;
  if (piece.what == state::end)
    intake.lines.end();
  go_on_with_intake(self, operation);
}

void go_on_with_intake(api_self self, std::uint64_t operation) {
  auto found = self->state.intakes.find(operation);
  if (found == self->state.intakes.end())
    return;
  auto& intake = *found->second;
  auto batch = intake.lines.batch();
  if (self->state.draining && !batch.empty()) {
    intake.lines.refuse_batch({"shutting_down", "the node is shutting down", {}, {}});
    return go_on_with_intake(self, operation);
  }
  write_answers(intake);
  if (batch.empty())
    return end_or_read_on(self, operation, intake);
  auto accepted = [self, operation](const std::vector<task_id>& known) {
    auto found = self->state.intakes.find(operation);
    if (found == self->state.intakes.end())
      return;
    found->second->lines.accepted({known.begin(), known.end()});
    go_on_with_intake(self, operation);
  };
  submit(self, std::move(batch), accepted,
         [self, operation](const problem_details& why) { on_refused(self, operation, why); });
}

void go_on_with_intakes(api_self self) {
  std::vector<std::uint64_t> waiting;
  for (auto& [operation, intake] : self->state.intakes)
    if (std::exchange(intake->waiting, false))
      waiting.push_back(operation);
  for (auto operation : waiting)
    go_on_with_intake(self, operation);
}

} // namespace rolecall::api
