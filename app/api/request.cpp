#include "app/api/request.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace rolecall::api {

namespace {

/// A part of a query: percent-escapes, and "+" for a blank.
std::optional<std::string> decode_query(std::string_view text) {
  std::string plain{text};
  std::replace(plain.begin(), plain.end(), '+', ' ');
  return net::decode_path_segment(plain);
}

constexpr std::array all_states{task_state::submitted, task_state::working,  task_state::completed,
                                task_state::failed,    task_state::canceled, task_state::rejected};

} // namespace

std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> result;
  while (true) {
    auto end = text.find(at);
    result.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos)
      return result;
    text.remove_prefix(end + 1);
  }
}

query_reader::query_reader(std::string_view query) {
  if (query.empty())
    return;
  for (const auto& part : split(query, '&')) {
    if (part.empty())
      continue;
    auto equals = part.find('=');
    auto name = decode_query(std::string_view{part}.substr(0, equals));
    auto value = equals == std::string::npos
                     ? std::optional<std::string>{""}
                     : decode_query(std::string_view{part}.substr(equals + 1));
    if (name && value)
      values_.emplace(std::move(*name), std::move(*value));
    else
      problems_.push_back({"query", "has a broken percent-escape"});
  }
}

std::optional<std::string> query_reader::text(const std::string& name) {
  auto values = all(name);
  if (values.size() > 1)
    complain(name, "is given more than once");
  if (values.size() != 1)
    return std::nullopt;
  return values.front();
}

std::vector<std::string> query_reader::all(const std::string& name) {
  asked_.push_back(name);
  std::vector<std::string> result;
  for (auto [at, end] = values_.equal_range(name); at != end; ++at)
    result.push_back(at->second);
  return result;
}

std::optional<std::int64_t> query_reader::integer(const std::string& name, std::int64_t min,
                                                  std::int64_t max) {
  auto value = text(name);
  if (!value)
    return std::nullopt;
  std::int64_t number = 0;
  const auto* last = value->data() + value->size();
  auto [end, wrong] = std::from_chars(value->data(), last, number);
  if (wrong == std::errc{} && end == last && number >= min && number <= max)
    return number;
  complain(name, "must be an integer from " + std::to_string(min) + " to " + std::to_string(max));
  return std::nullopt;
}

std::optional<millis> query_reader::duration(const std::string& name, millis max) {
  auto value = text(name);
  if (!value)
    return std::nullopt;
  auto parsed = parse_duration(*value);
  if (parsed && *parsed <= max)
    return parsed;
  complain(name, "must be a duration with a unit, like 30s, of at most " + format_duration(max));
  return std::nullopt;
}

void query_reader::complain(const std::string& name, std::string what) {
  problems_.push_back({name, std::move(what)});
}

std::vector<problem> query_reader::finish() {
  for (const auto& [name, value] : values_)
    if (std::find(asked_.begin(), asked_.end(), name) == asked_.end()) {
      auto meant = nearest(name, asked_);
      complain(name, "is not a parameter of this request" +
                         (meant ? "; did you mean \"" + *meant + "\"?" : std::string{}));
    }
  return std::move(problems_);
}

task_query read_task_filter(query_reader& query) {
  task_query result;
  result.role = role_name{query.text("role").value_or("")};
  result.context_id = query.text("context_id").value_or("");
  for (const auto& list : query.all("state"))
    for (const auto& name : split(list, ',')) {
      auto found = std::find_if(all_states.begin(), all_states.end(),
                                [&](auto state) { return to_string(state) == name; });
      if (found == all_states.end())
        query.complain("state", "\"" + name +
                                    "\" is no state; there are submitted, working, completed, "
                                    "failed, canceled, rejected");
      else
        result.states |= bit_of(*found);
    }
  for (const auto& label : query.all("label")) {
    auto colon = label.find(':');
    if (label.empty() || colon == 0)
      query.complain("label", "must be a name, or name:text");
    else
      result.labels.emplace_back(label.substr(0, colon),
                                 colon == std::string::npos ? "" : label.substr(colon + 1));
  }
  return result;
}

std::optional<nlohmann::json> parse_body(std::string_view text, const json_limits& limits,
                                         std::vector<problem>& problems) {
  auto first = problems.size();
  auto result = parse_json(text, limits, problems);
  for (auto i = first; i < problems.size(); ++i)
    if (auto& each = problems[i]; !each.where.empty() && !each.where.starts_with('/'))
      each = {"", to_text(each)};
  return result;
}

std::optional<std::vector<std::string>> path_segments(std::string_view path) {
  std::vector<std::string> result;
  result.reserve(1 + static_cast<std::size_t>(std::count(path.begin(), path.end(), '/')));
  while (!path.empty()) {
    path.remove_prefix(1);
    auto part = path.substr(0, path.find('/'));
    auto decoded = net::decode_path_segment(part);
    if (!decoded)
      return std::nullopt;
    result.push_back(std::move(*decoded));
    path.remove_prefix(part.size());
  }
  return result;
}

std::string traceparent(const net::headers& headers) {
  constexpr std::size_t known_size = 55;
  return std::string{net::find_header(headers, "traceparent").value_or("").substr(0, known_size)};
}

std::string media_type(const net::headers& headers) {
  auto value = net::find_header(headers, "content-type");
  if (!value)
    return {};
  auto text = value->substr(0, value->find(';'));
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
    text.remove_suffix(1);
  std::string type{text};
  std::transform(type.begin(), type.end(), type.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return type;
}

} // namespace rolecall::api
