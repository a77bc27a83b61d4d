"""A cluster whose nodes are killed and paused and whose links are cut and frozen, under load; and what
has become of its tasks.

A round: clients submit to random nodes (what was not answered is submitted again, to the same node with
the same ids), ask and cancel at others, follow what every node tells, while things go wrong. Then all of
it is healed: the nodes must be one fleet again, every task must end, and `crash_checks` compares what the
clients were told, what each node says, and what the agents services have written down. The nodes, their
journals and their services live through all rounds.
"""
import contextlib
import json
import random
import socket
import threading
import time
from collections import Counter, defaultdict
from types import SimpleNamespace

from cluster_fixture import LOST, ONE_FLEET_S, TERMINAL, Cluster

import crash_checks
import crash_harness

NAMES = ("node-a", "node-b", "node-c")
AGENTS = 3
SETTLE_S = 60


class Chaos:
    """What goes wrong, one thing after another; several at a time."""

    def __init__(self, cluster, chance):
        self.cluster, self.chance = cluster, chance
        self.count = Counter()

    def strike(self):
        what = self.chance.choice(["kill", "kill", "leave", "pause", "cut", "freeze", "one_way", "heal", "heal"])
        getattr(self, what)()
        self.count[what] += 1

    def kill(self):
        node = self.cluster.nodes[self.chance.choice(NAMES)]
        node.kill()
        time.sleep(self.chance.choice([0, 0, 0.2, 0.8]))
        node.start()

    def leave(self):
        node = self.cluster.nodes[self.chance.choice(NAMES)]
        code = node.leave()
        if code != 0:
            raise AssertionError(f"{node.name} was told to end, and did so with {code}")
        node.start()

    def pause(self):
        node = self.cluster.nodes[self.chance.choice(NAMES)]
        node.pause()
        time.sleep(self.chance.uniform(0.1, 1.5))  # shorter and longer than the heartbeats' timeout
        node.resume()

    def cut(self):
        self.cluster.wires.cut(*self.chance.sample(NAMES, 2))

    def freeze(self):
        one, other = self.chance.sample(NAMES, 2)
        self.cluster.wires.freeze(one, other)
        self.cluster.wires.freeze(other, one)

    def one_way(self):
        self.cluster.wires.freeze(*self.chance.sample(NAMES, 2))

    def heal(self):
        self.cluster.wires.heal()


class Round(crash_harness.Trial):
    """The clients of one round."""

    def __init__(self, cluster, seed, number):
        super().__init__(cluster.folder, f"{seed} {number}", 1)
        self.cluster, self.number = cluster, number
        self.homes = {}   # by task: the node that it was submitted to
        self.told = {name: [] for name in NAMES}  # of each node's stream
        self.missed = set()  # nodes whose stream had a gap
        self.unanswered = 0  # tasks without an id whose submit was cut off: there or not
        self.streams = {}    # by node: the socket of who follows

    def new_task(self, name, chance, known):
        task = super().new_task(name, chance, ())
        task["labels"] = {"round": str(self.number)}
        task["idempotent"] = False  # no hedges: an attempt at a time
        return task

    def submit(self, number):
        chance = random.Random(f"{self.seed} client {number}")
        count = 0
        while not self.ending.is_set():
            home = self.cluster.nodes[chance.choice(NAMES)]
            if chance.random() < 0.2:
                self.submit_once(home, self.new_task("", chance, ()))
            else:
                batch = []
                for _ in range(chance.choice([1, 1, 4, 12])):
                    count += 1
                    batch.append(self.new_task(f"r{self.number}-c{number}-{count}", chance, ()))
                with self.lock:
                    self.tasks.update({task["task_id"]: task for task in batch})
                    self.homes.update({task["task_id"]: home.name for task in batch})
                self.submit_until_answered(home, "one" if len(batch) == 1 else chance.choice(["array", "lines"]), batch)
            self.over.wait(chance.random() * 0.06)

    def submit_once(self, home, task):
        """Without an id: what is cut off cannot be repeated."""
        del task["task_id"]
        try:
            with home.connection() as connection:
                answer = connection.request("POST", "/v1/tasks", body=task)
        except LOST:
            self.unanswered += 1
            return
        if answer.status == 503:
            return  # it drains
        if answer.status != 201:
            return self.wrong(f"a task without an id was answered with {answer.status} {answer.text}")
        task_id = answer.json["task_id"]
        with self.lock:
            self.tasks[task_id] = {**task, "task_id": task_id}
            self.homes[task_id] = home.name
            self.accepted[task_id] = time.time()

    def submit_until_answered(self, home, way, batch):
        while not self.over.is_set():
            try:
                with home.connection() as connection:
                    return self.post(connection, way, batch)
            except LOST:
                self.repeats += 1
                self.over.wait(0.05)

    def look(self, number):
        """Asks for accepted tasks, and cancels some, wherever."""
        chance = random.Random(f"{self.seed} look {number}")
        while not self.ending.is_set():
            self.over.wait(chance.random() * 0.05)
            accepted = list(self.accepted)
            if not accepted:
                continue
            task_id, name = chance.choice(accepted[-200:]), chance.choice(NAMES)
            cancels = chance.random() < 0.2
            try:
                with self.cluster.nodes[name].connection() as connection:
                    answer = connection.request(*(("POST", f"/v1/tasks/{task_id}/cancel") if cancels else
                                                  ("GET", f"/v1/tasks/{task_id}")))
            except LOST:
                continue
            if answer.status == 200:
                self.note(answer.json)
                if cancels and answer.json["state"] != "canceled":
                    self.wrong(f"{task_id} was canceled at {name}, and is {answer.text}")
            elif name == self.homes[task_id] and not (cancels and answer.status == 409):
                self.wrong(f"{task_id}, which was accepted by {name}: {answer.status} {answer.text}")
            elif answer.status not in (409, 503):  # its node may be away
                self.wrong(f"{task_id} at {name}: {answer.status} {answer.text}")

    def follow(self, name, started):
        """What a node tells of its tasks, through all its lives."""
        last = None
        while not self.over.is_set():
            try:
                with self.cluster.nodes[name].connection() as connection:
                    self.streams[name] = connection.socket
                    response = connection.request_head("GET", "/v1/events", {"Last-Event-ID": last} if last else {})
                    for event in connection.events(response):
                        if event["event"] == "hello" and last is None:
                            last = event["data"]["last_event_id"]
                        elif event["event"] == "gap":
                            self.missed.add(name)
                        started.set()
                        last = event.get("id", last)
                        if event["event"] == "task" and "id" in event:
                            self.told[name].append((int(event["id"]), event["data"]["task_id"], event["data"]["state"]))
            except LOST:
                self.reconnects += 1
                self.over.wait(0.02)

    # -- a round ----------------------------------------------------------------------------------------------

    def run(self, chaos, strikes):
        """Gives how long it took, after all was healed, until the nodes were one fleet."""
        threads = []
        try:
            for name in NAMES:
                started = threading.Event()
                threads.append(self.thread(self.follow, name, started))
                if not started.wait(SETTLE_S):
                    raise AssertionError(f"the stream of {name} says nothing")
            threads += [self.thread(self.submit, number) for number in range(3)]
            threads += [self.thread(self.look, number) for number in range(2)]
            for _ in range(strikes):
                time.sleep(self.chance.random() * 0.4)
                chaos.strike()
            time.sleep(self.chance.random() * 0.6)
            chaos.heal()
            took = self.cluster.become_one(within=SETTLE_S)
            if took > ONE_FLEET_S:
                self.wrong(f"it took {took:.1f} s until the nodes were one fleet")
            self.ending.set()
            self.wait_for_the_end()
            return took
        finally:
            self.ending.set()
            self.over.set()
            for stream in self.streams.values():
                with contextlib.suppress(OSError):
                    stream.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join(SETTLE_S)

    def ends(self):
        return {task_id for told in self.told.values() for _, task_id, state in told if state in TERMINAL}

    def wait_for_the_end(self):
        """Until all is accepted and over, and the streams have told so."""
        end = time.monotonic() + SETTLE_S
        while time.monotonic() < end:
            if set(self.tasks) <= set(self.accepted) and set(self.tasks) <= self.ends():
                return
            time.sleep(0.05)
        self.wrong(f"after {SETTLE_S} s: not accepted {sorted(set(self.tasks) - set(self.accepted))[:5]}, "
                   f"no end told of {sorted(set(self.tasks) - self.ends())[:5]}")

    def final(self):
        """By node: what it says in the end of each task."""
        said = {name: self.ask(name, self.tasks) for name in NAMES}
        missing = {name: [task_id for task_id, task in told.items() if task is None] for name, told in said.items()}
        if any(missing.values()):  # a link may be down for a moment on a busy machine
            self.cluster.become_one()
            for name, ids in missing.items():
                said[name].update(self.ask(name, ids))
        return said

    def ask(self, name, ids):
        with self.cluster.nodes[name].connection() as connection:
            answers = {task_id: connection.request("GET", f"/v1/tasks/{task_id}") for task_id in ids}
        return {task_id: answer.json if answer.status == 200 else None for task_id, answer in answers.items()}


def check(trial, said, log):
    """Everything that is wrong after a round, as text."""
    found = {task_id: said[trial.homes[task_id]][task_id] for task_id in trial.tasks}
    problems = list(trial.problems)
    for name, told in said.items():
        problems += [f"{task_id}: {name} says {told[task_id] and story(told[task_id])}, its own node "
                     f"{trial.homes[task_id]} {found[task_id] and story(found[task_id])}"
                     for task_id in trial.tasks if told[task_id] is None or found[task_id] is None
                     or story(told[task_id]) != story(found[task_id])]
    listed = list_everywhere(trial, problems)
    # What was submitted without an id and not answered may be there, and be executed.
    strangers = {line["task_id"] for line in log} - listed
    if strangers:
        problems.append(f"executed, and not there: {sorted(strangers)[:5]}")
    starts, answers = defaultdict(list), defaultdict(list)
    for place, line in enumerate(log):
        (answers if "status" in line else starts)[line["task_id"]].append((place, line))
    for task_id, task in trial.tasks.items():
        problems += [f"{task_id}: {text}" for text in (
            *crash_checks.check_end(trial, task_id, found), *crash_checks.check_attempts(task, starts[task_id]),
            *(crash_checks.check_receipt(found[task_id], answers[task_id]) if found[task_id] else ()))]
    for name in NAMES:
        own = {task_id: task for task_id, task in found.items() if trial.homes[task_id] == name}
        events = [event for event in trial.told[name] if event[1] in own]
        problems += crash_checks.check_events(SimpleNamespace(events=events, gaps=name in trial.missed), own,
                                              returns=True)
    return problems


def story(task):
    """What of a task must be the same wherever it is asked for."""
    return {key: task.get(key) for key in ("state", "attempts", "node", "agent_id", "output", "error", "history")}


def list_everywhere(trial, problems):
    """The tasks of this round as the nodes list them, which must be the same, each once."""
    listed = None
    for node in trial.cluster.nodes.values():
        ids = [task["task_id"] for task in node.list(f"&label=round:{trial.number}", limit=50)]
        twice = sorted(task_id for task_id, count in Counter(ids).items() if count > 1)
        if twice:
            problems.append(f"{node.name} lists twice: {twice[:5]}")
        missing = sorted(set(trial.tasks) - set(ids))
        if missing:
            problems.append(f"{node.name} does not list {missing[:5]}")
        more = set(ids) - set(trial.tasks)
        if len(more) > trial.unanswered:
            problems.append(f"{node.name} lists what nobody submitted: {sorted(more)[:5]}")
        if listed is not None and set(ids) != listed:
            problems.append(f"{node.name} lists others than the node before it: {sorted(set(ids) ^ listed)[:5]}")
        listed = set(ids)
    return listed


def lost(trial, said):
    """Tasks that were accepted, and of which some node does not know the end."""
    return sum(any(told[task_id] is None or told[task_id]["state"] not in TERMINAL for told in said.values())
               for task_id in trial.accepted)


def doubled(trial, log):
    """Attempts that were executed twice, and tasks whose end was told twice."""
    starts = Counter((line["task_id"], line["attempt"]) for line in log if "status" not in line)
    ends = Counter(task_id for told in trial.told.values() for _, task_id, state in told if state in TERMINAL)
    return sum(count > 1 for count in starts.values()) + sum(count > 1 for count in ends.values())


class Logs:
    """What the services write down, from where it was read last."""

    def __init__(self, cluster):
        self.files = [open(service.path) for service in cluster.services.values()]

    def fresh(self):
        lines = [json.loads(line) for file in self.files for line in file if line.endswith("\n")]
        return sorted(lines, key=lambda line: line["at"])

    def close(self):
        for file in self.files:
            file.close()


def run(seed, rounds, say=lambda _: None):
    """Gives figures, and what was wrong."""
    chance = random.Random(f"{seed} chaos")
    wrong, total, slowest = [], Counter(), 0
    sections = {"execution": {"check_interval": "50ms", "retry_backoff": "10ms", "max_retry_backoff": "100ms",
                              "retain_tasks": crash_harness.ALL, "patience": "60s"}}
    with Cluster(NAMES, agents=AGENTS, **sections) as cluster:
        cluster.start()
        cluster.become_one()
        chaos, logs = Chaos(cluster, chance), Logs(cluster)
        cluster.callback(logs.close)
        for number in range(rounds):
            trial = Round(cluster, seed, number)
            took = trial.run(chaos, chance.randint(2, 5))
            log = logs.fresh()
            found = trial.final()
            problems = check(trial, found, log)
            wrong += [f"round {number}: {text}" for text in problems]
            states = Counter(task["state"] for task in found[NAMES[0]].values() if task)
            slowest = max(slowest, took)
            total.update({"rounds": 1, "tasks": len(trial.tasks), "executions": sum("status" not in x for x in log),
                          "submits_cut_off": trial.repeats, "unanswered": trial.unanswered,
                          "gaps": len(trial.missed), **states,
                          "lost": lost(trial, found), "doubled": doubled(trial, log)})
            say(f"round {number}: {len(trial.tasks)} tasks, one fleet after {took:.2f} s, {len(problems)} problems")
            for text in problems[:10]:
                say(f"  {text}")
    return {"seed": seed, **total, **{f"{what}s": count for what, count in chaos.count.items()},
            "slowest_fleet_s": round(slowest, 2), "problems": len(wrong)}, wrong
