#pragma once

#include "messages/duration.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Reading JSON that somebody else wrote: every problem is collected with its place, none is
/// thrown.
namespace rolecall {

/// One thing that is wrong with an input.
struct problem {
  std::string where; ///< a JSON pointer ("/tasks/3/role"), or "line 7, column 2"
  std::string what;  ///< says what is wrong and how to mend it
};

/// More than these are not told: one more says that there are others.
constexpr std::size_t max_problems = 100;
/// Appends a problem, within that bound.
void add_problem(std::vector<problem>& problems, problem what);
/// Whether there is no use in looking for more.
inline bool is_full(const std::vector<problem>& problems) {
  return problems.size() > max_problems;
}

/// "where: what", or just what if it is about the whole.
std::string to_text(const problem& problem);

/// All problems of one input, each on a line: "where: what".
std::string to_text(const std::vector<problem>& problems);

struct json_limits {
  std::size_t max_bytes{256u << 20};
  std::size_t max_depth{64};
};

/// Parses one JSON text. Adds a problem with line and column and gives none if it is empty, not
/// JSON, truncated, not UTF-8, nested deeper than `max_depth`, larger than `max_bytes`, or has an
/// object that names a key twice.
std::optional<nlohmann::json> parse_json(std::string_view text, const json_limits& limits,
                                         std::vector<problem>& problems);

/// The one of `known` that is nearest to `word` by edits, if it is near enough to be what was
/// meant.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& known);

/// Reads one JSON object, key by key. Each getter gives none if the key is absent or wrong; what is
/// wrong goes to the list of problems. `finish` reports the keys that no getter asked for, each
/// with the nearest one that some getter did ask for.
class object_reader {
public:
  /// `where` is the JSON pointer of `value`, empty for the root. A value that is not an object is a
  /// problem; every getter gives none then.
  object_reader(const nlohmann::json& value, std::string where, std::vector<problem>& problems);

  bool is_object() const noexcept { return object_ != nullptr; }
  /// The JSON pointer of a member.
  std::string at(std::string_view key) const;
  void complain(std::string_view key, std::string what);

  /// The raw member, or null if absent.
  const nlohmann::json* value(std::string_view key);
  /// Like `value`, but absence is a problem.
  const nlohmann::json* required(std::string_view key);

  std::optional<std::string> string(std::string_view key, std::size_t max_bytes = 4'096);
  /// A string of 1 to `max_bytes` bytes without control characters: the form of ids and names.
  std::optional<std::string> name(std::string_view key, std::size_t max_bytes = 256);
  std::optional<std::string> required_name(std::string_view key, std::size_t max_bytes = 256);
  std::optional<bool> boolean(std::string_view key);
  std::optional<double> number(std::string_view key, double min, double max);
  std::optional<std::int64_t> integer(std::string_view key, std::int64_t min, std::int64_t max);
  /// A duration with a unit, at least `min`.
  std::optional<std::chrono::milliseconds> duration(std::string_view key,
                                                    std::chrono::milliseconds min);
  std::optional<std::vector<std::string>> strings(std::string_view key,
                                                  std::size_t max_items = 256);
  /// An array or object, of that type.
  const nlohmann::json* array(std::string_view key);
  const nlohmann::json* object(std::string_view key);

  /// To be called last.
  void finish();

private:
  const nlohmann::json* object_{nullptr};
  std::string where_;
  std::vector<problem>& problems_;
  std::vector<std::string> asked_;
};

/// Appends a reference token to a JSON pointer, escaped as RFC 6901 says.
std::string pointer_child(const std::string& pointer, std::string_view token);

/// Checks the form of an id or a name; gives what is wrong with it, if something is.
std::optional<std::string> name_problem(std::string_view text, std::size_t max_bytes);

} // namespace rolecall
