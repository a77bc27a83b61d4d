#include "app/client/task_filter.hpp"

#include "messages/json_reader.hpp"

#include <algorithm>

namespace rolecall::client {

namespace {

const std::vector<std::string> state_names{"submitted", "working",  "completed",
                                           "failed",    "canceled", "rejected"};

std::string check_states(const std::string& text) {
  std::size_t start = 0;
  while (start <= text.size()) {
    auto end = std::min(text.find(',', start), text.size());
    auto name = text.substr(start, end - start);
    if (std::find(state_names.begin(), state_names.end(), name) == state_names.end()) {
      auto meant = nearest(name, state_names);
      return "\"" + name + "\" is not a state" +
             (meant ? "; did you mean \"" + *meant + "\"?"
                    : ": submitted, working, completed, failed, canceled or rejected");
    }
    start = end + 1;
  }
  return "";
}

} // namespace

void task_filter::add_options(CLI::App& command) {
  command.add_option("--role", role, "Only tasks of this role")->type_name("ROLE");
  command.add_option("--state", states, "Only tasks in one of these states, separated by commas")
      ->type_name("STATE,...")
      ->check(CLI::Validator{check_states, ""});
  command.add_option("--label", labels, "Only tasks with this label (may be given several times)")
      ->type_name("NAME[:TEXT]")
      ->expected(1)
      ->take_all();
}

std::string task_filter::query(const char* first) const {
  std::string result;
  auto add = [&](const char* name, const std::string& value) {
    if (!value.empty())
      result += (result.empty() ? first : "&") + std::string{name} + "=" +
                net::encode_path_segment(value);
  };
  add("role", role);
  add("state", states);
  for (const auto& label : labels)
    add("label", label);
  return result;
}

} // namespace rolecall::client
