#include "actors/router/waiting_line.hpp"

namespace rolecall {

void waiting_line::push(placement_request request) {
  remove(request.task);
  rank where{request.priority, request.age};
  ranks_[request.task] = where;
  ++skill_sets_[request.skills];
  requests_[where] = std::move(request);
}

bool waiting_line::remove(const task_id& task) {
  auto found = ranks_.find(task);
  if (found == ranks_.end())
    return false;
  auto request = requests_.find(found->second);
  auto skills = skill_sets_.find(request->second.skills);
  if (--skills->second == 0)
    skill_sets_.erase(skills);
  requests_.erase(request);
  ranks_.erase(found);
  return true;
}

const placement_request*
waiting_line::first(const std::function<bool(const placement_request&)>& fits) const {
  std::set<std::vector<std::string>> hopeless;
  for (const auto& [where, request] : requests_) {
    if (request.avoid.empty() && hopeless.contains(request.skills))
      continue;
    if (fits(request))
      return &request;
    if (request.avoid.empty()) {
      hopeless.insert(request.skills);
      if (request.skills.empty())
        return nullptr; // nobody has a free slot at all
    }
  }
  return nullptr;
}

std::optional<waiting_line::place> waiting_line::find(const task_id& task) const {
  auto found = ranks_.find(task);
  if (found == ranks_.end())
    return std::nullopt;
  auto request = requests_.find(found->second);
  return place{&request->second, requests_.order_of_key(found->second) + 1};
}

void waiting_line::for_each(const std::function<void(const placement_request&)>& visit) const {
  for (const auto& [where, request] : requests_)
    visit(request);
}

} // namespace rolecall
