#pragma once

#include "messages/json_reader.hpp"
#include "messages/tasks.hpp"
#include "net/http_server.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace rolecall::api {

/// The parts of a text between separators; one more than there are of these.
std::vector<std::string> split(std::string_view text, char at);

/// The query of a request, decoded, and what is wrong with it. Each getter gives none if the
/// parameter is absent or wrong; what is wrong goes to the list of problems. Like `object_reader`,
/// `finish` reports the parameters that no getter asked for.
class query_reader {
public:
  explicit query_reader(std::string_view query);

  std::optional<std::string> text(const std::string& name);
  std::vector<std::string> all(const std::string& name);
  std::optional<std::int64_t> integer(const std::string& name, std::int64_t min, std::int64_t max);
  std::optional<millis> duration(const std::string& name, millis max);
  void complain(const std::string& name, std::string what);

  /// To be called last. All problems that there are.
  std::vector<problem> finish();

private:
  std::multimap<std::string, std::string> values_;
  std::vector<std::string> asked_;
  std::vector<problem> problems_;
};

/// The filter of lists and of event streams: `role`, `state`, `label`, `context_id`.
task_query read_task_filter(query_reader& query);

/// Like `parse_json`, but each problem has a JSON pointer, as clients are told it: where in the
/// text it is goes into the words.
std::optional<nlohmann::json> parse_body(std::string_view text, const json_limits& limits,
                                         std::vector<problem>& problems);

/// The segments of a path, decoded: "/v1/tasks/a%2Fb" gives {"v1", "tasks", "a/b"}. None if an
/// escape is broken.
std::optional<std::vector<std::string>> path_segments(std::string_view path);

/// Whose trace a request belongs to (W3C Trace Context), as far as any version of it is known.
std::string traceparent(const net::headers& headers);

/// The media type of a request's body, without parameters, in lower case; empty if there is none.
std::string media_type(const net::headers& headers);

} // namespace rolecall::api
