#include "app/client/task_follower.hpp"

#include "app/client/refusal.hpp"
#include "app/client/task_json.hpp"

namespace rolecall::client {

namespace {

// After a question that got no answer while the events go on.
constexpr millis ask_again_after{1'000};

task_record lost_task(task_record task) {
  task.state = task_state::failed;
  task.error.code = to_string(ec::unknown_task);
  task.error.message = "the node does not know this task";
  return task;
}

} // namespace

task_follower::task_follower(node_client& node, std::vector<task_record> known, bool patient,
                             listener tell)
    : node_{node},
      tell_{std::move(tell)},
      tasks_{std::move(known)},
      states_(tasks_.size(), question::none),
      again_{node.context()},
      self_{std::make_shared<task_follower*>(this)},
      stream_{node,
              "/v1/events?type=task",
              patient,
              {[this](const server_event& event) { on_event(event); }, [this] { on_connected(); },
               [this](const std::string& why) { on_lost(why); }}} {
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    places_[tasks_[i].id] = i;
    open_ += is_terminal(tasks_[i].state) ? 0 : 1;
  }
}

task_follower::~task_follower() {
  *self_ = nullptr;
}

const std::optional<client_error>& task_follower::failure() const noexcept {
  return failure_ ? failure_ : stream_.failure();
}

void task_follower::on_connected() {
  if (std::exchange(away_, false))
    tell_.note("the node at " + node_.where() + " is back");
  ask_for_open();
}

void task_follower::on_lost(const std::string& why) {
  away_ = true;
  tell_.note("lost the node: " + why + "; trying again until it is back");
}

void task_follower::on_event(const server_event& event) {
  if (event.type == "gap")
    return ask_for_open();
  auto summary = json::parse(event.data, nullptr, false);
  auto record = read_task_view(summary);
  auto place = record ? places_.find(record->id) : places_.end();
  if (place == places_.end() || is_terminal(tasks_[place->second].state))
    return;
  if (is_terminal(record->state))
    ask_for(place->second); // for the output
  else
    take(place->second, std::move(*record), summary);
}

void task_follower::ask_for_open() {
  for (std::size_t i = 0; i < tasks_.size(); ++i)
    if (!is_terminal(tasks_[i].state))
      ask_for(i);
}

void task_follower::ask_for(std::size_t place) {
  auto& state = states_[place];
  if (state == question::none) {
    state = question::waits;
    questions_.push_back(place);
    pump();
  } else if (state == question::under_way) {
    state = question::under_way_and_again;
  }
}

void task_follower::pump() {
  while (asking_ < max_asking && !questions_.empty()) {
    auto place = questions_.front();
    questions_.pop_front();
    states_[place] = question::under_way;
    ++asking_;
    node_.start_get(task_path(tasks_[place].id.str()),
                    [self = self_, place](node_client::answer answer) {
                      if (*self)
                        (*self)->on_answer(place, std::move(answer));
                    });
  }
}

void task_follower::on_answer(std::size_t place, node_client::answer answer) {
  --asking_;
  auto again = std::exchange(states_[place], question::none) == question::under_way_and_again;
  if (const auto* error = std::get_if<client_error>(&answer)) {
    if (error->status == 404)
      take(place, lost_task(tasks_[place]), json::object());
    else if (error->status / 100 == 4 && error->status != 429)
      failure_ = *error; // a token that is not good any more, say
    else
      ask_again_later();
  } else {
    const auto& view = std::get<json>(answer);
    auto record = read_task_view(view);
    if (record && record->id == tasks_[place].id)
      take(place, std::move(*record), view);
    else
      failure_ = not_a_node("GET /v1/tasks/ID", node_.where(), "it is not the task asked for");
  }
  if (again && !is_terminal(tasks_[place].state))
    ask_for(place);
  pump();
}

void task_follower::take(std::size_t place, task_record record, const json& view) {
  auto& known = tasks_[place];
  // A question may be older than an event: the attempts of a task never become fewer.
  if (is_terminal(known.state) || record.attempts < known.attempts || record == known)
    return;
  known = std::move(record);
  open_ -= is_terminal(known.state) ? 1 : 0;
  tell_.changed(known, view);
}

void task_follower::ask_again_later() {
  if (std::exchange(waits_, true))
    return;
  again_.expires_after(ask_again_after);
  again_.async_wait([self = self_](auto error) {
    if (error || !*self)
      return;
    (*self)->waits_ = false;
    (*self)->ask_for_open();
  });
}

} // namespace rolecall::client
