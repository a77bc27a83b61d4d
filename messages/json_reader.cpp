#include "messages/json_reader.hpp"

#include <algorithm>

namespace rolecall {

namespace {

using json = nlohmann::json;

/// Line and column (both from 1, the column in bytes) of an offset.
std::string position_of(std::string_view text, std::size_t offset) {
  auto before = text.substr(0, std::min(offset, text.size()));
  auto line = std::count(before.begin(), before.end(), '\n') + 1;
  auto start = before.rfind('\n');
  auto column = start == std::string_view::npos ? before.size() + 1 : before.size() - start;
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

/// Builds a value, and finds on the way what the library's own parser would accept or word badly.
class builder : public nlohmann::json_sax<json> {
public:
  builder(std::size_t max_depth, std::vector<problem>& problems)
      : max_depth_{max_depth}, problems_{problems} {}

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t&) override { return add(value); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t&) override { return false; } // not in texts
  bool start_object(std::size_t) override { return open(json::object()); }
  bool end_object() override { return close(); }
  bool key(string_t& name) override {
    auto& members = open_.back()->get_ref<json::object_t&>();
    auto [member, is_new] = members.emplace(std::move(name), nullptr);
    if (!is_new)
      add_problem(problems_, {"key \"" + member->first + "\"", "stands twice in the same object"});
    member_ = &member->second;
    return true;
  }
  bool start_array(std::size_t) override { return open(json::array()); }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& error) override {
    error_position = position;
    message = error.what();
    return false;
  }

  json root;
  std::optional<std::size_t> error_position;
  std::string message;
  bool too_deep{false};

private:
  bool add(json value) {
    put(std::move(value));
    return true;
  }
  json* put(json value) {
    if (open_.empty()) {
      root = std::move(value);
      return &root;
    }
    if (auto& in = *open_.back(); in.is_array()) {
      in.push_back(std::move(value));
      return &in.back();
    }
    *member_ = std::move(value);
    return member_;
  }
  bool open(json empty) {
    open_.push_back(put(std::move(empty)));
    too_deep = open_.size() > max_depth_;
    return !too_deep;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  std::size_t max_depth_;
  std::vector<problem>& problems_;
  std::vector<json*> open_; // the innermost last: none but that grows
  json* member_{nullptr};   // of the innermost one, if it is an object: for the next value
};

/// The library's message without its number and position: "syntax error while parsing ...".
std::string reworded(std::string message) {
  if (message.find("UTF-8") != std::string::npos)
    return "is not UTF-8";
  if (message.find("number overflow") != std::string::npos)
    return "has a number that is out of range";
  if (message.find("unexpected end of input") != std::string::npos ||
      message.find("missing closing quote") != std::string::npos)
    return "is not complete: the text ends too early";
  if (auto colon = message.find("column "); colon != std::string::npos)
    if (auto start = message.find(": ", colon); start != std::string::npos)
      message.erase(0, start + 2);
  return "is not JSON: " + message;
}

} // namespace

void add_problem(std::vector<problem>& problems, problem what) {
  if (problems.size() < max_problems)
    problems.push_back(std::move(what));
  else if (problems.size() == max_problems)
    problems.push_back({"", "and there are more problems, which are not listed"});
}

std::string to_text(const problem& problem) {
  return problem.where.empty() ? problem.what : problem.where + ": " + problem.what;
}

std::string to_text(const std::vector<problem>& problems) {
  std::string result;
  for (const auto& problem : problems)
    result += to_text(problem) + "\n";
  return result;
}

std::optional<json> parse_json(std::string_view text, const json_limits& limits,
                               std::vector<problem>& problems) {
  auto before = problems.size();
  if (text.size() > limits.max_bytes) {
    add_problem(problems, {"", "is larger than " + std::to_string(limits.max_bytes) + " bytes"});
    return std::nullopt;
  }
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    add_problem(problems, {"line 1", "is empty: JSON is expected"});
    return std::nullopt;
  }
  builder build{limits.max_depth, problems};
  if (!json::sax_parse(text, &build)) {
    if (build.too_deep)
      add_problem(problems,
                  {"", "is nested deeper than " + std::to_string(limits.max_depth) + " levels"});
    else
      add_problem(problems, {position_of(text, build.error_position.value_or(1) - 1),
                             reworded(std::move(build.message))});
  }
  if (problems.size() != before)
    return std::nullopt;
  return std::move(build.root);
}

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& known) {
  // Levenshtein's distance, one row at a time.
  auto distance = [](std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j)
      row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
      auto diagonal = row[0];
      row[0] = i;
      for (std::size_t j = 1; j <= b.size(); ++j) {
        auto substitute = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
        diagonal = row[j];
        row[j] = std::min({row[j] + 1, row[j - 1] + 1, substitute});
      }
    }
    return row[b.size()];
  };
  std::optional<std::string> best;
  constexpr std::size_t longest = 64; // longer words are not names that somebody mistyped
  if (word.size() > longest)
    return best;
  auto least = std::max<std::size_t>(2, word.size() / 2) + 1;
  for (const auto& candidate : known)
    if (auto d = distance(word, candidate); d < least) {
      least = d;
      best = candidate;
    }
  return best;
}

std::string pointer_child(const std::string& pointer, std::string_view token) {
  auto result = pointer + '/';
  for (char c : token) {
    if (c == '~')
      result += "~0";
    else if (c == '/')
      result += "~1";
    else
      result += c;
  }
  return result;
}

std::optional<std::string> name_problem(std::string_view text, std::size_t max_bytes) {
  if (text.empty())
    return "must not be empty";
  if (text.size() > max_bytes)
    return "is longer than " + std::to_string(max_bytes) + " bytes";
  if (std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }))
    return "has a control character";
  return std::nullopt;
}

object_reader::object_reader(const json& value, std::string where, std::vector<problem>& problems)
    : where_{std::move(where)}, problems_{problems} {
  asked_.reserve(16);
  if (value.is_object())
    object_ = &value;
  else
    add_problem(problems_, {where_, std::string{"must be an object, not "} + value.type_name()});
}

std::string object_reader::at(std::string_view key) const {
  return pointer_child(where_, key);
}

void object_reader::complain(std::string_view key, std::string what) {
  add_problem(problems_, {at(key), std::move(what)});
}

const json* object_reader::value(std::string_view key) {
  if (std::find(asked_.begin(), asked_.end(), key) == asked_.end())
    asked_.emplace_back(key);
  if (!object_)
    return nullptr;
  auto found = object_->find(key);
  return found == object_->end() ? nullptr : &*found;
}

const json* object_reader::required(std::string_view key) {
  const auto* found = value(key);
  if (!found && object_)
    complain(key, "is missing");
  return found;
}

std::optional<std::string> object_reader::string(std::string_view key, std::size_t max_bytes) {
  const auto* found = value(key);
  if (!found)
    return std::nullopt;
  if (!found->is_string()) {
    complain(key, std::string{"must be a string, not "} + found->type_name());
    return std::nullopt;
  }
  const auto& text = found->get_ref<const std::string&>();
  if (text.size() > max_bytes) {
    complain(key, "is longer than " + std::to_string(max_bytes) + " bytes");
    return std::nullopt;
  }
  return text;
}

std::optional<std::string> object_reader::name(std::string_view key, std::size_t max_bytes) {
  auto text = string(key);
  if (!text)
    return std::nullopt;
  if (auto wrong = name_problem(*text, max_bytes)) {
    complain(key, *wrong);
    return std::nullopt;
  }
  return text;
}

std::optional<std::string> object_reader::required_name(std::string_view key,
                                                        std::size_t max_bytes) {
  if (object_ && !object_->contains(key)) {
    required(key);
    return std::nullopt;
  }
  return name(key, max_bytes);
}

std::optional<bool> object_reader::boolean(std::string_view key) {
  const auto* found = value(key);
  if (!found)
    return std::nullopt;
  if (!found->is_boolean()) {
    complain(key, std::string{"must be true or false, not "} + found->type_name());
    return std::nullopt;
  }
  return found->get<bool>();
}

std::optional<double> object_reader::number(std::string_view key, double min, double max) {
  const auto* found = value(key);
  if (!found)
    return std::nullopt;
  if (!found->is_number() || found->get<double>() < min || found->get<double>() > max) {
    complain(key, "must be a number from " + json(min).dump() + " to " + json(max).dump());
    return std::nullopt;
  }
  return found->get<double>();
}

std::optional<std::int64_t> object_reader::integer(std::string_view key, std::int64_t min,
                                                   std::int64_t max) {
  const auto* found = value(key);
  if (!found)
    return std::nullopt;
  // An unsigned number above the signed range would wrap round to a negative one.
  auto fits = found->is_number_integer() &&
              (!found->is_number_unsigned() ||
               found->get<std::uint64_t>() <= static_cast<std::uint64_t>(INT64_MAX));
  if (!fits || found->get<std::int64_t>() < min || found->get<std::int64_t>() > max) {
    complain(key, "must be a whole number from " + std::to_string(min) + " to " +
                      std::to_string(max) + ", not " + found->dump().substr(0, 40));
    return std::nullopt;
  }
  return found->get<std::int64_t>();
}

std::optional<std::chrono::milliseconds> object_reader::duration(std::string_view key,
                                                                 std::chrono::milliseconds min) {
  const auto* found = value(key);
  if (!found)
    return std::nullopt;
  auto parsed =
      found->is_string() ? parse_duration(found->get_ref<const std::string&>()) : std::nullopt;
  if (!parsed || *parsed < min) {
    complain(key, "must be a duration with a unit, at least " + format_duration(min) +
                      " and at most 3650d (\"250ms\", \"30s\", \"2m\"), not " +
                      found->dump(-1, ' ', false, json::error_handler_t::replace).substr(0, 40));
    return std::nullopt;
  }
  return parsed;
}

std::optional<std::vector<std::string>> object_reader::strings(std::string_view key,
                                                               std::size_t max_items) {
  const auto* found = array(key);
  if (!found)
    return std::nullopt;
  if (found->size() > max_items) {
    complain(key, "has more than " + std::to_string(max_items) + " items");
    return std::nullopt;
  }
  std::vector<std::string> result;
  for (std::size_t i = 0; i < found->size(); ++i) {
    const auto& item = (*found)[i];
    auto where = pointer_child(at(key), std::to_string(i));
    if (!item.is_string())
      add_problem(problems_, {where, std::string{"must be a string, not "} + item.type_name()});
    else if (auto wrong = name_problem(item.get_ref<const std::string&>(), 4'096))
      add_problem(problems_, {where, *wrong});
    else
      result.push_back(item.get<std::string>());
  }
  return result;
}

const json* object_reader::array(std::string_view key) {
  const auto* found = value(key);
  if (found && !found->is_array()) {
    complain(key, std::string{"must be an array, not "} + found->type_name());
    return nullptr;
  }
  return found;
}

const json* object_reader::object(std::string_view key) {
  const auto* found = value(key);
  if (found && !found->is_object()) {
    complain(key, std::string{"must be an object, not "} + found->type_name());
    return nullptr;
  }
  return found;
}

void object_reader::finish() {
  if (!object_)
    return;
  for (const auto& [key, unused] : object_->items()) {
    if (std::find(asked_.begin(), asked_.end(), key) != asked_.end())
      continue;
    auto meant = nearest(key, asked_);
    std::string known;
    for (const auto& name : asked_)
      known += (known.empty() ? "" : ", ") + name;
    complain(key, meant ? "unknown field; did you mean \"" + *meant + "\"?"
                        : "unknown field; known are: " + known);
  }
}

} // namespace rolecall
