#pragma once

#include "app/simulate/scenario.hpp"

/// How good a run could be at best, for somebody who knows everything: each task's work and each
/// agent's speed at any time. Only for scenarios without scaling, attempts that fail, and tasks
/// that need others.
namespace rolecall::lab {

/// No schedule has a smaller mean completion time, in seconds. The larger of two bounds:
/// - each task alone on the fastest agent that may have it, at that agent's best;
/// - all agents as one server of their total speed, which may split and interrupt tasks at will,
///   served by shortest remaining work (Schrage 1968: optimal for one server). Whatever the agents
///   do together, that server could copy.
/// Both leave out that a task runs on one agent at a time, so it is out of reach, the more so the
/// more the agents differ.
double relaxed_bound(const scenario& what);

/// The mean completion time of a clairvoyant scheduler under the rules that hold for the router
/// too: a task runs on one core of one agent, to its end. Whenever a task comes or a core gets
/// free, it goes through those that wait and gives each the core on which it will end first. The
/// best of four such: in the order of arrival or the shortest first; and either waiting for a core
/// that is busy yet, where the task would end sooner there, or never. It knows what no router can
/// (the work left on each agent, the work of each task, when an agent will slow down), but not who
/// will come: a better schedule may exist.
double clairvoyant_mean(const scenario& what);

/// The work that the agents can do until then, in seconds at speed 1.
double work_possible(const scenario& what, double until_s);

} // namespace rolecall::lab
