#include "app/api/event_readers.hpp"

#include "app/api/views.hpp"
#include "messages/json_codec.hpp"

namespace rolecall::api {

void event_readers::add(std::uint64_t id, std::shared_ptr<net::response_stream> stream,
                        event_filter filter, bool ends) {
  readers_.emplace(id, reader{std::move(stream), std::move(filter), ends, std::nullopt});
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

void event_readers::catch_up(std::uint64_t id, std::uint64_t seen, const event_log& log) {
  auto found = readers_.find(id);
  if (found == readers_.end())
    return;
  found->second.seen = seen;
  feed(id, log);
}

void event_readers::feed(std::uint64_t id, const event_log& log) {
  constexpr std::size_t piece = 256u << 10;
  auto found = readers_.find(id);
  if (found == readers_.end() || !found->second.seen)
    return;
  auto& reader = found->second;
  auto missed = log.since(*reader.seen, reader.filter, piece);
  auto gone = false;
  if (missed.gap)
    gone = !write(reader, sse(0, "gap",
                              dump(json{{"missed_after", std::to_string(*reader.seen)},
                                        {"oldest", std::to_string(missed.oldest)}})));
  if (!gone && !missed.text.empty())
    gone = !write(reader, std::make_shared<const std::string>(std::move(missed.text)));
  if (gone) {
    readers_.erase(found);
    return;
  }
  if (reader.ends && missed.terminal)
    return finish(id);
  if (missed.up_to == log.last_id())
    reader.seen.reset();
  else
    reader.seen = missed.up_to;
  if (reader.seen)
    reader.stream->when_below(piece, [ask = ask_for_more_, id] { ask(id); });
}

void event_readers::tell(const event_entry& event) {
  std::shared_ptr<const std::string> text; // the same for all
  for (auto at = readers_.begin(); at != readers_.end();) {
    const auto& each = at->second;
    if (each.seen || !passes(each.filter, event)) {
      ++at;
      continue;
    }
    if (!text)
      text = to_text(event);
    auto there = write(each, text);
    if (there && each.ends && is_terminal(event.task->state)) {
      each.stream->finish();
      there = false;
    }
    at = there ? std::next(at) : readers_.erase(at);
  }
}

void event_readers::keep_alive() {
  static const auto comment = std::make_shared<const std::string>(": keep-alive\n\n");
  std::erase_if(readers_, [this](const auto& entry) {
    return !entry.second.seen && !write(entry.second, comment);
  });
}

} // namespace rolecall::api
