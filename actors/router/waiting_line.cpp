#include "actors/router/waiting_line.hpp"

#include <algorithm>
#include <utility>

namespace rolecall {

namespace {

constexpr std::size_t max_looked_at = 16;

} // namespace

void waiting_line::push(placement_request request) {
  remove(request.task);
  location where{{request.priority, request.fairness_key}, {request.age, ++pushes_}, nullptr};
  ++skill_sets_[request.skills];
  ++classes_[request.priority].waiting;
  auto task = request.task;
  recount(counts_.try_emplace(request.fairness_key).first, [](auto& key) { ++key.waiting; });
  join(where, std::move(request));
  where_.insert_or_assign(std::move(task), std::move(where));
}

/// Among those that are looked at.
void waiting_line::join(location& where, placement_request request) {
  auto& its_class = classes_[request.priority];
  where.aside = false;
  if (!request.avoid.empty()) {
    its_class.retries[where.at] = std::move(request);
    return;
  }
  auto& line = lines_[request.skills];
  auto& f = line.flows[where.key];
  auto& key = key_of(where.key);
  f.line = &line;
  f.key = &key;
  f.priority = request.priority;
  key.flows.insert(&f);
  if (key.waiting++ == 0)
    key.pass = std::max(key.pass, its_class.pass);
  f.requests[where.at] = std::move(request);
  order(f);
  where.in = &f;
}

placement_request waiting_line::leave(location& where) {
  if (!where.in) {
    auto& its_class = classes_.at(where.key.first);
    auto& from = where.aside ? its_class.aside : its_class.retries;
    auto request = std::move(from.find(where.at)->second);
    from.erase(where.at);
    return request;
  }
  auto& f = *std::exchange(where.in, nullptr);
  auto request = std::move(f.requests.find(where.at)->second);
  f.requests.erase(where.at);
  --f.key->waiting;
  order(f);
  if (f.requests.empty()) {
    f.key->flows.erase(&f);
    auto line = lines_.find(request.skills);
    line->second.flows.erase(where.key);
    if (line->second.flows.empty())
      lines_.erase(line);
  }
  return request;
}

bool waiting_line::remove(const task_id& task) {
  auto found = where_.find(task);
  if (found == where_.end())
    return false;
  auto where = std::move(found->second);
  where_.erase(found);
  auto key = counts_.find(where.key.second);
  recount(key, [](auto& count) { --count.waiting; });
  if (key->second.waiting == 0) {
    counts_.erase(key);
    held_.erase(where.key.second); // who comes next is looked at
  }
  auto request = leave(where);
  --classes_.at(where.key.first).waiting;
  auto count = skill_sets_.find(request.skills);
  if (--count->second == 0)
    skill_sets_.erase(count);
  return true;
}

void waiting_line::put_aside(const task_id& task) {
  auto& where = where_.at(task);
  auto request = leave(where);
  where.aside = true;
  classes_.at(where.key.first).aside[where.at] = std::move(request);
}

void waiting_line::bring_back(const task_id& task) {
  auto found = where_.find(task);
  if (found != where_.end() && found->second.aside)
    join(found->second, leave(found->second));
}

void waiting_line::clear() {
  lines_.clear();
  keys_.clear();
  classes_.clear();
  where_.clear();
  skill_sets_.clear();
  held_.clear();
  counts_.clear();
  beyond_limits_ = 0;
}

template <class Change>
void waiting_line::recount(std::unordered_map<std::string, key_count>::iterator of, Change change) {
  beyond_limits_ -= of->second.beyond();
  change(of->second);
  beyond_limits_ += of->second.beyond();
}

bool waiting_line::allow(const std::string& fairness_key, std::size_t count) {
  auto found = counts_.find(fairness_key);
  if (found == counts_.end())
    return false;
  auto before = beyond_limits_;
  recount(found, [&](auto& key) { key.allowed = count; });
  return beyond_limits_ != before;
}

waiting_line::key_state& waiting_line::key_of(const class_and_key& key) {
  if (keys_.size() > 64 && keys_.size() > 2 * where_.size())
    forget_idle_keys();
  auto [found, fresh] = keys_.try_emplace(key);
  if (fresh)
    found->second.stride = 1 / options_.weight_of(key.second);
  return found->second;
}

/// Those that have nothing left to pay.
void waiting_line::forget_idle_keys() {
  std::erase_if(keys_, [&](const auto& entry) {
    return entry.second.waiting == 0 && entry.second.pass <= classes_[entry.first.first].pass;
  });
}

/// Puts a flow where it belongs among those of its line.
void waiting_line::order(flow& f) {
  auto& lanes = f.line->ready;
  if (f.in_ready) {
    auto was_in = lanes.find(f.ready_lane);
    was_in->second.turns.erase(*f.in_ready);
    was_in->second.requests -= f.ready_requests;
    if (was_in->second.turns.empty())
      lanes.erase(was_in);
  }
  f.in_ready.reset();
  if (f.requests.empty())
    return;
  const auto& [at, head] = *f.requests.begin();
  if (held_.contains(head.fairness_key))
    return;
  f.in_ready = turn{f.key->pass, at, &f};
  f.ready_lane = {f.priority, f.key->greedy};
  f.ready_requests = f.requests.size();
  auto& now_in = lanes[f.ready_lane];
  now_in.turns.insert(*f.in_ready);
  now_in.requests += f.ready_requests;
}

std::size_t waiting_line::ready(const std::vector<std::string>& skills, std::uint8_t priority,
                                bool and_greedy) const {
  std::size_t sum = 0;
  if (auto line = lines_.find(skills); line != lines_.end())
    for (auto each = line->second.ready.lower_bound({priority, false});
         each != line->second.ready.end(); ++each)
      sum += and_greedy || !each->first.greedy ? each->second.requests : 0;
  return sum;
}

const placement_request*
waiting_line::next(const std::function<fit(const placement_request&)>& fits) {
  auto& order = class_order_; // the highest first
  order.clear();
  for (const auto& [priority, state] : classes_)
    if (state.waiting > 0)
      order.emplace_back(state.served, priority);
  if (low_credit_ >= 1 && order.size() > 1) {
    // The turn of a lower one: of that which has had none for the longest.
    std::sort(order.begin() + 1, order.end());
    std::rotate(order.begin(), order.begin() + 1, order.end());
  }
  for (const auto& [served, priority] : order)
    if (const auto* request = next_in(priority, fits))
      return request;
  return nullptr;
}

const placement_request*
waiting_line::next_in(std::uint8_t priority,
                      const std::function<fit(const placement_request&)>& fits) {
  if (const auto* request = next_retry(classes_.at(priority), fits))
    return request;
  collect_heads(priority);
  while (!heads_.empty()) {
    std::pop_heap(heads_.begin(), heads_.end(), std::greater<>{});
    auto* f = heads_.back().of;
    heads_.pop_back();
    if (f->line->unfit_in_look == look_)
      continue;
    const auto& request = f->requests.begin()->second;
    auto answer = fits(request);
    set_greedy(*f->key, answer == fit::greedy);
    switch (answer) {
    case fit::yes: return &request;
    case fit::wait:
      if (const auto* other = next_of_other_class(*f, fits))
        return other;
      [[fallthrough]];
    case fit::no: f->line->unfit_in_look = look_; break;
    case fit::held:
      hold(request.fairness_key);
      collect_heads(priority);
      break;
    case fit::greedy:
      classes_.at(priority).greedy_unfit_in_look = look_;
      collect_heads(priority);
      break;
    case fit::aside:
      put_aside(task_id{request.task});
      collect_heads(priority);
      break;
    }
  }
  return nullptr;
}

/// The first of each set of skills, of those who are greedy and of the others.
void waiting_line::collect_heads(std::uint8_t priority) {
  heads_.clear();
  auto no_greedy = classes_.at(priority).greedy_unfit_in_look == look_;
  for (auto& [skills, line] : lines_)
    if (line.unfit_in_look != look_)
      for (auto greedy : {false, true})
        if (auto ready = line.ready.find({priority, greedy});
            ready != line.ready.end() && !(greedy && no_greedy))
          heads_.push_back(*ready->second.turns.begin());
  std::make_heap(heads_.begin(), heads_.end(), std::greater<>{});
}

/// Of those behind the first, which waits.
const placement_request*
waiting_line::next_of_other_class(const flow& f,
                                  const std::function<fit(const placement_request&)>& fits) {
  std::vector<std::string_view> waiting;
  auto left = max_looked_at;
  for (auto each = f.requests.begin(); each != f.requests.end() && left > 0; ++each, --left) {
    const auto& request = each->second;
    auto known = std::find(waiting.begin(), waiting.end(), request.task_class) != waiting.end();
    if (!waiting.empty() && !known && fits(request) == fit::yes)
      return &request;
    if (!known)
      waiting.push_back(request.task_class);
  }
  return nullptr;
}

const placement_request*
waiting_line::next_retry(class_state& of,
                         const std::function<fit(const placement_request&)>& fits) {
  std::size_t looked_at = 0;
  for (const auto& [at, request] : of.retries) {
    if (++looked_at > max_looked_at)
      break;
    if (fits(request) == fit::yes)
      return &request;
  }
  return nullptr;
}

void waiting_line::taken(const placement_request& request) {
  const auto& where = where_.at(request.task);
  auto [priority, key] = where.key;
  auto lower = false;
  auto higher = false;
  for (const auto& [other, state] : classes_)
    if (state.waiting > 0) {
      lower = lower || other < priority;
      higher = higher || other > priority;
    }
  if (higher)
    low_credit_ = std::max(0.0, low_credit_ - 1);
  else if (lower)
    low_credit_ = std::min(2.0, low_credit_ + options_.low_share);
  auto& its_class = classes_.at(priority);
  its_class.served = ++placements_;
  key_state* pays = nullptr;
  if (where.in) {
    pays = where.in->key;
    pay(*pays, its_class);
  }
  auto task = request.task; // the request goes with its place
  remove(task);
  if (pays)
    for (auto* f : pays->flows)
      order(*f);
}

void waiting_line::pay(key_state& key, class_state& in) {
  in.pass = std::max(in.pass, key.pass);
  key.pass += key.stride;
}

void waiting_line::passed_by(const placement_request& request) {
  auto& its_class = classes_[request.priority];
  its_class.served = ++placements_;
  auto& key = key_of({request.priority, request.fairness_key});
  key.pass = std::max(key.pass, its_class.pass);
  key.greedy = false;
  pay(key, its_class);
}

void waiting_line::each_flow(const std::string& fairness_key,
                             const std::function<void(flow&)>& visit) {
  for (const auto& [priority, state] : classes_)
    if (auto key = keys_.find({priority, fairness_key}); key != keys_.end())
      for (auto* f : key->second.flows)
        visit(*f);
}

void waiting_line::hold(const std::string& fairness_key) {
  held_.insert(fairness_key);
  each_flow(std::string{fairness_key}, [&](flow& f) { order(f); });
}

void waiting_line::release(const std::string& fairness_key) {
  if (held_.erase(fairness_key) > 0)
    each_flow(fairness_key, [&](flow& f) { order(f); });
}

void waiting_line::set_greedy(key_state& key, bool greedy) {
  if (std::exchange(key.greedy, greedy) != greedy)
    for (auto* f : key.flows)
      order(*f);
}

std::size_t waiting_line::waiting_of(std::uint8_t priority, const std::string& fairness_key) const {
  auto key = keys_.find({priority, fairness_key});
  return key == keys_.end() ? 0 : key->second.waiting;
}

} // namespace rolecall
