"""All operations in general, and those of tasks, on a node without tokens."""
import json
import re
import unittest

import node_fixture as fixture
from contract import DOCUMENT, WHY_NOT, Call
from document import media_type
from wire import Connection


def start(case):
    """One node for a test class, with a service of every kind, and a task that completed and one that
    failed."""
    case.house = fixture.House()
    case.addClassCleanup(case.house.close)
    case.agents = case.house.agents()
    full = (429, {"error": {"code": "no_capacity", "message": "256 agents are there already"}})
    case.fakes = {"one": fixture.Fake("twin", ["twin-1"]), "two": fixture.Fake("twin", ["twin-1"]),
                  "full": fixture.Fake("crowd", refusal=full), "away": fixture.Fake("lost")}
    for fake in case.fakes.values():
        case.house.callback(fake.stop)
    services = {"local": case.agents.url, **{name: fake.url for name, fake in case.fakes.items()}}
    case.node = case.house.node(services, roles={"gate": {"max_agents": 1}},
                                api={"max_body_bytes": 65536, "cors_origins": ["https://console.test"]})
    case.call = Call(case.node)

    def submit(role, wait=None, **more):
        target = f"/v1/tasks?wait={wait}" if wait else "/v1/tasks"
        return case.call("POST", target, {"role": role, "input": {"a": [1, None]}, **more}, expect=201).json

    def offered():
        found = {role["role"] for role in case.call("GET", "/v1/roles").json["roles"]}
        twins = case.call("GET", "/v1/agents?role=twin").json["agents"]
        return {"echo", "gate", "broken", "twin", "crowd", "lost"} <= found and len(twins) == 2

    case.submit = staticmethod(submit)
    fixture.until(offered, "the roles and agents of all services")
    case.done = submit("echo", wait="30s")["task_id"]
    case.failed = submit("broken", wait="30s")["task_id"]
    case.agent = case.call("GET", "/v1/agents?role=echo").json["agents"][0]["agent_id"]


@unittest.skipIf(WHY_NOT, WHY_NOT)
class Answers(unittest.TestCase):
    """One node with all kinds of services, without tokens."""

    setUpClass = classmethod(lambda cls: start(cls))

    def sample(self, method, path):
        """A request that would be answered with 2xx, but for what a test does to it."""
        task = {"cancel": "no-such-task", "retry": "no-such-task"}.get(path.rsplit("/", 1)[-1], self.done)
        target = path.replace("{task_id}", task).replace("{agent_id}", self.agent).replace("{file}", self.asset())
        body = {"/v1/tasks": {"role": "echo", "input": 1}, "/v1/agents": {"role": "echo"},
                "/v1/tasks/cancel": {"task_ids": ["no-such-task"]}}.get(path)
        return method.upper(), target, body if method == "post" else None

    def asset(self):
        found = re.search(r"/assets/([^\"'?]+)", self.call("GET", "/").text)
        self.assertTrue(found, "the dashboard has no assets")
        return found[1]

    def samples(self):
        for method, path, operation in DOCUMENT.operations():
            yield operation, *self.sample(method, path)

    # -- all operations

    def test_every_get_is_answered_and_then_not_modified(self):
        for operation, method, target, _ in self.samples():
            if method == "GET" and "304" in operation["responses"]:
                with self.subTest(target):
                    tag = self.call("GET", target, expect=200).header("ETag")
                    changing = target in ("/v1/stats", "/v1/nodes", "/v1/agents", "/metrics") or "/agents/" in target
                    self.call("GET", target, If_None_Match="*" if changing else tag, expect=304)
                    self.call("HEAD", target, If_None_Match="*" if changing else tag, expect=304)

    def test_head_is_get_without_the_body(self):
        for _, method, target, _ in self.samples():
            if method == "HEAD":
                with self.subTest(target):
                    found = self.call("HEAD", target, expect=200)
                    self.assertEqual(found.header("Content-Type"), self.call("GET", target).header("Content-Type"))
                    self.call("HEAD", f"{target}?no_such_parameter=1", expect=400)

    def test_unknown_parameters_are_refused(self):
        for _, method, target, body in self.samples():
            if method in ("GET", "POST", "DELETE"):
                with self.subTest(f"{method} {target}"):
                    found = self.call(method, f"{target}?no_such_parameter=1", body, expect="400 invalid_parameter")
                    self.assertEqual([e["parameter"] for e in found.json["errors"]], ["no_such_parameter"])

    def test_strangers_in_a_browser_are_refused(self):
        for _, method, target, body in self.samples():
            with self.subTest(f"{method} {target}"):
                self.call(method, target, body, Origin="https://stranger.test", expect=403)
                self.call(method, target, body, Host="rebound.test", expect=421)

    def test_options_tells_the_methods_and_others_are_refused(self):
        for path in DOCUMENT.root["paths"]:
            _, target, _ = self.sample("options", path)
            with self.subTest(path):
                known = DOCUMENT.methods(target)
                allowed = self.call("OPTIONS", target, expect=204).header("Allow")
                self.assertEqual(set(re.split(r",\s*", allowed)), known)
                for method in {"GET", "POST", "DELETE", "PUT", "PATCH"} - known:
                    with Connection(self.node.port) as connection:
                        refused = connection.request(method, target)
                    self.assertEqual((refused.status, refused.json["code"]), (405, "method_not_allowed"))
                    self.assertEqual(set(re.split(r",\s*", refused.header("Allow"))), known)

    def test_a_known_origin_may_read_the_answer(self):
        found = self.call("OPTIONS", "/v1/tasks", Origin="https://console.test", Access_Control_Request_Method="POST")
        self.assertEqual(found.header("Access-Control-Allow-Origin"), "https://console.test")
        self.assertIn("POST", found.header("Access-Control-Allow-Methods"))
        found = self.call("GET", "/v1/tasks", Origin="https://console.test", expect=200)
        self.assertEqual(found.header("Access-Control-Allow-Origin"), "https://console.test")

    # -- tasks

    def test_one_task(self):
        full = {"task_id": "full", "role": "echo", "input": "x", "skills": [], "priority": 9, "timeout": "30s",
                "max_attempts": 2, "context_id": "c", "labels": {"a": "b"}, "deadline": "10m",
                "retry": {"backoff": "1s", "max_backoff": "2s", "codes": ["timeout"]}}
        found = self.call("POST", "/v1/tasks", full, expect=201)
        self.assertEqual(found.header("Location"), "/v1/tasks/full")
        view = self.call("GET", "/v1/tasks/full?wait=30s", expect=200).json
        self.assertEqual(view["state"], "completed")
        self.assertEqual((view["priority"], view["timeout_ms"], view["labels"]), (9, 30000, {"a": "b"}))
        self.assertEqual(view["output"]["input"], "x")
        self.assertGreater(view["deadline_at"], view["submitted_at"])

    def test_a_submit_can_be_repeated(self):
        task = {"task_id": "once", "role": "echo", "input": {"a": 1}}
        self.call("POST", "/v1/tasks?wait=30s", task, expect=201)
        again = self.call("POST", "/v1/tasks", task, expect=200)
        self.assertIsNone(again.header("Location"))
        self.assertEqual((again.json["state"], again.json["attempts"]), ("completed", 1))
        refused = self.call("POST", "/v1/tasks", {**task, "input": {"a": 2}}, expect="409 duplicate_task").json
        self.assertIn('/input: {"a":1} there, {"a":2} here', refused["detail"])
        self.call("POST", "/v1/tasks", [{**task, "task_id": "twice"}] * 2, expect="409 duplicate_task")
        both = self.call("POST", "/v1/tasks", [task, {**task, "task_id": "fresh"}], expect=201).json
        self.assertEqual([t["task_id"] for t in both["tasks"]], ["once", "fresh"])
        self.assertEqual(both["known"], ["once"])
        lines = "\n".join(json.dumps(t) for t in (task, {**task, "task_id": "other"}))
        found = self.call("POST", "/v1/tasks", lines, Content_Type="application/x-ndjson", expect=200)
        answers = [json.loads(line) for line in found.text.splitlines()]
        self.assertEqual(answers, [{"line": 1, "task_id": "once", "known": True}, {"line": 2, "task_id": "other"},
                                   {"accepted": 2, "refused": 0}])

    def test_a_header_may_name_a_task(self):
        task = {"role": "echo", "input": 1}
        first = self.call("POST", "/v1/tasks", task, Idempotency_Key="by-header", expect=201).json
        self.assertEqual(first["task_id"], "by-header")
        self.call("POST", "/v1/tasks", task, Idempotency_Key="by-header", expect=200)
        for wrong in ([task], {**task, "task_id": "another"}):
            self.call("POST", "/v1/tasks", wrong, Idempotency_Key="by-header", expect="400 invalid_task")

    def test_a_task_waits_for_those_that_it_depends_on(self):
        first = {"task_id": "dep-1", "role": "gate", "input": 1}
        then = {"task_id": "dep-2", "role": "echo", "input": 2, "depends_on": ["dep-1"]}
        self.call("POST", "/v1/tasks", [then, first], expect=201)
        fixture.working(self.node, "dep-1")
        self.assertEqual(self.call("GET", "/v1/tasks/dep-2/why", expect=200).json["reason"], "blocked")
        self.house.gate.open()
        found = self.call("GET", "/v1/tasks/dep-2?wait=30s", expect=200).json
        self.assertEqual((found["state"], found["depends_on"]), ("completed", ["dep-1"]))

    def test_a_task_whose_dependency_failed_fails_or_runs(self):
        tasks = [{"task_id": f"after-{policy}", "role": "echo", "input": 1, "depends_on": [self.failed],
                  "on_dependency_failure": policy} for policy in ("fail", "run")]
        failed, ran = self.call("POST", "/v1/tasks?wait=30s", tasks, expect=201).json["tasks"]
        self.assertEqual((failed["state"], failed["error"]["code"]), ("failed", "dependency_failed"))
        self.assertEqual(ran["state"], "completed")

    def test_dependencies_that_cannot_be(self):
        task = {"task_id": "a", "role": "echo", "input": 1}
        self.call("POST", "/v1/tasks", {**task, "depends_on": ["no-such-task"]}, expect="400 unknown_dependency")
        circle = [{**task, "depends_on": ["b"]}, {**task, "task_id": "b", "depends_on": ["a"]}]
        self.call("POST", "/v1/tasks", circle, expect="400 dependency_cycle")
        self.call("POST", "/v1/tasks", {**task, "depends_on": ["a"]}, expect="400 invalid_task")

    def test_a_deadline_is_for_the_whole_task(self):
        found = self.submit("later", "30s", deadline="50ms", retry={"backoff": "10m"})
        self.assertEqual((found["state"], found["error"]["code"]), ("failed", "deadline_exceeded"))

    def test_several_tasks_are_accepted_together_or_not_at_all(self):
        tasks = [{"role": "echo", "input": i} for i in range(3)]
        for body in (tasks, {"tasks": tasks}):
            found = self.call("POST", "/v1/tasks?wait=30s", body, expect=201).json["tasks"]
            self.assertEqual([t["input"] for t in found], [0, 1, 2])
            self.assertEqual({t["state"] for t in found}, {"completed"})
        wrong = [{"task_id": "never", "role": "echo", "input": 1}, {"input": 1, "priority": 10, "rol": "x"}]
        found = self.call("POST", "/v1/tasks", wrong, expect="400 invalid_task").json
        self.assertEqual({e["pointer"] for e in found["errors"]}, {"/1/role", "/1/priority", "/1/rol"})
        self.call("GET", "/v1/tasks/never", expect="404 unknown_task")

    def test_a_stream_of_tasks(self):
        lines = ['{"task_id":"s1","role":"echo","input":1}', '{"role":"echo"}',
                 '{"task_id":"s3","role":"echo","input":3}']
        found = self.call("POST", "/v1/tasks", "\n".join(lines), Content_Type="application/x-ndjson", expect=200)
        self.assertEqual(media_type(found.header("Content-Type")), "application/x-ndjson")
        answers = [json.loads(line) for line in found.text.splitlines()]
        self.assertEqual([a.get("task_id") for a in answers], ["s1", None, "s3", None])
        self.assertEqual(answers[1]["error"]["code"], "invalid_task")
        self.assertEqual(answers[3], {"accepted": 2, "refused": 1})

    def test_bodies_that_are_refused(self):
        for target in ("/v1/tasks", "/v1/agents"):
            self.call("POST", target, b"{}", Content_Type="text/plain", expect="415 unsupported_media_type")
            self.call("POST", target, b" " * 65537, Content_Type="application/json", expect="413 too_large")
        self.call("POST", "/v1/tasks", b'{"role"', Content_Type="application/json", expect="400 invalid_body")
        self.call("POST", "/v1/tasks/cancel", b" " * 65537, Content_Type="application/json", expect="413 too_large")
        for action in ("cancel", "retry"):
            self.call("POST", f"/v1/tasks/{self.done}/{action}", {"force": True}, expect="400 invalid_body")
        self.call("POST", "/v1/agents", {"rol": "echo"}, expect="400 invalid_body")

    def test_a_task_that_waits_is_canceled_and_then_retried(self):
        first, second = self.submit("gate")["task_id"], self.submit("gate")["task_id"]
        fixture.working(self.node, first)
        why = self.call("GET", f"/v1/tasks/{second}/why", expect=200).json
        self.assertEqual((why["reason"], why["position"], why["chosen"]), ("at_limit", 1, None))
        for _ in range(2):
            self.assertEqual(self.call("POST", f"/v1/tasks/{second}/cancel", expect=200).json["state"], "canceled")
        self.call("POST", f"/v1/tasks/{first}/retry", expect="409 task_not_retryable")
        again = self.call("POST", f"/v1/tasks/{second}/retry", expect=201)
        self.assertEqual(again.json["retry_of"], second)
        self.assertEqual(self.call("GET", f"/v1/tasks/{second}").json["retried_as"], again.json["task_id"])
        self.assertEqual(again.header("Location"), f"/v1/tasks/{again.json['task_id']}")
        for task in (first, again.json["task_id"]):
            ended = self.call("POST", f"/v1/tasks/{task}/cancel", expect=200).json
            self.assertEqual(ended["error"]["code"], "canceled")

    def test_many_tasks_are_canceled_at_once(self):
        ids = [self.submit("gate", labels={"cancel": str(i % 2)})["task_id"] for i in range(4)]
        count = lambda *request: self.call("POST", *request, expect=200).json["canceled"]
        self.assertEqual(count("/v1/tasks/cancel", {"task_ids": [ids[0], self.done, "no-such-task"]}), 1)
        self.assertEqual(count("/v1/tasks/cancel?label=cancel:1&state=submitted,working"), 2)
        self.assertEqual(count("/v1/tasks/cancel", {"all": True}), 1)
        states = {t["state"] for t in self.call("GET", "/v1/tasks?label=cancel", expect=200).json["tasks"]}
        self.assertEqual(states, {"canceled"})
        for body in (None, {}, {"task_ids": []}, {"task_ids": ["x"], "all": True}, {"ids": ["x"]}):
            self.call("POST", "/v1/tasks/cancel", body, expect="400 invalid_body")
        self.call("POST", "/v1/tasks/cancel?role=echo", {"all": True}, expect="400 invalid_body")

    def test_tasks_that_have_ended_or_are_not_known(self):
        self.call("POST", f"/v1/tasks/{self.done}/cancel", expect="409 task_terminal")
        self.call("POST", f"/v1/tasks/{self.done}/retry", expect="409 task_not_retryable")
        self.assertEqual(self.call("GET", f"/v1/tasks/{self.failed}").json["history"][0]["verdict"], "failed")
        self.assertEqual(self.call("GET", f"/v1/tasks/{self.done}/why").json["reason"], "placed")
        for method, path in (("GET", ""), ("GET", "/why"), ("GET", "/events"), ("POST", "/cancel"), ("POST", "/retry")):
            self.call(method, f"/v1/tasks/no-such-task{path}", expect="404 unknown_task")

    def test_a_role_that_nobody_offers(self):
        found = self.submit("nobody-offers-it", wait="30s")
        self.assertEqual((found["state"], found["error"]["code"]), ("rejected", "unknown_role"))

    def test_lists_are_filtered_and_paged(self):
        ids = [self.submit("echo", "30s", labels={"list": str(i % 2)}, context_id="listed")["task_id"]
               for i in range(5)]
        found, target = [], "/v1/tasks?context_id=listed&limit=2"
        for _ in range(3):
            page = self.call("GET", target, expect=200).json
            found += [t["task_id"] for t in page["tasks"]]
            target = f"/v1/tasks?context_id=listed&limit=2&cursor={page.get('next_cursor')}"
        self.assertNotIn("next_cursor", page)
        self.assertEqual(found, ids[::-1])
        for query, count in (("label=list:0", 3), ("label=list", 5), ("label=list&label=list:1", 2),
                             ("role=echo&context_id=listed", 5), ("context_id=listed&state=failed,working", 0)):
            self.assertEqual(len(self.call("GET", f"/v1/tasks?{query}", expect=200).json["tasks"]), count, query)
        for query in ("limit=0", "limit=1001", "state=done", "cursor=x", "limit=1&limit=2"):
            self.call("GET", f"/v1/tasks?{query}", expect="400 invalid_parameter")
