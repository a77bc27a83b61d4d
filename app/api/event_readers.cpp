#include "app/api/event_readers.hpp"

namespace rolecall::api {

void event_readers::add(std::uint64_t id, std::shared_ptr<net::response_stream> stream,
                        event_filter filter, bool ends) {
  readers_.emplace(id, reader{std::move(stream), std::move(filter), ends});
}

void event_readers::finish(std::uint64_t id) {
  auto found = readers_.find(id);
  if (found == readers_.end())
    return;
  found->second.stream->finish();
  readers_.erase(found);
}

bool event_readers::write(const reader& to, const std::shared_ptr<const std::string>& text) {
  if (to.stream->backlog() + text->size() > max_backlog_) {
    ++cut_off_; // dropping a stream before its end closes the connection
    return false;
  }
  return to.stream->write(text);
}

void event_readers::write(std::uint64_t id, const std::shared_ptr<const std::string>& text) {
  auto found = readers_.find(id);
  if (found != readers_.end() && !write(found->second, text))
    readers_.erase(found);
}

void event_readers::tell(const event_entry& event) {
  for (auto at = readers_.begin(); at != readers_.end();) {
    const auto& each = at->second;
    if (!passes(each.filter, event)) {
      ++at;
      continue;
    }
    auto there = write(each, event.text);
    if (there && each.ends && is_terminal(event.task.state)) {
      each.stream->finish();
      there = false;
    }
    at = there ? std::next(at) : readers_.erase(at);
  }
}

void event_readers::keep_alive() {
  static const auto comment = std::make_shared<const std::string>(": keep-alive\n\n");
  std::erase_if(readers_, [this](const auto& entry) { return !write(entry.second, comment); });
}

} // namespace rolecall::api
