"""How soon an agent that one node has got is known to all others; what a task costs that another node runs."""
import json
import os
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


def visibility(count, agents):
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


def cpu_s(nodes):
    """CPU time that these processes have used."""
    used = 0
    for node in nodes:
        with open(f"/proc/{node.child.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        used += int(fields[11]) + int(fields[12])
    return used / os.sysconf("SC_CLK_TCK")


def work(node, role, tasks):
    """Submits so many tasks of a role, and waits until all are over."""
    batch = [{"role": role, "input": None}] * 500
    with node.connection() as connection:
        for _ in range(tasks // len(batch)):
            answer = connection.request("POST", "/v1/tasks", body=batch)
            if answer.status != 201:
                raise AssertionError(f"{answer.status} {answer.text}")
        node_fixture.until(lambda: own(connection.request("GET", "/v1/nodes").json, node)["open_tasks"] == 0, "the end")


def own(nodes, node):
    return next(one for one in nodes["nodes"] if one["node"] == node.name)


def cost(tasks, repeats=5):
    """CPU time of both nodes for a task that the node runs itself, and for one that the other node runs: the
    medians, in microseconds. By turns, after a first one of each that does not count."""
    took = {"here": [], "there": []}
    with Cluster("ab", {"a": ("here",), "b": ("there",)}, heartbeat="500ms", timeout="3s") as cluster:
        nodes = cluster.start().nodes
        cluster.become_one()
        for _ in range(repeats + 1):
            for role, figures in took.items():
                before = cpu_s(nodes.values())
                work(nodes["a"], role, tasks)
                figures.append((cpu_s(nodes.values()) - before) / tasks * 1e6)
        here, there = (statistics.median(figures[1:]) for figures in took.values())
        return {"tasks": tasks, "repeats": repeats, "here_us": round(here), "there_us": round(there),
                "ratio": round(there / here, 2)}
