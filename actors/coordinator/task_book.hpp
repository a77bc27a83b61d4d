#pragma once

#include "actors/coordinator/hedging.hpp"
#include "actors/coordinator/retry_rules.hpp"
#include "actors/coordinator/task_labels.hpp"
#include "messages/journal.hpp"
#include "messages/values.hpp"

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
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
  millis retain_for{std::chrono::hours{7 * 24}}; ///< after their end, likewise
  millis timeout{60'000};                        ///< of an attempt, where the task names none
  retry_options retry{3, {millis{200}, millis{10'000}, {}}, std::nullopt};
  std::map<role_name, retry_options> roles; ///< what they have of their own
  retry_budget_options retry_budget;        ///< of each role that has none of its own
  double hedge_share{0.05};                 ///< most hedges, for each first attempt of a role
  task_labels labels;
  std::uint32_t max_misses{3};  ///< attempts that found no agent, and do not count as attempts
  millis outcome_grace{5'000};  ///< past its timeout, until an attempt is given up
  std::uint64_t seed{0};        ///< of the jitter and the trace ids
  std::uint64_t first_event{1}; ///< number of the first event
  millis unix_offset{0};        ///< from the actor's clock to the wall clock's time
  bool durable{false};          ///< there is a journal: what has happened counts once it is on disk
};

/// The coordinator's core: every task from its submit to its terminal state, and for some time
/// after.
///
/// Attempts are numbered from 1. Only the outcome of the attempt that runs counts; every other one
/// is counted as late and dropped. A terminal state never changes.
///
/// With a journal, an acceptance, a terminal state and every event come into effect once they are
/// on disk (`on_journal`). An attempt's start is not waited for, but for three cases: if it is the
/// last that the task may have (so that a crash never brings one more after it), and if the start
/// before it is not on disk yet, or the number that a recovery left out (so that after a crash at
/// most one number is unknown, and is left out).
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
  /// the router (a slot is free), `journal_append` to the journal, `task_event` to whoever follows
  /// tasks.
  using effect = std::variant<placement_request, withdraw, attempt_request, cancel_attempt,
                              attempt_outcome, journal_append, task_event>;
  using effects = std::vector<effect>;

  /// What becomes of a request that is answered once `ticket` is on disk; 0: at once.
  struct admission {
    effects todo;
    std::uint64_t ticket{0};
    std::vector<task_id> known; ///< those that were there already, with the same content
  };

  explicit task_book(coordinator_options options = {})
      : options_{std::move(options)}, chance_{options_.seed}, next_event_{options_.first_event} {}

  // -- what happens
  // ----------------------------------------------------------------------------------
  /// Goes on with what a journal has kept; before anything else happens.
  effects recover(std::vector<journal_entry> entries, time_point now);
  /// All of them, or the reason why none. Their ids must not be empty.
  std::variant<admission, failure> submit(std::vector<task_spec> specs, time_point now);
  /// Submits a task anew as `fresh`.
  std::variant<admission, failure> retry(const task_id& id, const task_id& fresh, time_point now);
  effects on_journal(const journal_news& news, time_point now);
  effects on_placement(placement p, time_point now);
  effects on_refused(const placement_refused& refused, time_point now);
  effects on_outcome(attempt_outcome outcome, time_point now);
  /// Those of them that have not ended; `count` gets their number.
  admission cancel(const std::vector<task_id>& ids, time_point now, std::uint64_t& count);
  /// Starts retries that are due, ends what is past its deadline, gives up attempts of which
  /// nothing is heard, forgets what is old.
  effects on_wake(time_point now);

  /// From here on no task gets an agent.
  void pause() noexcept { paused_ = true; }

  // -- what can be asked
  // -----------------------------------------------------------------------------
  std::optional<time_point> next_due() const;
  const task_record* find(const task_id& id) const;
  std::optional<task_detail> describe(const task_id& id, time_point now) const;
  std::vector<task_record> list() const; ///< in the order of their submit
  /// Those that have not ended and that a query asks for, whatever its page.
  std::vector<task_id> open_matching(const task_query& query) const;
  /// A page of tasks; looks at a bounded number of them.
  task_page list(const task_query& query) const;
  /// The latest events that were told, as far as tasks still show them; no more than `most`.
  std::vector<task_event> past_events(std::size_t most) const;
  std::size_t open() const noexcept { return open_; }
  /// Nothing runs, and nothing waits for the disk that somebody else waits for.
  bool quiet() const noexcept { return in_flight_.empty() && recording_.empty(); }
  std::uint64_t late_outcomes() const noexcept { return late_outcomes_; }

private:
  enum class phase {
    accepting, // until it is on disk; nobody sees it before
    blocked,   // by tasks that it depends on
    waiting,   // for an agent
    running,
    backing_off,
    recording, // its end is known, and on its way to the disk
    done,
  };
  /// A second attempt of a task, for the faster of the two.
  struct hedge_attempt {
    std::uint32_t attempt{0};
    bool running{false}; // else its agent is being asked for
    agent_key agent;
    time_point started{};
    std::optional<time_point> due; // to give it up
  };
  struct task {
    shared<task_spec> spec; // as submitted
    shared<task_record> record;
    std::optional<shared<task_record>> end; // while recording: how it ended
    rolecall::task_book::phase phase{};
    std::uint32_t attempt{0};             // that waits or runs
    std::uint32_t numbered{0};            // the highest number that an attempt was given
    std::unique_ptr<hedge_attempt> hedge; // beside the attempt that runs, once asked for
    std::optional<time_point> hedge_at;   // when one is to be asked for
    time_point submitted{};
    time_point started{};
    std::optional<time_point> due;      // of a retry, or to give up
    std::optional<time_point> deadline; // of the whole
    std::uint32_t misses{0};            // attempts that certainly reached no agent
    std::vector<agent_key> tried;
    std::vector<attempt_record> history; // the latest of them
    shared<candidate_list> candidates;   // of the latest placement
    std::uint64_t accepted_event{0};
    std::uint64_t event{0};          // the latest
    std::uint64_t ticket{0};         // that accepting or recording waits for
    std::uint64_t start_ticket{0};   // of the latest start, or on_no_disk_yet
    std::uint32_t blockers{0};       // of the tasks that it depends on
    std::vector<task_id> dependents; // that may wait for it
    std::uint32_t needed_by{0};      // of those, how many are not over: it is kept for them
    bool shelved{false};             // nobody needs it: it may be forgotten some time
  };
  using due_set = std::set<std::pair<time_point, task_id>>;
  static constexpr std::size_t few_effects = 4; // what most changes bring about
  static constexpr std::uint64_t on_no_disk_yet = ~std::uint64_t{0}; // a ticket past all others

  // -- task_book_admission.cpp
  std::optional<failure> admission_problem(const std::vector<const task_spec*>& fresh) const;
  std::optional<failure> dependency_problem(const std::vector<const task_spec*>& fresh) const;
  task& add(task_spec spec, time_point now);
  void insert(task& t);
  void accepted(task& t, time_point now, effects& out);
  void drop(const task_id& id, time_point now, effects& out);
  void let_go(const task_id& needed, time_point now);
  json_text dependency_outputs(const task& t) const;

  // -- task_book.cpp
  bool has_ended(const task& t) const;
  void start(task& t, time_point now, effects& out);
  void ask_for_agent(task& t, effects& out);
  placement_request placement_request_for(const task& t, std::uint32_t attempt) const;
  attempt_request begin_attempt(task& t, placement& p, time_point now);
  attempt_request request_for(task& t, placement& p, bool hedge, time_point now);
  void hold_or_send(task& t, attempt_request&& request, bool must_wait, time_point now,
                    effects& out);
  void send(task& t, attempt_request&& request, time_point now, effects& out);
  millis end_attempt(task& t, attempt_outcome& outcome, time_point now);
  static attempt_record* attempt_of(task& t, std::uint32_t attempt);
  shared<task_record> record_to_end(task& t) const;
  void add_receipt(task& t, const attempt_outcome& outcome, effects& out);
  void stop(task& t, task_state state, failure why, time_point now, effects& out);
  void set_due(task& t, std::optional<time_point> due);
  void set_deadline(task& t, std::optional<time_point> deadline);
  millis timeout(const task& t) const;

  // -- task_book_retries.cpp
  void give_up_attempt(task& t, time_point now, effects& out);
  void start_again(task& t, const attempt_outcome& outcome, time_point now, effects& out);
  bool ran_out_of_time(const task& t, const attempt_outcome& outcome, time_point now) const;
  retry_rules rules(const task& t) const;
  retry_budget& budget(const role_name& role);

  // -- task_book_hedging.cpp
  bool may_hedge(const task& t) const;
  hedge_rules& hedges(const role_name& role);
  void note_run(const task& t, micros run);
  void plan_hedge(task& t, millis timeout, time_point now);
  void ask_for_hedge(task& t, time_point now, effects& out);
  void start_hedge(task& t, placement& p, time_point now, effects& out);
  void promote_hedge(task& t);
  void swap_with_hedge(task& t);
  void cancel_hedge(task& t, time_point now, effects& out);
  void drop_hedge(task& t);
  void set_hedge_at(task& t, std::optional<time_point> at);

  // -- task_book_records.cpp
  void tell(task& t, time_point now, effects& out);
  std::uint64_t number_event(task& t, time_point now);
  journal_entry entry_of(const task& t) const;
  void append(journal_append what, effects& out);
  void finish(task& t, task_state state, shared<task_record> end, time_point now, effects& out);
  void settle(time_point now, effects& out);
  void publish(task& t, time_point now, effects& out);
  void release_dependents(task& t, time_point now, effects& out);
  void fail_for(task& t, const task_record& cause, time_point now, effects& out);
  static std::size_t kept_bytes(const task& t);
  void shelve(task& t, time_point at);
  void release_starts(time_point now, effects& out);
  void forget_old(time_point now, effects& out);
  void forget(const task_id& id);
  void recover_one(journal_entry entry, time_point now);
  void go_on(task& t, time_point now, effects& out);
  unix_time wall(time_point now) const;
  time_point from_wall(unix_time at) const;

  coordinator_options options_;
  bool paused_{false};
  std::mt19937_64 chance_;
  std::unordered_map<task_id, task> tasks_;
  std::map<std::uint64_t, task_id> order_; // by number
  due_set dues_;
  due_set deadlines_;
  due_set hedges_due_;
  std::map<role_name, retry_budget> budgets_;
  std::map<role_name, hedge_rules> hedges_; // of roles that have them
  // Attempts that have been handed to the pool and whose outcome has not come: their slots are
  // held.
  std::unordered_map<attempt_key, agent_key> in_flight_;
  std::size_t open_{0};                              // tasks that are not terminal
  std::size_t open_bytes_{0};                        // of their inputs
  std::deque<std::pair<task_id, time_point>> ended_; // terminal ones, the first to end first
  std::size_t ended_bytes_{0};                       // that are kept of them
  std::vector<attempt_record> just_ended_;           // to be told with the next event
  std::uint64_t next_event_{1};
  std::uint64_t told_event_{0}; // the latest that was told
  std::uint64_t late_outcomes_{0};
  std::uint64_t next_number_{1};
  // What waits for the disk, by ticket.
  std::uint64_t next_ticket_{1};
  std::uint64_t committed_{0};
  std::deque<std::pair<std::uint64_t, task_id>> recording_; // acceptances and ends
  std::deque<std::pair<std::uint64_t, task_event>> untold_;
  std::multimap<std::uint64_t, attempt_request> held_starts_;
  journal_append forgotten_; // what the journal need not keep any longer
};

} // namespace rolecall
