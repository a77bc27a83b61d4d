#include "app/simulate/scaled_agents.hpp"

#include <algorithm>

namespace rolecall::lab {

namespace {

constexpr millis check_time{1};

template <class... Handlers>
struct overloaded : Handlers... {
  using Handlers::operator()...;
};
template <class... Handlers>
overloaded(Handlers...) -> overloaded<Handlers...>;

} // namespace

scaled_agents::scaled_agents(const scaling_model& model, const std::vector<agent_model>& roles,
                             routing_table& table, chance& random, on_spawn spawned)
    : model_{model},
      roles_{roles},
      table_{table},
      random_{random},
      spawned_{std::move(spawned)},
      fleet_{model.fleet} {
  table_.reset(registry_.snapshot(), start_of_time);
}

void scaled_agents::advance(time_point now) {
  while (next_due() <= now) {
    if (next_tick_ <= now) {
      next_tick_ = now + model_.fleet.tick;
      carry_out(fleet_.on_tick(now), now);
    }
    while (!questions_.empty() && questions_.begin()->first <= now) {
      auto due = std::move(questions_.begin()->second);
      questions_.erase(questions_.begin());
      auto answered = due.question.question == service_question::spawn
                          ? spawned(std::move(due.question), due.ordered, now)
                          : std::move(due.question);
      answer(std::move(answered), now);
    }
  }
}

void scaled_agents::pass_on(time_point now) {
  for (const auto& demand : table_.take_demand())
    carry_out(fleet_.on_demand(demand, now), now);
  for (const auto& key : table_.take_drained())
    carry_out(fleet_.on_drained(key), now);
  for (const auto& key : table_.take_suspects())
    carry_out(fleet_.on_suspect(key, now), now);
}

time_point scaled_agents::next_due() const {
  return questions_.empty() ? next_tick_ : std::min(next_tick_, questions_.begin()->first);
}

double scaled_agents::agent_seconds(time_point end) const {
  auto sum = ended_seconds_;
  for (const auto& [key, agent] : living_)
    sum += std::chrono::duration<double>{end - agent.second}.count();
  for (const auto& [at, due] : questions_)
    if (due.question.question == service_question::spawn)
      sum += std::chrono::duration<double>{end - due.ordered}.count();
  return sum;
}

void scaled_agents::carry_out(const fleet::effects& effects, time_point now) {
  for (const auto& effect : effects)
    std::visit(overloaded{[&](const fleet::put& e) { changed(registry_.put(e.record), now); },
                          [&](const fleet::remove& e) { changed(registry_.remove(e.key), now); },
                          [&](const fleet::ask_idle& e) {
                            carry_out(fleet_.on_idle(e.role, table_.idle(e.role, e.at_least, now)),
                                      now);
                          },
                          [&](const service_answer& question) { ask(question, now); },
                          [&](const role_directory& news) { table_.learn(news); },
                          [&](const role_unavailable& news) { table_.unavailable(news); }},
               effect);
}

void scaled_agents::changed(const std::optional<agent_event>& event, time_point now) {
  if (!event)
    return;
  table_.apply(*event, now);
  std::uint32_t ready = 0;
  for (const auto& record : registry_.list())
    ready += record.state == agent_state::ready ? 1 : 0;
  if (ready != ready_)
    steps_.push_back({seconds_of(now), ready});
  ready_ = ready;
}

void scaled_agents::ask(const service_answer& question, time_point now) {
  auto takes = question.question == service_question::spawn
                   ? at_seconds(model_.spawn_delay_s) - start_of_time
                   : clock::duration{check_time};
  questions_.emplace(now + takes, question_under_way{question, now});
}

/// Fills in what the service says, but for spawns, and gives it to the core.
void scaled_agents::answer(service_answer question, time_point now) {
  switch (question.question) {
  case service_question::health: question.ok = true; break;
  case service_question::roles:
    question.ok = true;
    for (const auto& role : roles_) {
      auto policy = model_.fleet.roles.find(role.role);
      auto wanted = policy == model_.fleet.roles.end() || policy->second.service.empty()
                        ? model_.fleet.services.front().name
                        : policy->second.service;
      if (wanted != question.service)
        continue;
      role_offer offer;
      offer.role = role.role;
      offer.service = question.service;
      offer.skills = role.skills;
      offer.max_concurrency = role.limit;
      offer.limit_declared = role.limit_declared;
      question.roles.push_back(std::move(offer));
    }
    break;
  case service_question::agents:
    question.ok = true;
    for (const auto& [key, agent] : living_)
      if (key.service == question.service)
        question.agents.push_back(agent.first);
    break;
  case service_question::retire:
    question.ok = true;
    if (auto gone = living_.find({question.service, question.agent}); gone != living_.end()) {
      ended_seconds_ += std::chrono::duration<double>{now - gone->second.second}.count();
      living_.erase(gone);
    }
    break;
  case service_question::spawn: break;
  }
  carry_out(fleet_.on_answer(question, now), now);
}

service_answer scaled_agents::spawned(service_answer question, time_point ordered, time_point now) {
  auto model = std::find_if(roles_.begin(), roles_.end(),
                            [&](const auto& role) { return role.role == question.role; });
  if (model == roles_.end() || !spawn_works(now)) {
    question.error = {ec::spawn_refused, "503 Service Unavailable"};
    return question;
  }
  agent_record record;
  record.key = {question.service, agent_id{"a" + std::to_string(next_id_++)}};
  record.role = question.role;
  record.skills = model->skills;
  record.max_concurrency = model->limit;
  record.limit_declared = model->limit_declared;
  living_.emplace(record.key, std::pair{record, ordered});
  most_ = std::max(most_, living_.size());
  spawned_(record, *model);
  question.ok = true;
  question.agents = {std::move(record)};
  return question;
}

bool scaled_agents::spawn_works(time_point now) {
  auto at = seconds_of(now);
  for (const auto& [from, to] : model_.outages)
    if (from <= at && at < to)
      return false;
  return model_.spawn_failures == 0 || random_.uniform() >= model_.spawn_failures;
}

} // namespace rolecall::lab
