#pragma once

#include "actors/cluster/cluster_actor.hpp"

namespace rolecall {

/// The tasks of a whole cluster, in front of a coordinator: what this node does not have, the
/// others are asked for. Tasks are submitted here, and only those of this node are followed.
struct cluster_tasks_state {
  static inline const char* name = "cluster_tasks";

  tasks_actor own;
  peer_nodes_actor peers;
  node_name node;
};

/// `node` is this one.
tasks_actor::behavior_type cluster_tasks(tasks_actor::stateful_pointer<cluster_tasks_state> self,
                                         tasks_actor own, peer_nodes_actor peers, node_name node);

/// The newest of the tasks of several nodes' pages, at most `limit`, with where each node goes on.
task_page merge_pages(std::vector<std::pair<node_name, task_page>> pages, const task_query& query);

} // namespace rolecall
