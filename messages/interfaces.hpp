#pragma once

#include "messages/type_ids.hpp"

#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

/// The protocol: who can be told what. The sequence diagrams are in messages/README.md.
namespace rolecall {

// -- listeners: the parts of an actor that somebody else needs to know
// -------------------------------

/// Whoever wants to know of agents.
using agent_listener_actor = caf::typed_actor<
    // All there is; whatever was known before is void.
    caf::reacts_to<agent_snapshot>,
    // One change.
    caf::reacts_to<agent_event>>;

/// Whoever is told what the router sees.
using demand_listener_actor = caf::typed_actor<
    // How much work a role has; sent when it changes while tasks wait, and when none waits any
    // more.
    caf::reacts_to<role_demand>,
    // A draining agent has nothing left to do.
    caf::reacts_to<atom::drained, agent_key>,
    // An agent behaves as if it were gone; it gets no tasks until its record changes.
    caf::reacts_to<atom::suspect, agent_key>>;

/// Whoever is told what can be spawned.
using directory_listener_actor = caf::typed_actor<
    // What can be spawned now.
    caf::reacts_to<role_directory>,
    // A role has no agent, and none could be had for the whole patience.
    caf::reacts_to<role_unavailable>>;

/// Whoever tells other nodes what the router sees.
using routing_listener_actor = caf::typed_actor<
    // Agents of this node whose use has changed: all attempts that they have now.
    caf::reacts_to<agent_uses>,
    // What waits here for agents that another node can spawn; sent when it changes.
    caf::reacts_to<away_demand>>;

/// Whoever asked the router for an agent.
using placement_listener_actor = caf::typed_actor<
    // An agent, and a slot of it.
    caf::reacts_to<placement>,
    // There will be none.
    caf::reacts_to<placement_refused>>;

/// Whoever had an attempt executed.
using outcome_listener_actor = caf::typed_actor<
    // How it ended. Exactly one per attempt that was asked for.
    caf::reacts_to<attempt_outcome>>;

/// Whoever follows tasks.
using task_listener_actor = caf::typed_actor<
    // A task as it stands now; sent for every change of its state, in order, without gaps.
    caf::reacts_to<task_event>>;

/// Whoever has tasks put on disk.
using journal_listener_actor = caf::typed_actor<
    // What has become of appends. Tickets come in their order.
    caf::reacts_to<journal_news>>;

// -- the actors
// --------------------------------------------------------------------------------------

/// The REGISTRY is the single source of truth about agents. Its one writer is the manager.
using registry_actor = caf::typed_actor<
    // Adds or replaces a record, gives its revision. Fails with ec::stale_revision if the revision
    // is not newer than the one that is there, with ec::queue_full if there are too many.
    caf::replies_to<atom::put, agent_record>::with<std::uint64_t>,
    // Removes a record, gives whether it was there.
    caf::replies_to<atom::remove, agent_key>::with<bool>,
    // One record. Fails with ec::unknown_agent.
    caf::replies_to<atom::get, agent_key>::with<agent_record>,
    // All records, in the order of their keys.
    caf::replies_to<atom::list>::with<std::vector<agent_record>>,
    // The records of a role, in the order of their keys.
    caf::replies_to<atom::list, role_name>::with<std::vector<agent_record>>,
    // Sends a snapshot, then every later event, in order, without gaps.
    caf::reacts_to<atom::subscribe, agent_listener_actor>>;

/// The ROUTER picks the agent for each attempt. It knows agents from the registry's events alone.
using router_actor = agent_listener_actor::extend<
    // Asks for an agent. Answered to the listener: at once, or when one gets free, or with a
    // refusal (ec::unknown_role, unknown_skill, queue_full, or what role_unavailable says).
    caf::reacts_to<atom::place, placement_request, placement_listener_actor>,
    // Takes a request back that waits. If it is placed already this does nothing.
    caf::reacts_to<atom::withdraw, task_id>,
    // An attempt has ended: frees its slot, updates the agent's figures.
    caf::reacts_to<atom::finished, attempt_outcome>,
    // The agents of a role that have had nothing to do for at least this long.
    caf::replies_to<atom::idle, role_name, millis>::with<std::vector<agent_key>>,
    // Wants to hear of demand and of drained agents. There is one such listener.
    caf::reacts_to<atom::subscribe, demand_listener_actor>,
    // Wants to tell other nodes. There is one such listener, or none.
    caf::reacts_to<atom::subscribe, routing_listener_actor>,
    // Agents of other nodes: how many attempts of others they have.
    caf::reacts_to<agent_uses>,
    // What other nodes can spawn.
    caf::reacts_to<peer_offers>,
    // An attempt of another node's task wants this agent of this node; gives whether it can have
    // it. If so a slot is held until the attempt is reported finished.
    caf::replies_to<atom::admit, task_id, std::uint32_t, agent_key>::with<bool>,
    // What can be spawned: a role that is not here and has no agent is unknown.
    caf::reacts_to<role_directory>,
    // Refuses all who wait for a role that has no agent.
    caf::reacts_to<role_unavailable>,
    // Why a task waits here. Fails with ec::unknown_task if it does not.
    caf::replies_to<atom::explain, task_id>::with<wait_explanation>,
    // Everything it sees.
    caf::replies_to<atom::status>::with<routing_status>,
    // Holds a slot of an agent for a health check, and gives whether it could: not if the agent has
    // no free one, gets nothing new, or has asked to be left alone.
    caf::replies_to<atom::check, agent_key>::with<bool>,
    // The check for which a slot was held is over.
    caf::reacts_to<atom::checked, health_report>,
    // INTERNAL: a point in time has come at which something may be due.
    caf::reacts_to<atom::wake>>;

/// The MANAGER owns the fleet: it spawns, finds, checks, drains and retires agents.
using manager_actor = demand_listener_actor::extend<
    // The fleet as it is known now.
    caf::replies_to<atom::status>::with<fleet_status>,
    // The same, answered once every service has been checked at least once.
    caf::replies_to<atom::checked>::with<fleet_status>,
    // Spawns an agent, within the role's maximum. Fails with ec::unknown_role, at_maximum, or what
    // the service said (ec::spawn_refused, service_unreachable). It is retired when it is idle, as
    // others are.
    caf::replies_to<atom::spawn, role_name>::with<agent_record>,
    // Drains an agent and has its service end it, whatever the role's minimum; gives its record.
    // Fails with ec::unknown_agent.
    caf::replies_to<atom::drain, agent_key>::with<agent_record>,
    // What a health check has come to: the agent may be unhealthy now, or healthy again.
    caf::reacts_to<atom::checked, health_report>,
    // Wants to hear what can be spawned, now and when it changes.
    caf::reacts_to<atom::subscribe, directory_listener_actor>,
    // What other nodes want agents for, beside what the router tells.
    caf::reacts_to<peer_demand>,
    // Services that other nodes manage: it leaves their agents alone until that changes.
    caf::reacts_to<service_holds>,
    // Ends scaling and retires what this manager has spawned, down to each role's minimum; gives
    // the number of agents that services confirmed as ended. Within the time given.
    caf::replies_to<atom::retire, millis>::with<std::uint64_t>,
    // INTERNAL: a service has answered, or not.
    caf::reacts_to<service_answer>,
    // INTERNAL: a point in time has come at which something may be due.
    caf::reacts_to<atom::wake>>;

/// A WORKER runs attempts as asynchronous HTTP calls. It answers to its pool.
using worker_actor = caf::typed_actor<
    // Runs an attempt and sends its outcome to the pool.
    caf::reacts_to<atom::execute, attempt_request>,
    // Closes the connection of an attempt; its outcome is `canceled`. Unknown: nothing happens.
    caf::reacts_to<atom::cancel, task_id, std::uint32_t>,
    // INTERNAL: the HTTP call of an attempt has ended.
    caf::reacts_to<attempt_outcome>>;

/// The POOL spreads attempts over workers, keeps each agent's limit, replaces dead workers.
using pool_actor = outcome_listener_actor::extend<
    // Has an attempt executed; the listener gets its outcome: `busy` if the agent is at its limit.
    caf::reacts_to<atom::execute, attempt_request, outcome_listener_actor>,
    // Cancels an attempt. Its outcome still comes.
    caf::reacts_to<atom::cancel, task_id, std::uint32_t>>;

/// The CHECKER tries the agents of roles that define a health check, by real calls. It knows agents
/// from the registry's events alone. Every check ends with a report to the router, and, if it tells
/// something of the agent, to the manager.
using checker_actor = agent_listener_actor::extend_with<outcome_listener_actor>::extend<
    // INTERNAL: a point in time has come at which a check may be due.
    caf::reacts_to<atom::wake>>;

/// The JOURNAL keeps tasks on disk. It has a thread of its own; whatever comes while it writes goes
/// into its next transaction.
using journal_actor = caf::typed_actor<
    // Wants to hear what becomes of appends.
    caf::reacts_to<atom::subscribe, journal_listener_actor>,
    // Puts something on disk. An acceptance that cannot be written is refused; everything else is
    // kept, and tried until it is written.
    caf::reacts_to<atom::append, journal_append>,
    // Writes what has come so far; gives whether that is on disk.
    caf::replies_to<atom::drain>::with<bool>,
    // INTERNAL: what has come so far is to be written.
    caf::reacts_to<atom::wake>>;

/// Whoever has tasks: a coordinator those of its node, a cluster's front those of all nodes.
using tasks_actor = caf::typed_actor<
    // Accepts all of these tasks or none; answered once they are on disk. One that is known
    // already under the same id, with the same content, is that one. Fails with
    // ec::duplicate_task, unknown_dependency, dependency_cycle, queue_full or storage_full.
    caf::replies_to<atom::submit, std::vector<task_spec>>::with<submit_result>,
    // Cancels a task, gives it as it stands once that is on disk. Fails with ec::unknown_task, or
    // with ec::node_unreachable if a node that may have it cannot be asked.
    caf::replies_to<atom::cancel, task_id>::with<task_record>,
    // Cancels those of these tasks that are known and not terminal, gives their number.
    caf::replies_to<atom::cancel, std::vector<task_id>>::with<cancel_count>,
    // Cancels all tasks that are not terminal and that a query asks for, whatever its page;
    // gives their number.
    caf::replies_to<atom::cancel, task_query>::with<cancel_count>,
    // A task as it stands. Fails as canceling does.
    caf::replies_to<atom::get, task_id>::with<task_record>,
    // From here on nothing new starts; answered once nothing runs any more, with the number of
    // tasks that a journal keeps for later.
    caf::replies_to<atom::drain>::with<std::uint64_t>,
    // Those of these tasks that are known, with everything that is known of them. Fails with
    // ec::node_unreachable if one is not known and a node that may have it cannot be asked.
    caf::replies_to<atom::describe, std::vector<task_id>>::with<std::vector<task_detail>>,
    // Submits a task anew, under the second id. Fails with ec::unknown_task, node_unreachable,
    // task_not_retryable, or as a submit does.
    caf::replies_to<atom::retry, task_id, task_id>::with<task_detail>,
    // A page of tasks. It may be short or empty and still not be the last one.
    caf::replies_to<atom::list, task_query>::with<task_page>,
    // Sends all tasks as they stand, then each change. Tasks that are over are forgotten some
    // time.
    caf::reacts_to<atom::subscribe, task_listener_actor>,
    // The same, after so many of the latest events again, as far as tasks still show them.
    caf::reacts_to<atom::subscribe, task_listener_actor, std::uint32_t>>;

/// The COORDINATOR owns every task from its submit to its terminal state.
using coordinator_actor = tasks_actor::extend_with<placement_listener_actor>::
    extend_with<outcome_listener_actor>::extend_with<journal_listener_actor>::extend<
        // INTERNAL: a point in time has come at which something may be due.
        caf::reacts_to<atom::wake>>;

} // namespace rolecall

CAF_BEGIN_TYPE_ID_BLOCK(rolecall_handles, caf::id_block::rolecall_values::end)
CAF_ADD_TYPE_ID(rolecall_handles, (rolecall::agent_listener_actor))
CAF_ADD_TYPE_ID(rolecall_handles, (rolecall::demand_listener_actor))
CAF_ADD_TYPE_ID(rolecall_handles, (rolecall::placement_listener_actor))
CAF_ADD_TYPE_ID(rolecall_handles, (rolecall::outcome_listener_actor))
CAF_ADD_TYPE_ID(rolecall_handles, (rolecall::task_listener_actor))
CAF_ADD_TYPE_ID(rolecall_handles, (rolecall::journal_listener_actor))
CAF_ADD_TYPE_ID(rolecall_handles, (rolecall::routing_listener_actor))
CAF_ADD_TYPE_ID(rolecall_handles, (rolecall::directory_listener_actor))
CAF_ADD_TYPE_ID(rolecall_handles, (rolecall::tasks_actor))
CAF_END_TYPE_ID_BLOCK(rolecall_handles)

namespace rolecall {

/// Makes every message of this folder known to a CAF configuration, and errors readable.
void add_messages(caf::actor_system_config& config);

/// What another actor's error means. One that is not of ours (no answer in time, the actor has
/// ended) is ec::timeout.
failure to_failure(const caf::error& error);

} // namespace rolecall
