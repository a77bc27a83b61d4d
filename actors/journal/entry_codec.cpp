#include "actors/journal/entry_codec.hpp"

#include "messages/json_codec.hpp"

#include <nlohmann/json.hpp>

namespace rolecall {

namespace {

using json = nlohmann::json;

// -- values, both ways
// --------------------------------------------------------------------------------

json encode(const std::string& x) {
  return x;
}
void decode(const json& j, std::string& x) {
  x = j.get<std::string>();
}
template <class Tag>
json encode(const strong_id<Tag>& x) {
  return x.value;
}
template <class Tag>
void decode(const json& j, strong_id<Tag>& x) {
  x.value = j.get<std::string>();
}
template <class Number>
requires std::is_integral_v<Number> || std::is_enum_v<Number> json encode(Number x) {
  return static_cast<std::int64_t>(x);
}
template <class Number>
requires std::is_integral_v<Number> || std::is_enum_v<Number>
void decode(const json& j, Number& x) {
  x = static_cast<Number>(j.get<std::int64_t>());
}
template <class Period>
json encode(std::chrono::duration<std::int64_t, Period> x) {
  return x.count();
}
template <class Period>
void decode(const json& j, std::chrono::duration<std::int64_t, Period>& x) {
  x = std::chrono::duration<std::int64_t, Period>{j.get<std::int64_t>()};
}
json encode(const std::map<std::string, std::string>& x) {
  return x;
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
requires is_structure<T> json encode(const T& x);
template <class T>
requires is_structure<T>
void decode(const json& j, T& x);
template <class T>
json encode(const std::vector<T>& list);
template <class T>
void decode(const json& j, std::vector<T>& list);

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
void accepted_members(F& f, journal_entry& x) {
  f("id", x.spec.id);
  f("role", x.spec.role);
  f("skills", x.spec.skills);
  f("priority", x.spec.priority);
  f("timeout", x.spec.timeout);
  f("max_attempts", x.spec.max_attempts);
  f("context_id", x.spec.context_id);
  f("labels", x.spec.labels);
  f("retry_of", x.spec.retry_of);
  f("deadline", x.spec.deadline);
  f("retry", x.spec.retry);
  f("depends_on", x.spec.depends_on);
  f("on_dependency_failure", x.spec.on_dependency_failure);
  f("idempotent", x.spec.idempotent);
  f("submitted_at", x.record.submitted_at);
  f("deadline_at", x.record.deadline_at);
  f("traceparent", x.record.traceparent);
  f("parent_span", x.record.parent_span);
  f("event", x.accepted_event);
}
template <class F>
void progress_members(F& f, journal_entry& x) {
  f("state", x.record.state);
  f("attempts", x.record.attempts);
  f("agent", x.record.agent);
  f("queued", x.record.queued);
  f("run", x.record.run);
  f("error", x.record.error);
  f("started_at", x.record.started_at);
  f("finished_at", x.record.finished_at);
  f("retried_as", x.record.retried_as);
  f("history", x.history);
  f("attempt", x.attempt);
  f("misses", x.misses);
  f("event", x.event);
}

struct writer {
  json& object;

  /// What has its initial value anyway is left out.
  template <class T>
  void operator()(const char* name, T& value) {
    if (value != T{})
      always(name, value);
  }
  template <class T>
  void always(const char* name, T& value) {
    object[name] = encode(value);
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
requires is_structure<T> json encode(const T& x) {
  auto result = json::object();
  writer f{result};
  members(f, const_cast<T&>(x)); // a writer changes nothing
  return result;
}
template <class T>
requires is_structure<T>
void decode(const json& j, T& x) {
  reader f{j};
  members(f, x);
}
template <class T>
json encode(const std::vector<T>& list) {
  auto result = json::array();
  for (const auto& each : list)
    result.push_back(encode(each));
  return result;
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
  auto object = json::object();
  writer f{object};
  accepted_members(f, const_cast<journal_entry&>(entry));
  return dump(object);
}

std::string encode_progress(const journal_entry& entry) {
  auto object = json::object();
  writer f{object};
  progress_members(f, const_cast<journal_entry&>(entry));
  return dump(object);
}

bool decode_accepted(std::string_view text, journal_entry& into) {
  if (!read_object(text, [&](reader& f) { accepted_members(f, into); }))
    return false;
  auto& record = into.record;
  record.id = into.spec.id;
  record.role = into.spec.role;
  record.priority = into.spec.priority;
  record.labels = into.spec.labels;
  record.context_id = into.spec.context_id;
  record.retry_of = into.spec.retry_of;
  into.event = into.accepted_event;
  return !record.id.empty() && !record.role.empty();
}

bool decode_progress(std::string_view text, journal_entry& into) {
  return read_object(text, [&](reader& f) { progress_members(f, into); });
}

} // namespace rolecall
