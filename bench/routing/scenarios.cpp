#include "bench/routing/scenarios.hpp"

#include "app/simulate/workload.hpp"

#include <cmath>
#include <cstdio>

namespace rolecall::bench {

namespace {

using namespace lab;
using list = std::vector<named_scenario>;

constexpr double no_timeout = 1e6;
constexpr double less_proficient = 0.6; // in the second of two skills

std::string two_digits(double value) {
  char text[16];
  std::snprintf(text, sizeof text, "%.2f", value);
  return text;
}

/// The two kinds of fleets: twenty agents that take one task at a time, ten of eight cores that
/// take 64.
struct fleet_kind {
  std::string name;
  std::size_t count;
  agent_model like;
};

fleet_kind limit_1() {
  return {"limit 1", 20, {}};
}

fleet_kind limit_64() {
  agent_model like;
  like.limit = 64;
  like.cores = 8;
  return {"limit 64", 10, like};
}

scenario base(const fleet_kind& fleet, double sigma, double timeout_s) {
  scenario result;
  result.agents = agents_of_many_speeds(fleet.like, fleet.count, sigma);
  result.kinds.resize(1);
  result.kinds[0].timeout_s = timeout_s;
  return result;
}

arrivals poisson(const scenario& what, double load, double mean_work, std::size_t tasks) {
  arrivals when;
  when.per_second = load * capacity_of(what) / mean_work;
  when.most = tasks;
  return when;
}

/// A scenario for each kind of fleet.
void add(list& all, const std::string& name, const std::string& about, bool bounded,
         const std::function<scenario(const fleet_kind&, std::uint64_t, std::size_t)>& make) {
  for (const auto& fleet : {limit_1(), limit_64()}) {
    auto whole = [fleet = fleet, make](std::uint64_t seed, std::size_t tasks) {
      return make(fleet, seed, tasks);
    };
    all.push_back({fleet.name + ", " + name, about, whole, bounded});
  }
}

void add_loads(list& all) {
  for (auto load : {0.5, 0.8, 0.95, 1.03, 1.3, 1.7})
    for (const auto& [shape, work] : {std::pair{"lognormal", distribution::lognormal(1, 1)},
                                      std::pair{"heavy tail", distribution::pareto(1, 1.5, 300)}}) {
      auto first = all.size();
      add(all, shape + (", load " + two_digits(load)), "agents of many speeds", load < 1,
          [work = work, load](const auto& fleet, auto seed, auto tasks) {
            auto what = base(fleet, 0.5, no_timeout);
            chance random{seed};
            add_tasks(what, 0, poisson(what, load, 1, tasks), work, random);
            return what;
          });
      for (; first < all.size(); ++first) {
        all[first].plot = all[first].name.substr(0, all[first].name.rfind(','));
        all[first].load = load;
      }
    }
}

/// Two loads of the same: 0.80 of what agents can do that spend half of their time on the skill
/// that they are less proficient in, and of what they can do if each does only what it is best in.
/// The second is more than can be done by whoever gives a task to any agent that is free.
void add_skills(list& all) {
  for (const auto& [name, share] : {std::pair{"skills, load 0.80", (1 + less_proficient) / 2},
                                    std::pair{"skills, load 0.80 of the best use", 1.0}})
    add(all, name, "tasks need one of four skills; agents have two each, 1 and 0.6 proficient",
        true, [share = share](const auto& fleet, auto seed, auto tasks) {
          auto what = base(fleet, 0.3, no_timeout);
          constexpr std::size_t kinds = 4;
          auto skill = [](std::size_t i) { return "skill-" + std::to_string(i % kinds); };
          for (std::size_t i = 0; i < what.agents.size(); ++i)
            what.agents[i].skills = {{skill(i), 1},
                                     {skill(i + 1 + i / kinds % 3), less_proficient}};
          what.kinds.assign(kinds, what.kinds[0]);
          chance random{seed};
          for (std::uint32_t k = 0; k < kinds; ++k) {
            what.kinds[k].skills = {skill(k)};
            what.kinds[k].task_class = skill(k);
            add_tasks(what, k, poisson(what, 0.8 * share / kinds, 1, tasks / kinds),
                      distribution::lognormal(1, 0.8), random);
          }
          sort_tasks(what);
          return what;
        });
}

void add_classes(list& all) {
  add(all, "classes, load 0.80",
      "tasks of two classes, one 50 times as long as the other, half of the work each", true,
      [](const auto& fleet, auto seed, auto tasks) {
        auto what = base(fleet, 0.5, no_timeout);
        what.kinds.assign(2, what.kinds[0]);
        what.kinds[0].task_class = "short";
        what.kinds[1].task_class = "long";
        chance random{seed};
        add_tasks(what, 0, poisson(what, 0.4, 0.1, tasks * 50 / 51),
                  distribution::lognormal(0.1, 0.5), random);
        add_tasks(what, 1, poisson(what, 0.4, 5, tasks / 51), distribution::lognormal(5, 0.5),
                  random);
        sort_tasks(what);
        return what;
      });
}

void add_affinity(list& all) {
  add(all, "contexts, load 0.80",
      "200 contexts; an agent needs half the time for the context that was there last", true,
      [](const auto& fleet, auto seed, auto tasks) {
        auto what = base(fleet, 0.3, no_timeout);
        what.context_gain = 0.5;
        chance random{seed};
        add_tasks(what, 0, poisson(what, 0.8, 1, tasks), distribution::lognormal(1, 0.5), random);
        for (auto& task : what.tasks)
          task.context = 1 + static_cast<std::uint32_t>(random.below(200));
        return what;
      });
}

/// Something is wrong with agents in the middle third of the run.
void add_trouble(list& all, const std::string& name, const std::string& about,
                 const std::function<void(scenario&, double from_s, double to_s)>& make) {
  add(all, name + ", load 0.60", about + " for a third of the time", false,
      [make](const auto& fleet, auto seed, auto tasks) {
        auto what = base(fleet, 0.3, 20);
        chance random{seed};
        auto when = poisson(what, 0.6, 1, tasks);
        auto length = static_cast<double>(tasks) / when.per_second;
        make(what, length / 3, length * 2 / 3);
        add_tasks(what, 0, when, distribution::lognormal(1, 0.5), random);
        return what;
      });
}

/// From good to bad and back, every so many seconds.
void alternate(agent_model& agent, double from_s, double to_s, double every_s, phase bad) {
  for (auto at = from_s; at < to_s; at += 2 * every_s) {
    bad.from_s = at;
    agent.phases.push_back(bad);
    agent.phases.push_back({std::min(to_s, at + every_s), 1});
  }
}

void add_troubles(list& all) {
  add_trouble(all, "slows down", "the fastest agent runs at a tenth of its speed",
              [](scenario& what, double from, double to) {
                what.agents.back().phases = {{from, 0.1}, {to, 1}};
              });
  add_trouble(all, "fails fast", "an agent answers 500 after 10 ms",
              [](scenario& what, double from, double to) {
                what.agents[3].phases = {{from, 1, condition::fails, 0.01}, {to, 1}};
              });
  add_trouble(all, "fails slowly", "an agent answers 500 after 3 s",
              [](scenario& what, double from, double to) {
                what.agents[3].phases = {{from, 1, condition::fails, 3}, {to, 1}};
              });
  add_trouble(all, "hangs", "an agent hangs, and attempts time out after 20 s,",
              [](scenario& what, double from, double to) {
                what.agents[3].phases = {{from, 1, condition::hangs, 0}, {to, 1}};
              });
  add_trouble(all, "flaps", "two agents fail and work in turns of 5 s",
              [](scenario& what, double from, double to) {
                for (auto agent : {3u, 7u})
                  alternate(what.agents[agent], from, to, 5, {0, 1, condition::fails, 0.05});
              });
  add_trouble(all, "429", "three agents answer 429, Retry-After 2 s, every other 10 s",
              [](scenario& what, double from, double to) {
                for (auto agent : {2u, 5u, 8u})
                  alternate(what.agents[agent], from, to, 10, {0, 1, condition::busy, 2});
              });
}

void add_bursts(list& all) {
  add(all, "bursts", "load 0.40, and 3.00 for 4 s of each minute", true,
      [](const auto& fleet, auto seed, auto tasks) {
        auto what = base(fleet, 0.5, no_timeout);
        chance random{seed};
        auto when = poisson(what, 0.4, 1, tasks);
        when.most_factor = 7.5;
        when.factor = [](double at) { return std::fmod(at, 60) < 4 ? 7.5 : 1; };
        add_tasks(what, 0, when, distribution::lognormal(1, 0.5), random);
        return what;
      });
}

void add_tenants(list& all) {
  for (auto flooded : {false, true})
    add(all, std::string{"tenants, "} + (flooded ? "one floods" : "one alone"),
        flooded ? "one brings a load of 0.20, another 1.50" : "the quiet one without the other",
        !flooded, [flooded](const auto& fleet, auto seed, auto tasks) {
          auto what = base(fleet, 0.3, no_timeout);
          what.kinds.assign(2, what.kinds[0]);
          what.kinds[0].tenant = "quiet";
          what.kinds[1].tenant = "flood";
          chance quiet{seed};
          chance flood{seed + 1'000};
          auto share = tasks * 2 / 17;
          add_tasks(what, 0, poisson(what, 0.2, 1, share), distribution::lognormal(1, 0.5), quiet);
          if (flooded)
            add_tasks(what, 1, poisson(what, 1.5, 1, tasks - share),
                      distribution::lognormal(1, 0.5), flood);
          sort_tasks(what);
          return what;
        });
}

/// The shape of the headline of Prequal (Wydrowski et al., NSDI '24, figure 6): replicas with an
/// allocation of one core each, on machines where others use what is left. A machine is contended
/// 30 % of the time, and the replica gets its allocation, else 2.5 times that. Time limit 5 s, no
/// second attempt; the load is relative to the allocation.
void add_prequal(list& all) {
  for (auto load : {0.75, 0.83, 0.93, 1.03, 1.14, 1.27, 1.41, 1.57, 1.74}) {
    auto make = [load](std::uint64_t seed, std::size_t tasks) {
      agent_model like;
      like.limit = 64;
      like.cores = 1;
      auto what = base({"", 20, like}, 0, 5);
      what.kinds[0].retry.max_attempts = 1;
      chance random{seed};
      constexpr double work = 0.08;
      auto when = poisson(what, load, work, tasks * 3);
      auto length = static_cast<double>(when.most) / when.per_second;
      for (auto& agent : what.agents) {
        auto contended = random.uniform() < 0.3;
        for (double at = 0; at < length; contended = !contended) {
          agent.phases.push_back({at, contended ? 1 : 2.5});
          at += random.exponential(contended ? 20 : 140.0 / 3);
        }
      }
      add_tasks(what, 0, when, distribution::lognormal(work, 0.8), random);
      return what;
    };
    all.push_back({"contended machines, load " + two_digits(load),
                   "Prequal's headline; load relative to the allocation", make, false,
                   "contended machines", load});
  }
}

} // namespace

std::vector<named_scenario> routing_scenarios() {
  list all;
  add_loads(all);
  add_skills(all);
  add_classes(all);
  add_affinity(all);
  add_troubles(all);
  add_bursts(all);
  add_tenants(all);
  add_prequal(all);
  return all;
}

} // namespace rolecall::bench
