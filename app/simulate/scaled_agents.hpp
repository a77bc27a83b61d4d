#pragma once

#include "actors/registry/agent_table.hpp"
#include "actors/router/routing_table.hpp"
#include "app/simulate/distribution.hpp"
#include "app/simulate/station.hpp"

#include <functional>
#include <map>
#include <vector>

namespace rolecall::lab {

/// The number of agents from some time on.
struct scale_step {
  double at_s{0};
  std::uint32_t agents{0}; ///< that can be given tasks
};

/// The manager's core at work, with the registry's, and with agents services that are simulated:
/// they answer checks at once, spawn after a delay, retire at once.
class scaled_agents {
public:
  /// An agent that has come up.
  using on_spawn = std::function<void(const agent_record& record, const agent_model& model)>;

  scaled_agents(const scaling_model& model, const std::vector<agent_model>& roles,
                routing_table& table, chance& random, on_spawn spawned);

  /// Carries out what is due by now.
  void advance(time_point now);
  /// Takes to the manager's core what the routing table has to tell.
  void pass_on(time_point now);
  time_point next_due() const;

  double agent_seconds(time_point end) const; ///< from the order to spawn until the retirement
  std::size_t most() const noexcept { return most_; }
  const std::vector<scale_step>& steps() const noexcept { return steps_; }

private:
  void carry_out(const fleet::effects& effects, time_point now);
  void ask(const service_answer& question, time_point now);
  void answer(service_answer question, time_point now);
  service_answer spawned(service_answer question, time_point ordered, time_point now);
  bool spawn_works(time_point now);
  void changed(const std::optional<agent_event>& event, time_point now);

  const scaling_model& model_;
  const std::vector<agent_model>& roles_;
  routing_table& table_;
  chance& random_;
  on_spawn spawned_;
  fleet fleet_;
  agent_table registry_;
  time_point next_tick_{start_of_time};
  struct question_under_way {
    service_answer question;
    time_point ordered;
  };
  std::multimap<time_point, question_under_way> questions_;         // by when they are answered
  std::map<agent_key, std::pair<agent_record, time_point>> living_; // since when each costs
  std::uint64_t next_id_{1};
  double ended_seconds_{0}; // of those that are gone
  std::size_t most_{0};
  std::uint32_t ready_{0};
  std::vector<scale_step> steps_;
};

} // namespace rolecall::lab
