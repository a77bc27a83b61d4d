"""Nodes of a cluster as child processes, each with an agents service of its own, and the wires between."""
import contextlib
import json
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "api"))

import node_fixture  # noqa: E402
from wire import Closed, Connection  # noqa: E402
from wires import Wires  # noqa: E402

SERVICE = pathlib.Path(__file__).resolve().parents[1] / "support/logging_service.py"
LOST = (OSError, Closed)
TERMINAL = {"completed", "failed", "canceled", "rejected"}
ONE_FLEET_S = 5  # after a partition


class Service:
    """The agents service of a node: `agents` agents of one role, or of several."""

    def __init__(self, folder, name, roles=("worker",), agents=2, concurrency=16, spawns=0,
                 within=()):
        self.path = pathlib.Path(folder) / f"{name}.service.log"
        self.path.touch()
        self.child = subprocess.Popen(
            [*within, sys.executable, SERVICE, "--log", self.path, "--agents", str(agents), "--concurrency",
             str(concurrency), "--spawns", str(spawns), *[f"--role={role}" for role in roles]], stdout=subprocess.PIPE)
        self.url = self.child.stdout.readline().decode().split()[-1]

    def log(self):
        return [json.loads(line) for line in self.path.read_text().splitlines(keepends=True) if line.endswith("\n")]

    def executions(self):
        return [line for line in self.log() if "status" not in line]

    def stop(self):
        self.child.terminate()
        self.child.wait()
        self.child.stdout.close()


class Node:
    """A node through its lives: same name, configuration and journal."""

    def __init__(self, folder, config, wires=None, within=(), number=0):
        self.name = config["node"]["name"]
        self.wires, self.within = wires, list(within)
        self.file = pathlib.Path(folder) / f"{self.name}-{number}.json"
        self.errors = pathlib.Path(folder) / f"{self.name}-{number}.err"
        self.errors.touch()
        self.config = config
        self.child, self.port, self.cluster_port, self.life = None, None, None, 0

    def start(self):
        self.launch()
        return self.up()

    def launch(self):
        self.file.write_text(json.dumps(self.config))
        self.life = self.errors.stat().st_size
        with open(self.errors, "ab") as errors:
            self.child = subprocess.Popen([*self.within, node_fixture.PROGRAM, "node", "--config", self.file],
                                          stdout=subprocess.PIPE, stderr=errors, stdin=subprocess.DEVNULL)

    def up(self):
        """Waits until it listens."""
        line = self.child.stdout.readline().decode()
        if not line.startswith("listening on http"):
            raise AssertionError(f"node {self.name} did not start: {line!r}, exit code {self.child.wait()}; "
                                 f"{self.errors.read_text()[-2000:]}")
        self.port = int(line.rpartition(":")[2])
        told = self.log("cluster_listening")
        self.cluster_port = int(told[0]["address"].rpartition(":")[2]) if told else None
        if self.wires:
            self.wires.targets[self.name] = self.cluster_port
        return self

    def log(self, event=None, whole=False):
        """What it has logged in this life, or in all."""
        with open(self.errors, "rb") as file:
            file.seek(0 if whole else self.life)
            text = file.read().decode()
        lines = [json.loads(line) for line in text.splitlines(keepends=True)
                 if line.startswith("{") and line.endswith("}\n")]
        return [line for line in lines if event is None or line["event"] == event]

    def alive(self):
        return self.child is not None and self.child.poll() is None

    def kill(self):
        """With -9. Whoever has ended before, has done so by itself, and must not."""
        ended = self.child.poll()
        self.child.kill()
        self.child.wait()
        self.child.stdout.close()
        if self.wires:
            self.wires.targets[self.name] = None
        if ended is not None:
            raise AssertionError(f"node {self.name} ended by itself: {ended}; {self.errors.read_text()[-2000:]}")

    def pause(self):
        self.child.send_signal(signal.SIGSTOP)

    def resume(self):
        self.child.send_signal(signal.SIGCONT)

    def terminate(self):
        self.child.send_signal(signal.SIGTERM)

    def leave(self):
        """With SIGTERM; gives the exit code."""
        self.terminate()
        return self.gone()

    def gone(self):
        code = self.child.wait(node_fixture.PATIENCE_S)
        self.child.stdout.close()
        return code

    def stop(self):
        if self.alive():
            self.resume()
            self.child.kill()
            self.child.wait()
        if self.child:
            self.child.stdout.close()

    def connection(self):
        return Connection(self.port)

    def request(self, method, target, body=None):
        with self.connection() as connection:
            return connection.request(method, target, body=body)

    def get(self, target):
        answer = self.request("GET", target)
        if answer.status != 200:
            raise AssertionError(f"{target} at {self.name}: {answer.status} {answer.text}")
        return answer.json

    def submit(self, **task):
        answer = self.request("POST", "/v1/tasks", {"role": "worker", "input": {}, **task})
        if answer.status != 201:
            raise AssertionError(f"{task}: {answer.status} {answer.text}")
        return answer.json["task_id"]

    def task(self, task_id, wait=None):
        return self.get(f"/v1/tasks/{task_id}" + (f"?wait={wait}" if wait else ""))

    def links(self):
        """By node: the state of the link with it."""
        return {one["node"]: one["link"]["state"] for one in self.get("/v1/nodes")["nodes"] if "link" in one}

    def agents(self):
        """(node, service, agent) of each agent that it knows, as listed."""
        found, cursor = [], ""
        while True:
            page = self.get(f"/v1/agents?limit=1000{cursor}")
            found += [(one["node"], one["service"], one["agent_id"]) for one in page["agents"]]
            if "next_cursor" not in page:
                return found
            cursor = f"&cursor={page['next_cursor']}"

    def list(self, filters="", limit=100):
        """All tasks, page by page."""
        found, cursor = [], ""
        while True:
            page = self.get(f"/v1/tasks?limit={limit}{filters}{cursor}")
            found += page["tasks"]
            if "next_cursor" not in page:
                return found
            cursor = f"&cursor={page['next_cursor']}"


class Cluster(contextlib.ExitStack):
    """Nodes by name, each with a service (`offers`: its roles, by node; none: no service). Wires between
    them; each knows one other node, in a ring."""

    def __init__(self, names, offers=None, agents=2, concurrency=16, spawns=0, heartbeat="100ms", timeout="500ms",
                 **sections):
        super().__init__()
        self.folder = self.enter_context(tempfile.TemporaryDirectory())
        self.wires = Wires()
        self.callback(self.wires.stop)
        self.sections = sections
        self.heartbeat = {"heartbeat_interval": heartbeat, "heartbeat_timeout": timeout}
        self.services, self.nodes, self.sizes = {}, {}, {}
        self.made = 0
        addresses = {name: self.wires.entrance(name) for name in names}
        for number, name in enumerate(names):
            offered = ("worker",) if offers is None else offers[name]
            services = []
            if offered:
                self.services[name] = Service(self.folder, name, offered, agents, concurrency, spawns)
                self.callback(self.services[name].stop)
                services.append({"name": "local", "url": self.services[name].url})
            self.sizes[name] = agents * len(offered)
            peer = addresses[names[(number + 1) % len(names)]]
            self.add(name, addresses[name], [peer] if len(names) > 1 else [], services)

    def add(self, name, address, peers, services):
        node = self.nodes[name] = self.node(name, address, peers, services)
        node.wires = self.wires
        return node

    def node(self, name, address, peers, services=(), cluster="rolecall", **options):
        """One that is not counted among the cluster's."""
        self.made += 1
        config = {"node": {"name": name, "drain_timeout": "10s"}, "api": {"listen": "127.0.0.1:0"},
                  "cluster": {"listen": "127.0.0.1:0", "advertise": address, "peers": peers,
                              "name": cluster, **self.heartbeat, **options},
                  "services": list(services),
                  "journal": {"path": str(pathlib.Path(self.folder) / f"{self.made}.db")}, **self.sections}
        config.setdefault("execution", {}).setdefault("check_interval", "100ms")
        node = Node(self.folder, config, number=self.made)
        self.callback(node.stop)
        return node

    def start(self, order=None):
        for name in order or self.nodes:
            self.nodes[name].start()
        return self

    def together(self, names=None):
        """What is missing for these nodes (or all) to be one fleet, each with all agents; None: nothing."""
        names = list(names or self.nodes)
        wanted = {name: count for name, count in self.sizes.items() if name in names and count}
        for name in names:
            node = self.nodes[name]
            links = {other for other, state in node.links().items() if state == "up"}
            if links != set(names) - {name}:
                return f"{name} has links with {sorted(links)}, and should with {sorted(set(names) - {name})}"
            agents = node.agents()
            if len(agents) != len(set(agents)):
                return f"{name} lists agents twice: {sorted(agents)}"
            count = {each: sum(one[0] == each for one in agents) for each in {one[0] for one in agents}}
            if count != wanted:
                return f"{name} knows agents of {count}, and should of {wanted}"
        return None

    def become_one(self, names=None, within=node_fixture.PATIENCE_S):
        """Waits until they are one fleet; gives how long it took."""
        begin = time.monotonic()
        while missing := self.together(names):
            if time.monotonic() - begin > within:
                raise AssertionError(f"no fleet after {within} s: {missing}")
            time.sleep(0.02)
        return time.monotonic() - begin

    def executed_twice(self):
        """(task, attempt) of those that the services were asked for more than once: there must be none."""
        starts = Counter((line["task_id"], line["attempt"]) for service in self.services.values()
                         for line in service.executions())
        return sorted(one for one, count in starts.items() if count > 1)


def within(seconds, check, what):
    """Waits until it is so; gives what the check gave."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := check():
            return found
        time.sleep(0.02)
    raise AssertionError(f"waited {seconds} s for {what}")


def missing_tool(name):
    return None if shutil.which(name) else f"there is no {name} here"
