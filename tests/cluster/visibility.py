"""How soon an agent that one node has got is known to all other nodes, measured at their streams of events."""
import json
import statistics
import threading
import time

import cluster_fixture
from cluster_fixture import LOST, Cluster, node_fixture


class Ears:
    """Listens at a node: when it was told of each agent."""

    def __init__(self, node):
        self.node, self.heard, self.ready = node, {}, threading.Event()
        self.connection = node.connection()
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()

    def listen(self):
        try:
            response = self.connection.request_head("GET", "/v1/events")
            for line in self.connection.lines(response):
                now = time.time()
                self.ready.set()
                if line.startswith("data:") and '"agent_id"' in line:
                    agent = json.loads(line[5:]).get("agent", {})
                    self.heard.setdefault((agent.get("node"), agent.get("agent_id")), now)
        except LOST:
            pass  # it is over


def measure(count, agents):
    """Spawns this many agents, by turns at all of the nodes. Gives how long it took, in ms, from the 201 of
    an agents service until the last of the other nodes had told of the agent in its stream of events."""
    names = [f"node-{number}" for number in range(count)]
    limits = {"roles": {"worker": {"max_agents": agents}}}
    with Cluster(names, agents=0, spawns=agents, heartbeat="500ms", timeout="3s", **limits) as cluster:
        cluster.start()
        cluster.become_one()
        ears = [Ears(node) for node in cluster.nodes.values()]
        for each in ears:
            cluster.callback(each.connection.close)
            if not each.ready.wait(node_fixture.PATIENCE_S):
                raise AssertionError(f"{each.node.name} tells no events")
        for number in range(agents):
            node = cluster.nodes[names[number % count]]
            answer = node.request("POST", "/v1/agents", {"role": "worker"})
            if answer.status != 201:
                raise AssertionError(f"{answer.status} {answer.text}")
        spawned = {(name, line["spawned"]): line["at"] for name, service in cluster.services.items()
                   for line in service.log()}
        everywhere = lambda: all(len(each.heard) >= len(spawned) for each in ears)  # noqa: E731
        cluster_fixture.within(node_fixture.PATIENCE_S, everywhere, "all nodes to know all agents")
        took = sorted((each.heard[agent] - at) * 1000 for agent, at in spawned.items() for each in ears
                      if each.node.name != agent[0])
        return {"nodes": count, "agents": len(spawned), "observations": len(took),
                "median_ms": round(statistics.median(took), 2), "p99_ms": round(took[int(len(took) * 0.99)], 2),
                "most_ms": round(took[-1], 2)}
