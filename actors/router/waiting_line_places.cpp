// Who waits where: what can be asked of a waiting line, without a change to it.
#include "actors/router/waiting_line.hpp"

#include <algorithm>
#include <cmath>

namespace rolecall {

namespace {

constexpr std::size_t max_keys_looked_at = 4'096;

} // namespace

const placement_request& waiting_line::request_at(const location& where) const {
  const auto& its_class = classes_.at(where.key.first);
  const auto& in = where.in      ? where.in->requests
                   : where.aside ? its_class.aside
                                 : its_class.retries;
  return in.find(where.at)->second;
}

std::size_t waiting_line::position_of(const location& where) const {
  auto priority = where.key.first;
  std::size_t before = 0;
  for (const auto& [other, state] : classes_)
    if (other > priority)
      before += state.waiting;
  const auto& its_class = classes_.at(priority);
  if (!where.in && !where.aside)
    return before + its_class.retries.order_of_key(where.at) + 1;
  before += its_class.retries.size();
  if (where.aside)
    return before + its_class.aside.order_of_key(where.at) + 1;
  before += its_class.aside.size();
  const auto& own = *where.in->key;
  std::size_t of_own = 0;
  for (const auto* f : own.flows)
    of_own += f->requests.order_of_key(where.at);
  auto pass = own.pass + static_cast<double>(of_own) * own.stride;
  std::size_t of_others = 0;
  std::size_t looked_at = 0; // requests of others
  auto keys_left = max_keys_looked_at;
  auto key = keys_.lower_bound({priority, ""});
  for (; key != keys_.end() && key->first.first == priority && keys_left > 0; ++key, --keys_left) {
    const auto& other = key->second;
    if (&other == &own)
      continue;
    looked_at += other.waiting;
    if (other.waiting == 0 || other.pass > pass)
      continue;
    auto turns = std::floor((pass - other.pass) / other.stride + 1e-9) + 1;
    of_others += static_cast<std::size_t>(std::min(static_cast<double>(other.waiting), turns));
  }
  if (looked_at > 0) { // the rest is taken to be like these
    auto all = its_class.waiting - its_class.retries.size() - its_class.aside.size() - own.waiting;
    of_others = of_others * all / looked_at;
  }
  return before + of_others + of_own + 1;
}

std::optional<waiting_line::place> waiting_line::find(const task_id& task) const {
  auto found = where_.find(task);
  if (found == where_.end())
    return std::nullopt;
  return place{&request_at(found->second), position_of(found->second)};
}

void waiting_line::for_each(const std::function<void(const placement_request&)>& visit) const {
  for (const auto& [priority, state] : classes_)
    for (const auto* requests : {&state.retries, &state.aside})
      for (const auto& [at, request] : *requests)
        visit(request);
  for (const auto& [skills, line] : lines_)
    for (const auto& [key, f] : line.flows)
      for (const auto& [at, request] : f.requests)
        visit(request);
}

} // namespace rolecall
