"""Events, agents, figures and pages; and the nodes on which requests are refused: with tokens, with a
rate limit, full, draining, and without a service."""
import itertools
import json
import re
import shutil
import subprocess
import unittest

import node_fixture as fixture
from contract import DOCUMENT, WHY_NOT, Call, check
from contract_tasks import start
from document import ROOT, media_type
from wire import Connection


@unittest.skipIf(WHY_NOT, WHY_NOT)
class Rest(unittest.TestCase):
    setUpClass = classmethod(lambda cls: start(cls))

    # -- events

    def stream(self, target, last=None, **headers):
        """The events of a stream up to the one for which `last` holds, or to its end."""
        found = []
        with Connection(self.node.port) as connection:
            response = connection.request_head("GET", target, {k.replace("_", "-"): v for k, v in headers.items()})
            for event in connection.events(response):
                found.append(event)
                if last and last(event):
                    break
        response.body = "".join(f"{self.fields(event)}\n" for event in found).encode()
        check("GET", target, response, 200)
        self.assertEqual(found[0]["event"], "hello")
        return found[1:]

    @staticmethod
    def fields(event):
        return "".join(f"{k}: {json.dumps(v) if k == 'data' else v}\n" for k, v in event.items())

    def test_the_events_of_a_task_end_with_it(self):
        task = self.submit("gate")["task_id"]
        fixture.working(self.node, task)
        self.house.gate.open()
        events = list(self.stream(f"/v1/tasks/{task}/events"))
        # A start that is still on its way to the journal is shown first, and told once it is there.
        states = [state for state, _ in itertools.groupby(e["data"]["state"] for e in events)]
        self.assertEqual(states, ["working", "completed"][-len(states):], events)
        self.assertEqual([e["data"]["state"] for e in self.stream(f"/v1/tasks/{task}/events")], ["completed"])

    def test_a_reader_resumes_where_it_was(self):
        since = self.call("GET", "/v1/stats").json["last_event_id"]
        task = self.submit("echo", labels={"events": "resume"}, wait="30s")["task_id"]
        query = "/v1/events?label=events:resume"
        ended = lambda event: event["event"] == "task" and event["data"]["state"] == "completed"
        found = self.stream(query, ended, Last_Event_ID=since)
        self.assertEqual({e["data"]["task_id"] for e in found}, {task})
        ids = [int(e["id"]) for e in found]
        self.assertEqual(ids, sorted(set(ids)))
        self.assertGreater(ids[0], int(since))
        rest = self.stream(f"{query}&last_event_id={ids[0]}", ended)
        self.assertEqual([e["id"] for e in rest], [e["id"] for e in found[1:]])

    def test_events_are_filtered_by_type(self):
        since = self.call("GET", "/v1/stats").json["last_event_id"]
        agent = self.call("POST", "/v1/agents", {"role": "echo"}, expect=201).json["agent_id"]
        self.call("DELETE", f"/v1/agents/{agent}", expect=202)

        def gone(event):
            data = event["data"]
            return data.get("change") == "down" and data["agent"]["agent_id"] == agent

        found = self.stream("/v1/events?type=agent", gone, Last_Event_ID=since)
        changes = [e["data"]["change"] for e in found if e["data"]["agent"]["agent_id"] == agent]
        self.assertEqual((changes[0], changes[-1]), ("up", "down"))
        self.call("GET", f"/v1/agents/{agent}", expect="404 unknown_agent")

    # -- agents

    def test_agents_are_listed_and_paged(self):
        found, target = [], "/v1/agents?limit=1"
        while target:
            page = self.call("GET", target, expect=200).json
            found += [(a["service"], a["agent_id"]) for a in page["agents"]]
            target = f"/v1/agents?limit=1&cursor={page['next_cursor']}" if "next_cursor" in page else None
        self.assertEqual(found, sorted(found))
        self.assertLessEqual({("one", "twin-1"), ("two", "twin-1")}, set(found))
        for query in ("role=echo", "state=ready", "service=local"):
            self.assertTrue(self.call("GET", f"/v1/agents?{query}", expect=200).json["agents"], query)

    def test_two_services_may_use_the_same_id(self):
        for method in ("GET", "DELETE"):
            self.call(method, "/v1/agents/twin-1", expect="409 ambiguous_agent")
            self.call(method, "/v1/agents/no-such-agent", expect="404 unknown_agent")
        self.assertEqual(self.call("GET", "/v1/agents/twin-1?service=two", expect=200).json["service"], "two")

    def test_spawns_that_are_refused(self):
        self.call("POST", "/v1/agents", {"role": "nobody-offers-it"}, expect="404 unknown_role")
        self.call("POST", "/v1/agents", {"role": "crowd"}, expect="502 spawn_refused")
        self.fakes["away"].stop()
        self.call("POST", "/v1/agents", {"role": "lost"}, expect="503 service_unreachable")
        task = self.submit("gate")["task_id"]
        fixture.working(self.node, task)
        self.call("POST", "/v1/agents", {"role": "gate"}, expect="409 at_maximum")
        self.house.gate.open()  # not canceled: its process would be at the gate for some time still
        self.assertEqual(self.call("GET", f"/v1/tasks/{task}?wait=30s", expect=200).json["state"], "completed")

    # -- figures and pages

    def test_figures_are_of_what_happened(self):
        stats = self.call("GET", "/v1/stats", expect=200).json
        self.assertGreaterEqual(stats["tasks"]["completed"], 1)
        self.assertGreaterEqual(stats["tasks"]["failed"], 1)
        self.assertEqual(stats["accepted"], sum(stats["tasks"].values()))
        node, = self.call("GET", "/v1/nodes", expect=200).json["nodes"]
        self.assertEqual({s["service"] for s in node["services"]}, {"local", "one", "two", "full", "away"})

    @unittest.skipUnless(shutil.which("promtool"), "promtool is not installed")
    def test_promtool_takes_the_metrics(self):
        text = self.call("GET", "/metrics", expect=200).text
        found = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, capture_output=True)
        self.assertEqual((found.returncode, found.stdout + found.stderr), (0, ""))

    def test_every_metric_that_alerts_and_the_dashboard_use_is_there(self):
        self.call("GET", "/v1/tasks/no-such-task", expect=404)  # what is counted by reason needs one
        text = self.call("GET", "/metrics", expect=200).text
        there = set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))
        used = set()
        for file in ("prometheus/alerts.yml", "grafana/dashboard.json"):
            content = (ROOT / "config" / file).read_text()
            used |= {re.sub("_(bucket|sum|count)$", "", name) for name in
                     re.findall(r"\b((?:rolecall|process)_[a-z_]+)\b", content)}
        of_links = {name for name in used if name.startswith(("rolecall_link_", "rolecall_cluster_"))}
        self.assertTrue(of_links)  # a node alone has none
        self.assertEqual(used - there - of_links, set())

    def test_the_pages(self):
        served = self.call("GET", "/openapi.json", expect=200).json
        self.assertEqual(served["paths"], DOCUMENT.root["paths"])
        page = self.call("GET", "/errors", expect=200).text
        for code in DOCUMENT.errors:
            self.assertRegex(page, rf"""id=["']?{code}["'\s>]""")
        self.assertEqual(media_type(self.call("GET", "/", expect=200).header("Content-Type")), "text/html")
        self.call("GET", "/assets/no-such-file", expect="404 not_found")
        self.assertEqual(self.call("GET", "/healthz", expect=200).json, {"status": "ok"})


@unittest.skipIf(WHY_NOT, WHY_NOT)
class Refusals(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.house = fixture.House()
        cls.addClassCleanup(cls.house.close)
        cls.agents = cls.house.agents()

    def node(self, **sections):
        return fixture.ready(self.house.node({"local": self.agents.url}, **sections))

    def paths(self):
        for method, path, operation in DOCUMENT.operations():
            target = re.sub(r"\{[a-z_]+\}", "x", path)
            body = {"/v1/tasks": {"role": "echo", "input": 1}, "/v1/agents": {"role": "echo"},
                    "/v1/tasks/cancel": {"task_ids": ["x"]}}.get(path)
            yield operation, method.upper(), target, body if method == "post" else None

    def test_tokens_have_rights(self):
        node = self.house.node({"local": self.agents.url}, api={"tokens": self.house.tokens()})
        nobody, calls = Call(node), {right: Call(node, right) for right in fixture.TOKENS}
        fixture.until(lambda: nobody("GET", "/readyz").status == 200, "the node to be ready")
        for operation, method, target, body in self.paths():
            with self.subTest(f"{method} {target}"):
                if operation.get("security") == []:
                    if "{" not in target and target != "/assets/x":
                        self.assertLess(nobody(method, target).status, 400)
                    continue
                nobody(method, target, body, expect=401)
                nobody(method, target, body, Authorization="Bearer wrong", expect=401)
                if method in ("POST", "DELETE"):
                    calls["read"](method, target, body, expect="403 forbidden")
                if "/agents" in target and method in ("POST", "DELETE"):
                    calls["submit"](method, target, body, expect="403 forbidden")
        calls["read"]("GET", "/v1/tasks", expect=200)
        calls["submit"]("POST", "/v1/tasks", {"role": "echo", "input": 1}, expect=201)
        calls["admin"]("POST", "/v1/agents", {"role": "echo"}, expect=201)

    def test_an_address_has_a_rate(self):
        limit = {"requests_per_second": 0.001, "burst": 1}
        node = self.house.node({"local": self.agents.url}, api={"rate_limit": limit})
        call = Call(node)
        for operation, method, target, body in self.paths():
            with self.subTest(f"{method} {target}"):
                statuses = {call(method, target, body).status for _ in range(2)}
                self.assertIn(429, statuses)

    def test_a_node_is_full(self):
        node = self.node(execution={"max_tasks": 1})
        call = Call(node)
        failed = call("POST", "/v1/tasks?wait=30s", {"role": "broken", "input": 1}, expect=201).json["task_id"]
        call("POST", "/v1/tasks", {"task_id": "only", "role": "gate", "input": 1}, expect=201)
        call("POST", "/v1/tasks", {"role": "echo", "input": 1}, expect="429 queue_full")
        call("POST", f"/v1/tasks/{failed}/retry", expect="429 queue_full")
        call("POST", "/v1/tasks/only/cancel", expect=200)
        call("POST", f"/v1/tasks/{failed}/retry", expect=201)

    def test_a_node_drains(self):
        node = self.node(node={"drain_timeout": "30s"})
        call = Call(node)
        failed = call("POST", "/v1/tasks?wait=30s", {"role": "broken", "input": 1}, expect=201).json["task_id"]
        call("POST", "/v1/tasks", {"task_id": "last", "role": "gate", "input": 1}, expect=201)
        fixture.working(node, "last")
        fixture.stop(node)
        fixture.until(lambda: call("GET", "/readyz").status == 503, "the node to drain")
        call("GET", "/readyz", expect="503 not_ready")
        call("POST", "/v1/tasks", {"role": "echo", "input": 1}, expect="503 shutting_down")
        call("POST", f"/v1/tasks/{failed}/retry", expect="503 shutting_down")
        self.assertEqual(call("GET", "/v1/nodes", expect=200).json["nodes"][0]["state"], "draining")
        self.house.gate.open()
        self.assertEqual(node.wait(), 0)

    def test_a_node_without_a_service_is_not_ready(self):
        call = Call(self.house.node({"local": fixture.nobody()}))
        call("GET", "/readyz", expect="503 not_ready")
        call("HEAD", "/readyz", expect=503)
        call("GET", "/healthz", expect=200)
        self.assertEqual(call("GET", "/v1/nodes", expect=200).json["nodes"][0]["state"], "starting")
        found = call("POST", "/v1/tasks", {"role": "echo", "input": 1}, expect=201).json
        self.assertEqual(call("GET", f"/v1/tasks/{found['task_id']}/why", expect=200).json["reason"], "no_agent")
