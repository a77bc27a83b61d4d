#include "app/run/runner.hpp"

#include "app/exit_codes.hpp"
#include "app/node.hpp"
#include "app/run/batch.hpp"
#include "app/run/result_files.hpp"
#include "app/startup.hpp"
#include "app/terminal.hpp"

#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <iostream>
#include <limits>
#include <unordered_map>

namespace rolecall {

namespace {

using clock = std::chrono::steady_clock;

batch read_batch(const std::string& file) {
  auto result = parse_batch(read_input(file));
  if (const auto* problems = std::get_if<std::vector<problem>>(&result))
    refuse(file == "-" ? "stdin" : file, *problems);
  return std::get<batch>(std::move(result));
}

config read_config(const run_options& options) {
  auto result = load_config(options.config_file);
  result.cluster.reset(); // a run has its own services, and is over soon
  if (!options.service.empty()) {
    if (auto wrong = service_url_problem(options.service))
      refuse("--service: " + *wrong); // not the URL itself: it may hold a password
    auto url = options.service;
    while (url.back() == '/')
      url.pop_back();
    result.fleet.services = {{service_name{"service"}, url}};
    for (auto& [name, policy] : result.fleet.roles)
      policy.service = {}; // there is only the one
  }
  if (options.max_parallel > 0)
    result.router.max_parallel = options.max_parallel;
  if (options.timeout > millis{0})
    result.coordinator.timeout = options.timeout;
  return result;
}

/// One batch on one node.
class run {
public:
  run(node& host, const run_options& options, const config& settings, run_view& view)
      : host_{host},
        options_{options},
        settings_{settings},
        view_{view},
        self_{host.system()},
        signals_{host.loop().context(), SIGINT, SIGTERM, SIGHUP} {
    auto me = caf::actor_cast<caf::actor>(self_);
    await_signal(me);
  }

  int execute(const batch& tasks) {
    check(tasks);
    submit(tasks);
    follow();
    return report();
  }

private:
  void await_signal(const caf::actor& me) {
    signals_.async_wait([this, me](const boost::system::error_code& error, int) {
      if (error)
        return;
      if (++interrupts_ > 1) // whoever asks twice does not want to wait
        std::_Exit(exit_codes::interrupted);
      caf::anon_send(me, atom::interrupt_v);
      await_signal(me);
    });
  }

  template <class Result, class Handle, class... Words>
  std::optional<Result> ask(const Handle& actor, Words... words) {
    std::optional<Result> result;
    self_->request(actor, answer_timeout, words...)
        .receive([&](Result& value) { result = std::move(value); },
                 [&](caf::error& error) { tell(host_.system().render(error)); });
    return result;
  }

  void check(const batch& tasks) {
    auto fleet = ask<fleet_status>(host_.manager(), atom::checked_v).value_or(fleet_status{});
    for (const auto& service : fleet.services)
      if (!service.reachable)
        view_.note("the agents service at " + service.url + " does not answer (" + service.problem +
                   "); waiting for up to " + format_duration(settings_.fleet.patience));
    if (!fleet.roles.complete)
      return;
    auto agents = ask<std::vector<agent_record>>(host_.registry(), atom::list_v);
    auto problems = check_roles(tasks, fleet.roles, agents.value_or(std::vector<agent_record>{}));
    if (!problems.empty())
      refuse(options_.file == "-" ? "stdin" : options_.file, problems);
  }

  void submit(const batch& tasks) {
    for (const auto& spec : tasks.tasks) {
      places_[spec.id] = records_.size();
      task_record record;
      record.id = spec.id;
      record.role = spec.role;
      records_.push_back(record);
    }
    started_ = clock::now();
    view_.start(records_, started_);
    self_->send(host_.coordinator(), atom::subscribe_v,
                caf::actor_cast<task_listener_actor>(self_));
    self_->request(host_.coordinator(), answer_timeout, atom::submit_v, tasks.tasks)
        .receive([&](const submit_result&) { open_ = records_.size(); },
                 [&](caf::error& error) {
                   refuse((options_.journal.empty() ? "" : options_.journal + ": ") +
                          message_of(error));
                 });
  }

  void follow() {
    constexpr millis frame{100};
    while (open_ > 0)
      self_->receive([this](task_event& event) { on_record(*event.task); },
                     [this](atom::interrupt) { on_interrupt(); },
                     caf::after(frame) >> [this] { view_.tick(clock::now()); });
    wall_ = std::chrono::duration_cast<millis>(clock::now() - started_);
  }

  void on_record(const task_record& record) {
    auto place = places_.find(record.id);
    if (place == places_.end())
      return;
    auto& known = records_[place->second];
    auto same = known == record; // the first word on a task is known already
    known = record;
    if (!same)
      view_.update(known, clock::now());
    if (!is_terminal(known.state))
      return;
    --open_;
    if (options_.out_folder.empty())
      return;
    if (auto wrong = write_result(options_.out_folder, known)) {
      unwritten_ = true;
      tell(*wrong);
    }
  }

  void on_interrupt() {
    interrupted_ = true;
    if (!options_.journal.empty()) {
      view_.note("interrupted: the same command goes on with what " + options_.journal +
                 " has kept");
      open_ = 0;
      return;
    }
    view_.note("interrupted: canceling what runs");
    ask<cancel_count>(host_.coordinator(), atom::cancel_v, task_query{});
  }

  std::string message_of(const caf::error& error) {
    const auto& context = error.context();
    return context.match_elements<std::string>() ? context.get_as<std::string>(0)
                                                 : host_.system().render(error);
  }

  int report() {
    auto fleet = ask<fleet_status>(host_.manager(), atom::status_v).value_or(fleet_status{});
    auto summary = summarize(records_, wall_, fleet.spawned);
    view_.finish(summary, clock::now());
    if (options_.json) {
      auto text = rolecall::report(records_, summary)
                      .dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
      std::cout << text << std::endl;
      if (!std::cout)
        tell("cannot write the report to stdout");
      unwritten_ = unwritten_ || !std::cout;
    }
    if (interrupted_)
      return exit_codes::interrupted;
    return summary.completed == summary.submitted && !unwritten_ ? exit_codes::ok
                                                                 : exit_codes::failure;
  }

  static constexpr millis answer_timeout{15'000};

  node& host_;
  const run_options& options_;
  const config& settings_;
  run_view& view_;
  caf::scoped_actor self_;
  boost::asio::signal_set signals_;
  int interrupts_{0}; // touched on the loop's thread only
  std::vector<task_record> records_;
  std::unordered_map<task_id, std::size_t> places_;
  std::size_t open_{0};
  clock::time_point started_;
  millis wall_{0};
  bool interrupted_{false};
  bool unwritten_{false};
};

std::unique_ptr<run_view> make_view(const run_options& options) {
  // A report has stdout for itself.
  auto* out = options.json ? stderr : stdout;
  if (options.level == verbosity::normal && leads_to_terminal(out))
    return make_live_view(out);
  auto level = options.level;
  if (options.json && level == verbosity::normal)
    level = verbosity::quiet;
  return make_line_view(out, level, options.json);
}

} // namespace

int run_batch(const run_options& options) {
  std::signal(SIGPIPE, SIG_IGN);
  try {
    auto tasks = read_batch(options.file);
    auto settings = read_config(options);
    if (!options.out_folder.empty())
      if (auto wrong = prepare_results(options.out_folder))
        refuse(*wrong);
    auto journal = open_journal(options.journal);
    if (journal.store) { // the results of the whole batch, for whoever goes on with it
      auto& keep = settings.coordinator;
      keep.retain_tasks = keep.retain_bytes = std::numeric_limits<std::size_t>::max();
      keep.retain_for = std::chrono::years{100};
    }
    auto view = make_view(options);
    auto is_default = options.config_file.empty() && options.service.empty();
    auto service = start_bundled(options.roles_file, is_default, settings,
                                 [&](const std::string& text) { view->note(text); });
    node host{settings, std::move(journal)};
    return run{host, options, settings, *view}.execute(tasks);
  } catch (const wrong_input&) {
    return exit_codes::wrong_input;
  }
}

} // namespace rolecall
