#include "actors/workers/cancel_line.hpp"

namespace rolecall {

void cancel_line::add(const cancel_notice& notice, time_point now) {
  if (without_cancel_.contains(notice.service_url))
    return;
  auto& queue = lines_[notice.service_url].queue;
  if (queue.size() >= options_.max_waiting)
    queue.pop_front();
  queue.push_back({notice, now + options_.patience});
}

std::optional<cancel_notice> cancel_line::next(const std::string& service_url, time_point now) {
  auto found = lines_.find(service_url);
  if (found == lines_.end() || found->second.in_flight >= options_.max_in_flight)
    return std::nullopt;
  auto& [queue, in_flight] = found->second;
  while (!queue.empty() && queue.front().expires <= now)
    queue.pop_front();
  if (queue.empty()) {
    if (in_flight == 0)
      lines_.erase(found);
    return std::nullopt;
  }
  auto notice = std::move(queue.front().notice);
  queue.pop_front();
  ++in_flight;
  return notice;
}

void cancel_line::ended(const std::string& service_url, unsigned status) {
  auto found = lines_.find(service_url);
  if (found == lines_.end())
    return;
  --found->second.in_flight;
  if (status == 405 || status == 501) {
    without_cancel_.insert(service_url);
    found->second.queue.clear();
  }
  if (found->second.in_flight == 0 && found->second.queue.empty())
    lines_.erase(found);
}

} // namespace rolecall
