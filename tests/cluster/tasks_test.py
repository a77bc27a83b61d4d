#!/usr/bin/env python3
"""Every node answers for the tasks of all: asked for, listed, canceled, tried again, explained."""
import unittest

from cluster_fixture import Cluster, node_fixture, within

ROLES = {"a": (), "b": ("worker",), "c": ("right",)}


def unknown_in_the_end(test, node):
    """A node that has just started says for some seconds that it cannot know."""
    def asked():
        answer = node.request("GET", "/v1/tasks/nobody-has-this")
        test.assertIn((answer.status, answer.json["code"]), ((404, "unknown_task"), (503, "node_unreachable")))
        return answer.status == 404
    within(10, asked, "the task to be unknown")


@unittest.skipIf(node_fixture.missing(), node_fixture.missing())
class TasksOfAllNodes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster("abc", ROLES))
        cls.cluster.start()
        cls.cluster.become_one()
        cls.a, cls.b, cls.c = (cls.cluster.nodes[name] for name in "abc")

    def test_a_task_is_the_same_wherever_it_is_asked_for(self):
        task_id = self.b.submit(role="right", input={"x": [1.50, "grün", None]}, labels={"of": "same"})
        own = self.b.task(task_id, "10s")
        self.assertEqual(own["state"], "completed")
        for other in (self.a, self.c):
            self.assertEqual(other.task(task_id), {**own, "home": "b"})

    def test_waiting_at_another_node_ends_with_the_task(self):
        task_id = self.a.submit(role="right", input={"ms": 400})
        self.assertEqual(self.b.task(task_id, "20s")["state"], "completed")

    def test_an_unknown_task_is_unknown_everywhere(self):
        for node in self.cluster.nodes.values():
            unknown_in_the_end(self, node)

    def test_lists_of_all_nodes_have_each_task_once_whatever_the_size_of_a_page(self):
        wanted = {node.submit(role="right", labels={"of": "list"})
                  for _ in range(7) for node in self.cluster.nodes.values()}
        for node in self.cluster.nodes.values():
            for limit in (1, 2, 5, 20, 21, 1000):
                tasks = node.list("&label=of:list", limit)
                self.assertEqual(sorted(task["task_id"] for task in tasks), sorted(wanted))
                times = [task["submitted_at"] for task in tasks]
                self.assertEqual(times, sorted(times, reverse=True))

    def test_what_is_submitted_between_two_pages_moves_nothing(self):
        def some(count):
            return {node.submit(role="right", labels={"of": "pages"})
                    for _ in range(count) for node in self.cluster.nodes.values()}
        wanted, found, cursor = some(5), [], ""
        while cursor is not None:
            page = self.a.get(f"/v1/tasks?label=of:pages&limit=4{cursor}")
            found += [task["task_id"] for task in page["tasks"]]
            cursor = f"&cursor={page['next_cursor']}" if "next_cursor" in page else None
            some(1) if len(found) < 9 else None
        self.assertEqual(sorted(found), sorted(wanted))

    def test_a_wrong_cursor_is_told_of(self):
        for cursor in ("x", "b:", "b:x", "b:1,", "b:0"):
            answer = self.a.request("GET", f"/v1/tasks?cursor={cursor}")
            self.assertEqual((answer.status, answer.json["code"]), (400, "invalid_parameter"), cursor)

    def test_a_task_is_canceled_from_a_node_that_does_not_have_it(self):
        task_id = self.a.submit(role="right", input={"ms": 20_000})
        within(10, lambda: self.b.task(task_id)["state"] == "working", "the task to work")
        answer = self.b.request("POST", f"/v1/tasks/{task_id}/cancel")
        self.assertEqual((answer.status, answer.json["state"]), (200, "canceled"))
        for node in self.cluster.nodes.values():
            self.assertEqual(node.task(task_id)["state"], "canceled")
        answer = self.b.request("POST", f"/v1/tasks/{task_id}/cancel")
        own = self.a.request("POST", f"/v1/tasks/{task_id}/cancel")
        self.assertEqual((answer.status, answer.json.get("state")), (own.status, own.json.get("state")))

    def test_a_task_is_tried_again_from_a_node_that_does_not_have_it(self):
        task_id = self.a.submit(role="right", input={"fails": True})
        self.assertEqual(self.a.task(task_id, "10s")["state"], "failed")
        answer = self.c.request("POST", f"/v1/tasks/{task_id}/retry")
        self.assertEqual((answer.status, answer.json["retry_of"]), (201, task_id), answer.text)
        again = self.b.task(answer.json["task_id"], "10s")
        self.assertEqual((again["state"], again["retry_of"]), ("failed", task_id))

    def test_why_a_task_waits_is_told_at_a_node_that_does_not_have_it(self):
        blockers = [self.a.submit(role="right", input={"ms": 20_000}) for _ in range(32)]
        waiting = self.a.submit(role="right")
        within(10, lambda: sum(self.a.task(task_id)["state"] == "working" for task_id in blockers) == 32, "a full role")
        answers = [node.get(f"/v1/tasks/{waiting}/why") for node in self.cluster.nodes.values()]
        for why in answers:
            self.assertIn("right", str(why))
            self.assertEqual({each["node"] for each in why.get("candidates", [])} or {"c"}, {"c"}, why)
        self.assertEqual(len({why["text"] if "text" in why else str(why.keys()) for why in answers}), 1, answers)
        for task_id in (*blockers, waiting):
            self.b.request("POST", f"/v1/tasks/{task_id}/cancel")


@unittest.skipIf(node_fixture.missing(), node_fixture.missing())
class TasksOfANodeThatIsAway(unittest.TestCase):
    def setUp(self):
        self.cluster = self.enterContext(Cluster("ab", {"a": ("left",), "b": ("right",)})).start()
        self.cluster.become_one()
        self.a, self.b = (self.cluster.nodes[name] for name in "ab")
        self.task_id = self.b.submit(role="right", labels={"of": "away"})
        self.assertEqual(self.b.task(self.task_id, "10s")["state"], "completed")

    def test_it_is_not_said_to_be_unknown_and_is_known_again_when_its_node_is_back(self):
        self.b.kill()
        for method, what in (("GET", ""), ("POST", "/cancel"), ("POST", "/retry"), ("GET", "/why"), ("GET", "/events")):
            answer = self.a.request(method, f"/v1/tasks/{self.task_id}{what}")
            self.assertEqual((answer.status, answer.json["code"]), (503, "node_unreachable"), answer.text)
            self.assertIn("may be at b, which cannot be asked", answer.json["detail"])
        self.assertEqual(self.a.get("/v1/tasks?label=of:away"), {"tasks": [], "unreachable": ["b"]})
        answer = self.a.request("POST", "/v1/tasks/cancel", {"all": True})
        self.assertEqual(answer.json, {"canceled": 0, "unreachable": ["b"]})
        self.b.start()
        self.cluster.become_one()
        self.assertEqual(self.a.task(self.task_id)["state"], "completed")
        self.assertEqual(len(self.a.list("&label=of:away")), 1)
        unknown_in_the_end(self, self.a)

    def test_a_node_that_has_just_started_does_not_call_unknown_what_the_others_may_have(self):
        self.a.kill()
        self.b.kill()
        self.a.start()
        answer = self.a.request("GET", f"/v1/tasks/{self.task_id}")
        self.assertEqual((answer.status, answer.json["code"]), (503, "node_unreachable"), answer.text)
        self.b.start()
        within(10, lambda: self.a.request("GET", f"/v1/tasks/{self.task_id}").status == 200, "the task of b")


if __name__ == "__main__":
    node_fixture.watch(300)
    unittest.main()
