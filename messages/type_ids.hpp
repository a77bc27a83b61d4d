#pragma once

#include "messages/events.hpp"
#include "messages/service_answer.hpp"
#include "messages/values.hpp"

#include <caf/error.hpp>
#include <caf/type_id.hpp>

/// The numbers of all types that travel in messages, and the verbs. New ones go to the end: nodes
/// of the same version agree on them.
CAF_BEGIN_TYPE_ID_BLOCK(rolecall_values, caf::first_custom_type_id)
CAF_ADD_TYPE_ID(rolecall_values, (rolecall::task_id))
CAF_ADD_TYPE_ID(rolecall_values, (rolecall::role_name))
CAF_ADD_TYPE_ID(rolecall_values, (rolecall::agent_id))
CAF_ADD_TYPE_ID(rolecall_values, (rolecall::service_name))
CAF_ADD_TYPE_ID(rolecall_values, (rolecall::agent_key))
CAF_ADD_TYPE_ID(rolecall_values, (rolecall::json_text))
CAF_ADD_TYPE_ID(rolecall_values, (rolecall::failure))
CAF_ADD_TYPE_ID(rolecall_values, (rolecall::agent_record))
CAF_ADD_TYPE_ID(rolecall_values, (rolecall::role_offer))
CAF_ADD_TYPE_ID(rolecall_values, (rolecall::role_directory))
CAF_ADD_TYPE_ID(rolecall_values, (rolecall::service_status))
CAF_ADD_TYPE_ID(rolecall_values, (rolecall::fleet_status))
CAF_ADD_TYPE_ID(rolecall_values, (rolecall::task_spec))
CAF_ADD_TYPE_ID(rolecall_values, (rolecall::task_record))
CAF_ADD_TYPE_ID(rolecall_values, (rolecall::placement_request))
CAF_ADD_TYPE_ID(rolecall_values, (rolecall::placement))
CAF_ADD_TYPE_ID(rolecall_values, (rolecall::placement_refused))
CAF_ADD_TYPE_ID(rolecall_values, (rolecall::role_demand))
CAF_ADD_TYPE_ID(rolecall_values, (rolecall::role_unavailable))
CAF_ADD_TYPE_ID(rolecall_values, (rolecall::attempt_request))
CAF_ADD_TYPE_ID(rolecall_values, (rolecall::attempt_outcome))
CAF_ADD_TYPE_ID(rolecall_values, (rolecall::agent_event))
CAF_ADD_TYPE_ID(rolecall_values, (rolecall::agent_snapshot))
CAF_ADD_TYPE_ID(rolecall_values, (rolecall::service_answer))
CAF_ADD_TYPE_ID(rolecall_values, (rolecall::millis))
CAF_ADD_TYPE_ID(rolecall_values, (std::vector<rolecall::agent_key>))
CAF_ADD_TYPE_ID(rolecall_values, (std::vector<rolecall::agent_record>))
CAF_ADD_TYPE_ID(rolecall_values, (std::vector<rolecall::task_id>))
CAF_ADD_TYPE_ID(rolecall_values, (std::vector<rolecall::task_spec>))
CAF_ADD_TYPE_ID(rolecall_values, (std::vector<rolecall::task_record>))

CAF_ADD_ATOM(rolecall_values, rolecall::atom, put, "put")
CAF_ADD_ATOM(rolecall_values, rolecall::atom, remove, "remove")
CAF_ADD_ATOM(rolecall_values, rolecall::atom, get, "get")
CAF_ADD_ATOM(rolecall_values, rolecall::atom, list, "list")
CAF_ADD_ATOM(rolecall_values, rolecall::atom, subscribe, "subscribe")
CAF_ADD_ATOM(rolecall_values, rolecall::atom, place, "place")
CAF_ADD_ATOM(rolecall_values, rolecall::atom, withdraw, "withdraw")
CAF_ADD_ATOM(rolecall_values, rolecall::atom, finished, "finished")
CAF_ADD_ATOM(rolecall_values, rolecall::atom, idle, "idle")
CAF_ADD_ATOM(rolecall_values, rolecall::atom, drained, "drained")
CAF_ADD_ATOM(rolecall_values, rolecall::atom, suspect, "suspect")
CAF_ADD_ATOM(rolecall_values, rolecall::atom, status, "status")
CAF_ADD_ATOM(rolecall_values, rolecall::atom, retire, "retire")
CAF_ADD_ATOM(rolecall_values, rolecall::atom, execute, "execute")
CAF_ADD_ATOM(rolecall_values, rolecall::atom, cancel, "cancel")
CAF_ADD_ATOM(rolecall_values, rolecall::atom, cancel_all, "cancel_all")
CAF_ADD_ATOM(rolecall_values, rolecall::atom, submit, "submit")
CAF_ADD_ATOM(rolecall_values, rolecall::atom, wake, "wake")
CAF_ADD_ATOM(rolecall_values, rolecall::atom, interrupt, "interrupt")
CAF_END_TYPE_ID_BLOCK(rolecall_values)

CAF_ERROR_CODE_ENUM(rolecall::ec, "rolecall")
