#pragma once

#include "messages/values.hpp"

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <unordered_map>
#include <variant>

namespace rolecall {

struct coordinator_options {
  std::size_t max_tasks{100'000};        ///< not terminal at the same time; past it: ec::queue_full
  std::size_t max_input_bytes{1u << 30}; ///< of those tasks together; past it: ec::queue_full
  std::size_t retain_tasks{10'000};      ///< terminal ones; past it the oldest are forgotten
  std::size_t retain_bytes{256u << 20};  ///< of their inputs and outputs, likewise
  millis timeout{60'000};                ///< of an attempt, where the task names none
  std::uint32_t max_attempts{3};         ///< where the task names none
  std::uint32_t max_misses{3}; ///< attempts that found no agent, and do not count as attempts
  millis retry_backoff{200};   ///< bound of the first wait, doubled by each further one
  millis max_retry_backoff{10'000};
  millis outcome_grace{5'000};  ///< past its timeout, until an attempt is given up
  std::uint64_t seed{0};        ///< of the jitter and the trace ids
  std::uint64_t first_event{1}; ///< number of the first event
  millis unix_offset{0};        ///< from the actor's clock to the wall clock's time
};

/// The coordinator's core: every task from its submit to its terminal state, and for some time
/// after.
///
/// Attempts are numbered from 1. Only the outcome of the attempt that runs counts; every other one
/// is counted as late and dropped. A terminal state never changes.
class task_book {
public:
  using time_point = std::chrono::steady_clock::time_point;

  // -- what is to be done
  // ----------------------------------------------------------------------------
  struct withdraw { ///< tell the router that the task needs no agent any more
    task_id task;
  };
  struct cancel_attempt { ///< tell the pool
    task_id task;
    std::uint32_t attempt;
  };
  /// `placement_request` goes to the router, `attempt_request` to the pool, `attempt_outcome` to
  /// the router (a slot is free), `task_event` to whoever follows tasks.
  using effect = std::variant<placement_request, withdraw, attempt_request, cancel_attempt,
                              attempt_outcome, task_event>;
  using effects = std::vector<effect>;

  explicit task_book(coordinator_options options = {})
      : options_{options}, chance_{options.seed}, next_event_{options.first_event} {}

  // -- what happens
  // ----------------------------------------------------------------------------------
  /// All of them, or the reason why none. Their ids must not be empty.
  std::variant<effects, failure> submit(const std::vector<task_spec>& specs, time_point now);
  effects on_placement(const placement& p, time_point now);
  effects on_refused(const placement_refused& refused, time_point now);
  effects on_outcome(const attempt_outcome& outcome, time_point now);
  effects cancel(const task_id& id, time_point now);
  /// Submits a task anew as `fresh`.
  std::variant<effects, failure> retry(const task_id& id, const task_id& fresh, time_point now);
  effects cancel_all(time_point now);
  /// Starts retries that are due, gives up attempts of which nothing is heard.
  effects on_wake(time_point now);

  // -- what can be asked
  // -----------------------------------------------------------------------------
  std::optional<time_point> next_due() const;
  const task_record* find(const task_id& id) const;
  std::optional<task_detail> describe(const task_id& id, time_point now) const;
  std::vector<task_record> list() const; ///< in the order of their submit
  /// A page of tasks; looks at a bounded number of them.
  task_page list(const task_query& query) const;
  std::size_t open() const noexcept { return open_; }
  std::uint64_t late_outcomes() const noexcept { return late_outcomes_; }

private:
  enum class phase { waiting, running, backing_off, done };
  struct task {
    task_spec spec;
    task_record record;
    std::uint64_t number{0}; // of the submit
    rolecall::task_book::phase phase{};
    std::uint32_t attempt{0}; // that waits or runs
    time_point submitted{};
    time_point started{};
    std::optional<time_point> due; // of a retry, or to give up
    std::uint32_t misses{0};       // attempts that certainly reached no agent
    std::vector<agent_key> tried;
    std::string trace;                   // 32 hex digits
    std::vector<attempt_record> history; // the latest of them
    candidate_list candidates;           // of the latest placement
  };

  void ask_for_agent(task& t, effects& out);
  void start_again(task& t, failure why, time_point now, effects& out);
  void finish(task& t, task_state state, time_point now, effects& out);
  void cancel(task& t, time_point now, effects& out);
  void begin_attempt(task& t, const placement& p, time_point now);
  void end_attempt(task& t, const attempt_outcome& outcome, time_point now);
  void tell(task& t, time_point now, effects& out);
  void forget_old();
  void forget(const task_id& id);
  unix_time wall(time_point now) const;
  void set_due(task& t, std::optional<time_point> due);
  millis backoff(std::uint32_t attempts);

  coordinator_options options_;
  std::mt19937_64 chance_;
  std::unordered_map<task_id, task> tasks_;
  std::map<std::uint64_t, task_id> order_; // by number
  std::set<std::pair<time_point, task_id>> dues_;
  // Attempts that have been handed to the pool and whose outcome has not come: their slots are
  // held.
  std::map<std::pair<task_id, std::uint32_t>, agent_key> in_flight_;
  std::size_t open_{0};                    // tasks that are not terminal
  std::size_t open_bytes_{0};              // of their inputs
  std::deque<task_id> ended_;              // terminal ones, the first to end first
  std::size_t ended_bytes_{0};             // of their inputs and outputs
  std::vector<attempt_record> just_ended_; // to be told with the next event
  std::uint64_t next_event_{1};
  std::uint64_t late_outcomes_{0};
  std::uint64_t next_number_{1};
};

} // namespace rolecall
