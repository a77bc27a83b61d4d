#include "app/config.hpp"

#include "app/config_cluster.hpp"
#include "app/config_health.hpp"
#include "app/config_node.hpp"
#include "app/config_routing.hpp"
#include "app/config_scaling.hpp"
#include "net/http.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>

namespace rolecall {

namespace {

using json = nlohmann::json;

struct config_reader {
  config& result;
  std::vector<problem>& problems;

  void read(const json& value) {
    object_reader root{value, "", problems};
    if (const auto* services = root.array("services"))
      read_services(*services, root.object("cluster") != nullptr);
    read_scaling(root, problems, result.fleet);
    if (const auto* roles = root.object("roles"))
      read_roles(*roles);
    check_scaling(result.fleet, problems);
    if (const auto* execution = root.object("execution"))
      read_execution(*execution);
    read_node_sections(root, problems, result.node);
    if (const auto* journal = root.object("journal")) {
      object_reader object{*journal, "/journal", problems};
      result.journal_path = object.string("path").value_or(result.journal_path);
      object.finish();
    }
    if (const auto* routing = root.object("routing"))
      read_routing(*routing, problems, result.router, result.questions, result.coordinator.labels);
    if (const auto* cluster = root.object("cluster")) {
      result.cluster = read_cluster(*cluster, problems);
      const auto* node = root.object("node");
      if (!node || !node->contains("name"))
        problems.push_back({"/node/name", "is missing: each node of a cluster has its own name"});
    }
    root.finish();
  }

  /// A node of a cluster may leave all agents to the others.
  void read_services(const json& services, bool may_be_empty) {
    result.fleet.services.clear();
    if (services.empty() && !may_be_empty)
      problems.push_back({"/services", "is empty: at least one agents service is needed"});
    std::set<std::string> names;
    for (std::size_t i = 0; i < services.size(); ++i) {
      auto where = "/services/" + std::to_string(i);
      object_reader object{services[i], where, problems};
      auto name = object.required_name("name", 64).value_or("");
      auto url = object.required_name("url", 2'048).value_or("");
      auto protocol = object.name("protocol").value_or("agents-service");
      if (protocol != "agents-service")
        object.complain("protocol", "must be \"agents-service\", not \"" + protocol + "\"");
      if (!name.empty() && !names.insert(name).second)
        object.complain("name", "\"" + name + "\" is the name of two services");
      if (auto wrong = url.empty() ? std::nullopt : service_url_problem(url))
        object.complain("url", *wrong);
      while (!url.empty() && url.back() == '/')
        url.pop_back();
      object.finish();
      result.fleet.services.push_back({service_name{name}, url});
    }
  }

  void read_roles(const json& roles) {
    for (const auto& [name, value] : roles.items()) {
      auto where = pointer_child("/roles", name);
      if (auto wrong = name_problem(name, 256))
        problems.push_back({where, *wrong});
      object_reader object{value, where, problems};
      auto policy = result.fleet.defaults;
      policy.service = service_name{object.name("service", 64).value_or("")};
      auto known = [&](const auto& service) { return service.name == policy.service; };
      const auto& services = result.fleet.services;
      if (!policy.service.empty() && std::none_of(services.begin(), services.end(), known))
        object.complain("service", "no service is called \"" + policy.service.str() + "\"");
      read_role_scaling(object, policy);
      retry_options retry;
      read_retry(object, retry);
      if (const auto* budget = object.object("retry_budget"))
        retry.budget = read_budget(*budget, where + "/retry_budget", {});
      result.coordinator.roles[role_name{name}] = retry;
      read_role_routing(object, role_name{name}, problems, result.router);
      if (auto check = read_health_check(object, problems, policy))
        result.health.roles[role_name{name}] = *check;
      object.finish();
      result.fleet.roles[role_name{name}] = policy;
    }
  }

  /// The keys of retries, which a role may have as well.
  static void read_retry(object_reader& object, retry_options& into) {
    into.max_attempts = static_cast<std::uint32_t>(
        object.integer("max_attempts", 1, 1'000).value_or(into.max_attempts));
    auto& policy = into.policy;
    auto backoff = object.duration("retry_backoff", millis{0});
    auto most = object.duration("max_retry_backoff", millis{0});
    if (backoff && most && *most < *backoff)
      object.complain("max_retry_backoff",
                      "must not be less than retry_backoff, which is " + format_duration(*backoff));
    policy.backoff = backoff.value_or(policy.backoff);
    // The default is for the default: a longer first wait brings its own.
    policy.max_backoff = most.value_or(policy.max_backoff < millis{0}
                                           ? policy.max_backoff
                                           : std::max(policy.max_backoff, policy.backoff));
    policy.codes = object.strings("retry_codes", 64).value_or(policy.codes);
    if (auto hedge = object.boolean("hedge"))
      into.hedge = hedge;
  }

  retry_budget_options read_budget(const json& value, const std::string& where,
                                   retry_budget_options budget) {
    object_reader object{value, where, problems};
    budget.per_first_attempt =
        object.number("per_first_attempt", 0, 1'000).value_or(budget.per_first_attempt);
    budget.per_second = object.number("per_second", 0.01, 1e6).value_or(budget.per_second);
    object.finish();
    return budget;
  }

  void read_execution(const json& value) {
    object_reader object{value, "/execution", problems};
    auto& tasks = result.coordinator;
    tasks.timeout = object.duration("timeout", millis{1}).value_or(tasks.timeout);
    read_retry(object, tasks.retry);
    if (const auto* budget = object.object("retry_budget"))
      tasks.retry_budget = read_budget(*budget, "/execution/retry_budget", tasks.retry_budget);
    tasks.hedge_share = object.number("hedge_share", 0, 1).value_or(tasks.hedge_share);
    tasks.retain_for = object.duration("retain_for", millis{1}).value_or(tasks.retain_for);
    tasks.max_tasks =
        static_cast<std::size_t>(object.integer("max_tasks", 1, 10'000'000)
                                     .value_or(static_cast<std::int64_t>(tasks.max_tasks)));
    tasks.retain_tasks =
        static_cast<std::size_t>(object.integer("retain_tasks", 1, 10'000'000)
                                     .value_or(static_cast<std::int64_t>(tasks.retain_tasks)));
    tasks.retain_bytes =
        static_cast<std::size_t>(object.integer("retain_bytes", 1, std::int64_t{1} << 40)
                                     .value_or(static_cast<std::int64_t>(tasks.retain_bytes)));
    tasks.max_input_bytes =
        static_cast<std::size_t>(object.integer("max_input_bytes", 1, std::int64_t{1} << 40)
                                     .value_or(static_cast<std::int64_t>(tasks.max_input_bytes)));
    result.router.max_waiting = tasks.max_tasks; // whoever is admitted may wait
    result.router.max_parallel =
        static_cast<std::size_t>(object.integer("max_parallel", 1, 1'000'000).value_or(0));
    auto& fleet = result.fleet;
    fleet.patience = object.duration("patience", millis{0}).value_or(fleet.patience);
    fleet.check_interval =
        object.duration("check_interval", millis{10}).value_or(fleet.check_interval);
    auto& worker = result.pool.worker;
    worker.max_answer_bytes =
        static_cast<std::size_t>(object.integer("max_answer_bytes", 1, std::int64_t{1} << 32)
                                     .value_or(static_cast<std::int64_t>(worker.max_answer_bytes)));
    worker.connect_timeout =
        object.duration("connect_timeout", millis{1}).value_or(worker.connect_timeout);
    object.finish();
  }
};

} // namespace

config default_config() {
  config result;
  result.fleet.services = {{service_name{"local"}, "http://localhost:8052"}};
  return result;
}

std::variant<config, std::vector<problem>> parse_config(std::string_view text) {
  std::vector<problem> problems;
  auto result = default_config();
  if (auto value = parse_json(text, {16u << 20, 32}, problems))
    config_reader{result, problems}.read(*value);
  if (!problems.empty())
    return problems;
  return result;
}

std::optional<std::string> service_url_problem(const std::string& url) {
  auto parsed = net::parse_url(url);
  if (const auto* wrong = std::get_if<std::string>(&parsed))
    return *wrong;
  if (std::get<net::url>(parsed).target.find('?') != std::string::npos)
    return "a service's base URL has no query";
  return std::nullopt;
}

std::variant<std::string, std::string> read_file(const std::filesystem::path& path,
                                                 std::size_t max_bytes) {
  auto fail = [&](const std::string& why) {
    return std::variant<std::string, std::string>{std::in_place_index<1>,
                                                  "cannot read " + path.string() + ": " + why};
  };
  std::error_code error;
  if (std::filesystem::is_directory(path, error))
    return fail("it is a directory");
  errno = 0;
  std::ifstream in{path, std::ios::binary};
  if (!in)
    return fail(std::strerror(errno));
  std::string text;
  std::vector<char> chunk(1u << 16);
  while (in.read(chunk.data(), static_cast<std::streamsize>(chunk.size())) || in.gcount() > 0) {
    text.append(chunk.data(), static_cast<std::size_t>(in.gcount()));
    if (text.size() > max_bytes)
      return fail("it is larger than " + std::to_string(max_bytes) + " bytes");
  }
  if (in.bad())
    return fail(std::strerror(errno));
  return std::variant<std::string, std::string>{std::in_place_index<0>, std::move(text)};
}

} // namespace rolecall
