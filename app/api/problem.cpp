#include "app/api/problem.hpp"

#include "app/api/embedded.hpp"
#include "messages/interfaces.hpp"
#include "messages/json_codec.hpp"

#include <algorithm>

namespace rolecall::api {

namespace {

std::vector<error_entry> read_catalogue() {
  std::vector<error_entry> result;
  for (const auto& each : nlohmann::json::parse(embedded("errors.json")->content)) {
    const auto& status = each.at("status");
    result.push_back({each.at("code"), status.is_null() ? 0 : status.get<unsigned>(),
                      each.at("title"), each.at("meaning"), each.at("remedy")});
  }
  return result;
}

std::string escaped(std::string_view text) {
  std::string result;
  for (char c : text) {
    if (c == '<')
      result += "&lt;";
    else if (c == '>')
      result += "&gt;";
    else if (c == '&')
      result += "&amp;";
    else
      result += c;
  }
  return result;
}

} // namespace

const std::vector<error_entry>& error_catalogue() {
  static const auto all = read_catalogue();
  return all;
}

const error_entry& entry_of(std::string_view code) {
  const auto& all = error_catalogue();
  auto find = [&](std::string_view wanted) {
    return std::find_if(all.begin(), all.end(), [&](const auto& e) { return e.code == wanted; });
  };
  auto found = find(code);
  return found != all.end() && found->status != 0 ? *found : *find("internal_error");
}

nlohmann::ordered_json to_json(const problem_details& what) {
  const auto& entry = entry_of(what.code);
  nlohmann::ordered_json result{{"type", "/errors#" + entry.code},
                                {"title", entry.title},
                                {"status", entry.status},
                                {"detail", what.detail},
                                {"code", entry.code}};
  for (const auto& error : what.errors) {
    // A pointer begins with a slash, or is empty; everything else names a query parameter.
    auto parameter = !error.where.empty() && error.where.front() != '/';
    result["errors"].push_back(
        {{parameter ? "parameter" : "pointer", error.where}, {"detail", error.what}});
  }
  return result;
}

net::http_response to_response(const problem_details& what) {
  net::http_response response;
  response.status = entry_of(what.code).status;
  response.headers = what.headers;
  response.headers.push_back({"Content-Type", "application/problem+json"});
  response.body = dump(to_json(what)) + "\n";
  return response;
}

problem_details to_problem(const caf::error& error) {
  if (error.category() == caf::atom("rolecall"))
    return to_problem(to_failure(error));
  return {"overloaded", "the node did not get to it in time", {}, {{"Retry-After", "1"}}};
}

problem_details to_problem(const failure& why) {
  const auto& entry = entry_of(why.code);
  problem_details result{why.code, why.message.empty() ? entry.meaning : why.message, {}, {}};
  if (why.kind == ec::queue_full || why.kind == ec::node_unreachable)
    result.headers.push_back({"Retry-After", "1"});
  return result;
}

std::string count_of(std::size_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

std::string errors_page() {
  std::string page = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
                     "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                     "<title>rolecall: errors</title>\n"
                     "<link rel=\"stylesheet\" href=\"/assets/style.css\">\n<main>\n"
                     "<h1>Errors</h1>\n<p>The codes that the node answers with, and those that the "
                     "error of a task may have.</p>\n";
  for (const auto& entry : error_catalogue()) {
    page += "<h2 id=\"" + entry.code + "\"><code>" + entry.code + "</code></h2>\n<p>";
    if (entry.status != 0)
      page += "<strong>" + std::to_string(entry.status) + "</strong> ";
    page += escaped(entry.title) + ". " + escaped(entry.meaning) + "</p>\n<p>" +
            escaped(entry.remedy) + "</p>\n";
  }
  return page + "</main>\n</html>\n";
}

} // namespace rolecall::api
