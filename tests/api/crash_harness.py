"""A node that is killed again and again under load, and what has become of its tasks.

`Trial` runs rounds on one journal: the node starts, clients submit, cancel and follow, and SIGKILL ends
it at some moment, early starts included. After the last round the node may finish, and `crash_checks`
compares what the clients were told, what the node says, and what the agents service has written down.
"""
import json
import pathlib
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time

import node_fixture
from wire import Closed, Connection

SERVICE = pathlib.Path(__file__).resolve().parents[1] / "support/logging_service.py"
LOST = (OSError, Closed)  # the node has gone in the middle of an exchange, or is about to go
SETTLE_S = 90
ALL = 1_000_000
TERMINAL = {"completed", "failed", "canceled", "rejected"}


def free_port():
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


DRAINS = "the node drains"


def refuse_if_it_leaves(answer):
    """What a node does not take any more is submitted to its next life."""
    if answer.status == 503:
        raise Closed(DRAINS)


class Node:
    """One life of the node."""

    def __init__(self, config, errors):
        self.child = subprocess.Popen([node_fixture.PROGRAM, "node", "--config", config], stdout=subprocess.PIPE,
                                      stderr=errors, stdin=subprocess.DEVNULL)

    def wait_until_it_listens(self):
        line = self.child.stdout.readline()
        if not line.startswith(b"listening on http"):
            raise AssertionError(f"the node did not start: {line!r}, exit code {self.child.wait()}")

    def kill(self):
        """Gives the exit code if it had ended by itself, which it must not."""
        ended = self.child.poll()
        self.child.kill()
        self.child.wait()
        self.child.stdout.close()
        return ended


class Trial:
    """`retain` is how many tasks that have ended the node keeps; those that it has forgotten may be gone."""

    def __init__(self, folder, seed, rounds, retain=ALL):
        self.retain = retain
        self.folder, self.rounds = pathlib.Path(folder), rounds
        self.chance = random.Random(f"{seed} main")
        self.seed = seed
        self.port = free_port()
        self.tasks = {}      # by id, as submitted; all of them are submitted until they are accepted
        self.accepted = {}   # id: when the answer was there
        self.seen = {}       # id: the terminal state that an answer has told of
        self.events = []     # (number, task id, state) of the stream, in its order
        self.gaps = 0
        self.problems = []   # what went wrong while it ran
        self.kills = self.early_kills = self.reconnects = self.repeats = self.again = 0
        self.ending = threading.Event()   # no new tasks
        self.over = threading.Event()     # no new questions either
        self.lock = threading.Lock()

    # -- the clients --------------------------------------------------------------------------------------------

    def wrong(self, text):
        with self.lock:
            self.problems.append(text)

    def new_task(self, name, chance, known):
        task = {"task_id": name, "role": "worker", "input": {"ms": chance.choice([0, 0, 0, 5, 20, 60, 250])},
                "priority": chance.randrange(10), "labels": {"of": name[:3], "text": "grün"}}
        kind = chance.random()
        if kind < 0.2:
            task["max_attempts"] = 1
        elif kind < 0.3:
            task["input"]["busy_until"] = chance.choice([1, 1, 2])
        elif kind < 0.35:
            task["input"]["fails"] = True
        elif kind < 0.37:
            task["deadline"] = "2s"
        elif kind < 0.4:
            task["input"] = chance.choice([None, 1.50, "\u2028 text", [1, {"b": 1, "a": 2}]])
        if kind >= 0.2:
            task["max_attempts"] = 30  # as good as "until it is done": a node that dies takes an attempt
        task["idempotent"] = chance.random() < 0.5  # its slow attempts are hedged
        if known and chance.random() < 0.3:
            task["depends_on"] = list(dict.fromkeys(chance.choices(known, k=chance.randint(1, 3))))
        return task

    def submit(self, number):
        """Submits for ever, and repeats what was not answered: with the same ids and content."""
        chance = random.Random(f"{self.seed} client {number}")
        known, count, waiting = [], 0, []
        connection = None
        while waiting or not self.ending.is_set():
            if not waiting:
                way = chance.choice(["one", "one", "array", "lines"])
                batch = []
                for _ in range(1 if way == "one" else chance.randint(2, 12)):
                    count += 1
                    needed = known if self.retain == ALL else []  # what is forgotten cannot be depended on
                    batch.append(self.new_task(f"c{number}-{count}", chance,
                                               (needed + [task["task_id"] for task in batch])[-30:]))
                waiting = [(way, batch)]
                if known and chance.random() < 0.1 and self.retain == ALL:  # something that has been accepted before
                    waiting.append(("known", [self.tasks[chance.choice(known)]]))
                with self.lock:
                    self.tasks.update({task["task_id"]: task for task in batch})
            try:
                connection = connection or Connection(self.port)
                way, batch = waiting[0]
                self.post(connection, way, batch)
                known += [task["task_id"] for task in batch if way != "known"]
                waiting.pop(0)
                self.over.wait(chance.random() * 0.03)
            except LOST:
                self.repeats += bool(connection)
                connection = connection and connection.close()
                self.over.wait(0.02)
            if self.over.is_set():
                break
        if connection:
            connection.close()

    def post(self, connection, way, batch):
        if way == "lines":
            return self.post_lines(connection, batch)
        answer = connection.request("POST", "/v1/tasks", body=batch if way == "array" else batch[0])
        refuse_if_it_leaves(answer)
        if answer.status not in ((200,) if way == "known" else (200, 201)):
            self.wrong(f"{way} of {[task['task_id'] for task in batch]} was answered with {answer.status} {answer.text}")
            return None
        self.again += answer.status == 200
        told = answer.json["tasks"] if way == "array" else [answer.json]
        for task in told:
            self.note(task)
        for task in batch:
            self.accepted.setdefault(task["task_id"], time.time())
        return None

    def post_lines(self, connection, batch):
        body = "".join(json.dumps(task) + "\n" for task in batch).encode()
        connection.send(connection.head("POST", "/v1/tasks", {"Content-Type": "application/x-ndjson",
                                                              "Content-Length": len(body)}) + body)
        response = connection.start("POST")
        refuse_if_it_leaves(response)
        leaves = False
        for line in connection.lines(response):
            told = json.loads(line)
            if "task_id" in told:
                self.accepted.setdefault(told["task_id"], time.time())
                self.again += told.get("known", False)
            elif told.get("error", {}).get("status") == 503:
                leaves = True
            elif "accepted" not in told:
                self.wrong(f"a line of {[task['task_id'] for task in batch]} was answered with {line}")
        if leaves:
            raise Closed(DRAINS)

    def note(self, task):
        """A terminal state that somebody was told of never changes."""
        if task["state"] in TERMINAL:
            before = self.seen.setdefault(task["task_id"], task["state"])
            if before != task["state"]:
                self.wrong(f"{task['task_id']} was {before} and is {task['state']}")

    def look(self, number):
        """Asks for accepted tasks, and cancels some."""
        chance = random.Random(f"{self.seed} look {number}")
        connection = None
        while not self.ending.is_set():
            self.over.wait(chance.random() * 0.03)
            accepted = list(self.accepted)
            if not accepted:
                continue
            task_id = chance.choice(accepted[-200:])
            cancels = chance.random() < 0.3
            try:
                connection = connection or Connection(self.port)
                if cancels:
                    answer = connection.request("POST", f"/v1/tasks/{task_id}/cancel")
                else:
                    answer = connection.request("GET", f"/v1/tasks/{task_id}")
                if answer.status == 200:
                    self.note(answer.json)
                    if cancels and answer.json["state"] != "canceled":
                        self.wrong(f"{task_id} was canceled, and is {answer.text}")
                elif not (cancels and answer.status == 409) and self.retain == ALL:
                    self.wrong(f"{task_id}, which was accepted: {answer.status} {answer.text}")
            except LOST:
                connection = connection and connection.close()
        if connection:
            connection.close()

    def follow(self, started):
        """Reads the stream of events, and goes on after each end where it was."""
        last = None
        while not self.over.is_set():
            try:
                with Connection(self.port) as connection:
                    headers = {"Last-Event-ID": str(last)} if last else {}
                    response = connection.request_head("GET", "/v1/events", headers)
                    for event in connection.events(response):
                        if event["event"] == "hello" and last is None:
                            last = int(event["data"]["last_event_id"])
                        elif event["event"] == "gap":
                            self.gaps += 1
                        started.set()
                        if "id" not in event:
                            continue
                        number, last = int(event["id"]), int(event["id"])
                        if event["event"] == "task":
                            self.events.append((number, event["data"]["task_id"], event["data"]["state"]))
            except LOST:
                self.reconnects += 1
                self.over.wait(0.01)

    # -- the rounds ---------------------------------------------------------------------------------------------

    def configure(self, url):
        config = {"services": [{"name": "logging", "url": url}],
                  "api": {"listen": f"127.0.0.1:{self.port}", "event_buffer": 1_000_000},
                  "execution": {"hedge": True, "hedge_share": 1, "check_interval": "50ms", "retry_backoff": "10ms", "max_retry_backoff": "100ms",
                                "retain_tasks": self.retain},
                  "journal": {"path": str(self.folder / "journal.db")}, "log": {"level": "warn"}}
        path = self.folder / "node.json"
        path.write_text(json.dumps(config))
        return str(path)

    def run(self):
        service = subprocess.Popen([sys.executable, SERVICE, "--log", self.folder / "service.log"],
                                   stdout=subprocess.PIPE)
        errors = open(self.folder / "node.err", "ab")
        threads = []
        node = None
        try:
            config = self.configure(service.stdout.readline().decode().split()[-1])
            started = threading.Event()
            node = Node(config, errors)
            node.wait_until_it_listens()
            threads.append(self.thread(self.follow, started))
            if not started.wait(SETTLE_S):
                raise AssertionError("the stream of events says nothing")
            threads += [self.thread(self.submit, number) for number in range(3)]
            threads += [self.thread(self.look, number) for number in range(2)]
            for _ in range(self.rounds):
                node = self.one_round(node, config, errors)
            node.wait_until_it_listens()
            self.ending.set()
            self.wait_for_the_end()
            return self.final()
        finally:
            self.ending.set()
            self.over.set()
            if node:
                node.kill()
            for thread in threads:
                thread.join(node_fixture.PATIENCE_S)
            service.terminate()
            service.wait()
            service.stdout.close()
            errors.close()

    def thread(self, what, *arguments):
        thread = threading.Thread(target=what, args=arguments, daemon=True)
        thread.start()
        return thread

    def one_round(self, node, config, errors):
        """The node dies at some moment, and is started again."""
        if self.chance.random() < 0.15:
            self.early_kills += 1
            time.sleep(self.chance.random() * 0.06)  # while it opens the journal, or goes on with it
        else:
            if self.kills:
                node.wait_until_it_listens()
            time.sleep(0.03 + self.chance.random() * 0.3)
        ended = node.kill()
        if ended is not None:
            raise AssertionError(f"the node ended by itself: {ended}; {(self.folder / 'node.err').read_text()[-2000:]}")
        self.kills += 1
        return Node(config, errors)

    def wait_for_the_end(self):
        """Until all is accepted and over, and the stream has told so."""
        end = time.monotonic() + SETTLE_S
        while time.monotonic() < end:
            told = {task_id for _, task_id, state in self.events if state in TERMINAL}
            if set(self.tasks) <= set(self.accepted) and set(self.tasks) <= told:
                return
            time.sleep(0.1)
        self.wrong(f"after {SETTLE_S} s: not accepted {sorted(set(self.tasks) - set(self.accepted))[:5]}, "
                   f"no end told of {sorted(set(self.tasks) - told)[:5]}")

    def final(self):
        """What the node says in the end, by task."""
        found = {}
        with Connection(self.port) as connection:
            for task_id in self.tasks:
                answer = connection.request("GET", f"/v1/tasks/{task_id}")
                found[task_id] = answer.json if answer.status == 200 else None
        return found


def run(seed, rounds, retain=ALL):
    """Gives a Trial that is over, and what was wrong with it."""
    from crash_checks import check
    with tempfile.TemporaryDirectory() as folder:
        trial = Trial(folder, seed, rounds, retain)
        found = trial.run()
        log = [json.loads(line) for line in (trial.folder / "service.log").read_text().splitlines()]
        trial.figures = figures(trial, found, log)
        return trial, trial.problems + check(trial, found, log)


def figures(trial, found, log):
    states = [task["state"] for task in found.values() if task]
    return {"rounds": trial.kills, "tasks": len(trial.tasks), **{s: states.count(s) for s in sorted(TERMINAL)},
            "executions": sum("status" not in line for line in log), "events": len(trial.events),
            "killed_while_starting": trial.early_kills, "reconnects": trial.reconnects, "gaps": trial.gaps,
            "submits_cut_off": trial.repeats, "submits_known": trial.again}
