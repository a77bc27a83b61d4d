#include "actors/journal/entry_codec.hpp"

#include "messages/json_writer.hpp"

#include <nlohmann/json.hpp>

namespace rolecall {

namespace {

using json = nlohmann::json;

constexpr std::size_t usual_bytes = 1'024; // of a row

// -- values, both ways
// --------------------------------------------------------------------------------

void write(std::string& text, const std::string& x) {
  append_json(text, x);
}
void decode(const json& j, std::string& x) {
  x = j.get<std::string>();
}
template <class Tag>
void write(std::string& text, const strong_id<Tag>& x) {
  append_json(text, x.str());
}
template <class Tag>
void decode(const json& j, strong_id<Tag>& x) {
  x = strong_id<Tag>{j.get<std::string>()};
}
template <class Number>
requires std::is_integral_v<Number> || std::is_enum_v<Number>
void write(std::string& text, Number x) {
  text += std::to_string(static_cast<std::int64_t>(x));
}
template <class Number>
requires std::is_integral_v<Number> || std::is_enum_v<Number>
void decode(const json& j, Number& x) {
  x = static_cast<Number>(j.get<std::int64_t>());
}
template <class Period>
void write(std::string& text, std::chrono::duration<std::int64_t, Period> x) {
  text += std::to_string(x.count());
}
template <class Period>
void decode(const json& j, std::chrono::duration<std::int64_t, Period>& x) {
  x = std::chrono::duration<std::int64_t, Period>{j.get<std::int64_t>()};
}
void write(std::string& text, const std::map<std::string, std::string>& x) {
  object_writer out{text};
  for (const auto& [name, value] : x)
    append_json(out.add_name(name), value);
  out.end();
}
void decode(const json& j, std::map<std::string, std::string>& x) {
  x = j.get<std::map<std::string, std::string>>();
}

template <class T>
inline constexpr bool is_structure = false;
template <>
inline constexpr bool is_structure<failure> = true;
template <>
inline constexpr bool is_structure<agent_key> = true;
template <>
inline constexpr bool is_structure<retry_policy> = true;
template <>
inline constexpr bool is_structure<receipt> = true;
template <>
inline constexpr bool is_structure<attempt_record> = true;

template <class T>
requires is_structure<T>
void write(std::string& text, const T& x);
template <class T>
requires is_structure<T>
void decode(const json& j, T& x);
template <class T>
void write(std::string& text, const std::vector<T>& list);
template <class T>
void decode(const json& j, std::vector<T>& list);
template <class T>
void write(std::string& text, const shared<T>& x) {
  write(text, *x);
}
template <class T>
void decode(const json& j, shared<T>& x) {
  decode(j, x.edit());
}

// Structures: each member under its name. One description serves both ways.
template <class F>
void members(F& f, failure& x) {
  f("kind", x.kind);
  f("code", x.code);
  f("message", x.message);
}
template <class F>
void members(F& f, agent_key& x) {
  f("service", x.service);
  f("id", x.id);
  f("node", x.node);
}
template <class F>
void members(F& f, retry_policy& x) {
  f.always("backoff", x.backoff); // zero is a value of its own
  f.always("max_backoff", x.max_backoff);
  f("codes", x.codes);
}
template <class F>
void members(F& f, receipt& x) {
  f("node", x.node);
  f("url", x.url);
  f("http_status", x.http_status);
  f("first_byte", x.first_byte);
  f("request_bytes", x.request_bytes);
  f("answer_bytes", x.answer_bytes);
  f("request_sha256", x.request_sha256);
  f("answer_sha256", x.answer_sha256);
}
template <class F>
void members(F& f, attempt_record& x) {
  f("attempt", x.attempt);
  f("agent", x.agent);
  f("started_at", x.started_at);
  f("ended", x.ended);
  f("verdict", x.verdict);
  f("run", x.run);
  f("error", x.error);
  f("span_id", x.span_id);
  f("receipt", x.receipt);
  f("started_event", x.started_event);
  f("ended_event", x.ended_event);
  f("hedge", x.hedge);
}
template <class F>
void accepted_members(F& f, task_spec& spec, task_record& record, journal_entry& x) {
  f("id", spec.id);
  f("role", spec.role);
  f("skills", spec.skills);
  f("priority", spec.priority);
  f("timeout", spec.timeout);
  f("max_attempts", spec.max_attempts);
  f("context_id", spec.context_id);
  f("labels", spec.labels);
  f("retry_of", spec.retry_of);
  f("deadline", spec.deadline);
  f("retry", spec.retry);
  f("depends_on", spec.depends_on);
  f("on_dependency_failure", spec.on_dependency_failure);
  f("idempotent", spec.idempotent);
  f("submitted_at", record.submitted_at);
  f("deadline_at", record.deadline_at);
  f("traceparent", record.traceparent);
  f("parent_span", record.parent_span);
  f("event", x.accepted_event);
}
template <class F>
void progress_members(F& f, task_record& record, journal_entry& x) {
  f("state", record.state);
  f("attempts", record.attempts);
  f("agent", record.agent);
  f("queued", record.queued);
  f("run", record.run);
  f("error", record.error);
  f("started_at", record.started_at);
  f("finished_at", record.finished_at);
  f("retried_as", record.retried_as);
  f("history", x.history);
  f("attempt", x.attempt);
  f("misses", x.misses);
  f("event", x.event);
}

struct writer {
  object_writer out;

  /// What has its initial value anyway is left out.
  template <class T>
  void operator()(json_key name, T& value) {
    if (value != T{})
      always(name, value);
  }
  template <class T>
  void always(json_key name, T& value) {
    write(out.add_key(name), value);
  }
};

struct reader {
  const json& object;

  template <class T>
  void operator()(const char* name, T& value) {
    if (auto found = object.find(name); found != object.end())
      decode(*found, value);
  }
  template <class T>
  void always(const char* name, T& value) {
    (*this)(name, value);
  }
};

template <class T>
requires is_structure<T>
void write(std::string& text, const T& x) {
  writer f{object_writer{text}};
  members(f, const_cast<T&>(x)); // a writer changes nothing
  f.out.end();
}
template <class T>
requires is_structure<T>
void decode(const json& j, T& x) {
  reader f{j};
  members(f, x);
}
template <class T>
void write(std::string& text, const std::vector<T>& list) {
  array_writer out{text};
  for (const auto& each : list)
    write(out.add(), each);
  out.end();
}
template <class T>
void decode(const json& j, std::vector<T>& list) {
  list.clear();
  for (const auto& each : j)
    decode(each, list.emplace_back());
}

template <class Members>
bool read_object(std::string_view text, Members read_members) {
  auto object = json::parse(text, nullptr, false);
  if (!object.is_object())
    return false;
  try {
    reader f{object};
    read_members(f);
    return true;
  } catch (const json::exception&) { // another type than expected
    return false;
  }
}

} // namespace

std::string encode_accepted(const journal_entry& entry) {
  std::string text;
  text.reserve(usual_bytes);
  writer f{object_writer{text}};
  accepted_members(f, const_cast<task_spec&>(*entry.spec), const_cast<task_record&>(*entry.record),
                   const_cast<journal_entry&>(entry)); // a writer changes nothing
  f.out.end();
  return text;
}

std::string encode_progress(const journal_entry& entry) {
  std::string text;
  text.reserve(usual_bytes);
  writer f{object_writer{text}};
  progress_members(f, const_cast<task_record&>(*entry.record), const_cast<journal_entry&>(entry));
  f.out.end();
  return text;
}

bool decode_accepted(std::string_view text, journal_entry& into) {
  auto& record = into.record.edit();
  auto& spec = into.spec.edit();
  if (!read_object(text, [&](reader& f) { accepted_members(f, spec, record, into); }))
    return false;
  record.id = spec.id;
  record.role = spec.role;
  record.priority = spec.priority;
  record.labels = spec.labels;
  record.context_id = spec.context_id;
  record.retry_of = spec.retry_of;
  into.event = into.accepted_event;
  return !record.id.empty() && !record.role.empty();
}

bool decode_progress(std::string_view text, journal_entry& into) {
  return read_object(text, [&](reader& f) { progress_members(f, into.record.edit(), into); });
}

} // namespace rolecall
