#!/usr/bin/env python3
"""What clients do wrong, on raw sockets against the real node: each gets a clear refusal, and nobody
else notices. Needs ROLECALL_PROGRAM, and is skipped if that program has no node."""
import contextlib
import json
import re
import unittest

import node_fixture as fixture
from contract import DOCUMENT, WHY_NOT
from wire import Closed, Connection

LIMIT = 65536  # of a body
HEAD_LIMIT = 8192
TASK = '{"role":"echo","input":1}'
JSON = {"Content-Type": "application/json"}
NDJSON = {"Content-Type": "application/x-ndjson"}


@unittest.skipIf(WHY_NOT, WHY_NOT)
class Faults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.house = fixture.House()
        cls.addClassCleanup(cls.house.close)
        agents = cls.house.agents()
        api = {"max_body_bytes": LIMIT, "max_head_bytes": HEAD_LIMIT, "max_event_backlog_bytes": LIMIT,
               "cors_origins": ["https://console.test"]}
        cls.node = fixture.ready(cls.house.node({"local": agents.url}, api=api))

    def connect(self, **more):
        connection = Connection(self.node.port, **more)
        self.addCleanup(connection.close)
        return connection

    def ask(self, method, target, headers=None, body=None):
        with Connection(self.node.port) as connection:
            return connection.request(method, target, headers, body)

    def refused(self, response, expected):
        """A problem of the form that the document says."""
        status, _, code = expected.partition(" ")
        self.assertEqual(f"{response.status} {response.json.get('code')}", f"{status} {code}", response.text)
        self.assertEqual(response.header("Content-Type").split(";")[0], "application/problem+json")
        self.assertEqual(DOCUMENT.problems(DOCUMENT.schema("Problem"), response.json), [])
        self.assertEqual(DOCUMENT.rules(response.json), [])
        return response.json

    def refused_raw(self, data, expected):
        """Sends bytes; they are refused, and the connection is closed."""
        connection = self.connect()
        connection.send(data)
        self.refused(connection.response(), expected)
        self.assertTrue(connection.at_end())
        self.others_are_served()

    def others_are_served(self):
        self.assertEqual(self.ask("GET", "/healthz").json, {"status": "ok"})

    def post(self, body, headers=JSON, target="/v1/tasks"):
        return self.ask("POST", target, headers, body)

    # -- bodies

    def test_no_body(self):
        for target in ("/v1/tasks", "/v1/agents"):
            self.refused(self.post(None, {}, target), "415 unsupported_media_type")
            self.refused(self.post("", JSON, target), "400 invalid_body")

    def test_a_wrong_content_type(self):
        for kind in ("text/plain", "application/xml", "application/x-www-form-urlencoded", "json"):
            self.refused(self.post(TASK, {"Content-Type": kind}), "415 unsupported_media_type")
        self.refused(self.post(TASK, {}), "415 unsupported_media_type")
        self.assertEqual(self.post(TASK, {"Content-Type": "Application/JSON; charset=utf-8"}).status, 201)

    def test_broken_json(self):
        for text in ("{", "[", '{"role":"echo","input":}', "nul", TASK + TASK, '{"role":"echo","input":1,"role":"x"}',
                     "[" * 10_000, b'{"role":"\xff","input":1}', '{"role":"echo","input":1e999}', "\x00"):
            found = self.refused(self.post(text), "400 invalid_body")
            self.assertTrue(found["errors"])

    def test_wrong_types(self):
        for text in ("1", '"x"', "null", "[1]", '[["x"]]', "[]", '{"tasks":{}}', '{"tasks":[]}'):
            self.refused(self.post(text), "400 invalid_task")
        wrong = {"role": 1, "task_id": [], "skills": "x", "priority": "high", "timeout": 60, "max_attempts": 1.5,
                 "context_id": {}, "labels": {"a": 1}}
        found = self.refused(self.post({**wrong, "input": 1}), "400 invalid_task")
        self.assertEqual({e["pointer"].split("/")[1] for e in found["errors"]}, set(wrong))

    def test_all_problems_at_once(self):
        tasks = [{"role": "", "input": 1}, {"input": 1, "priorty": 1}, {"role": "echo", "input": 1, "max_attempts": 0}]
        found = self.refused(self.post({"tasks": tasks}), "400 invalid_task")
        pointers = [e["pointer"] for e in found["errors"]]
        self.assertEqual(sorted(pointers), ["/tasks/0/role", "/tasks/1/priorty", "/tasks/1/role",
                                            "/tasks/2/max_attempts"])
        self.assertIn("priority", next(e["detail"] for e in found["errors"] if e["pointer"] == "/tasks/1/priorty"))

    def test_huge_numbers(self):
        for key in ("priority", "max_attempts"):
            for value in ("1e30", "9223372036854775808", "-1", "18446744073709551616", "10000000000000000000000"):
                text = f'{{"role":"echo","input":1,"{key}":{value}}}'
                self.refused(self.post(text), "400 invalid_task")
        for value in ("99999999999999999999s", "1e9s", "-1s", "0s", "3651d"):
            self.refused(self.post({"role": "echo", "input": 1, "timeout": value}), "400 invalid_task")
        for query in ("limit=99999999999999999999", "limit=-1", "limit=1e3", "limit=0x10", "limit="):
            self.refused(self.ask("GET", f"/v1/tasks?{query}"), "400 invalid_parameter")
        for wait in ("11m", "99999999999999999999s", "30", "-1s"):
            self.refused(self.ask("GET", f"/v1/tasks/x?wait={wait}"), "400 invalid_parameter")

    def test_numbers_in_inputs_are_kept_as_they_are(self):
        text = '{"role":"echo","input":[9007199254740993,18446744073709551615]}'
        found = self.post(text, target="/v1/tasks?wait=30s")
        self.assertIn("9007199254740993", found.text)
        self.assertIn("18446744073709551615", found.text)

    def test_unknown_ids_and_parameters(self):
        for task in ("x", "%2e%2e", "x" * 4096, "a%2Fb", "x/why"):
            self.refused(self.ask("GET", f"/v1/tasks/{task}"), "404 unknown_task")
        for target in ("/v2", "/v1", "/v1/tasks/x/y", "/v1/tasks/", "//", "/assets/../openapi.json",
                       "/assets/%2e%2e/x"):
            self.assertEqual(self.ask("GET", target).status, 404, target)
        for target in ("/v1/tasks/%00", "/v1/tasks/%zz", "/v1/tasks/%ff"):
            self.assertIn(self.ask("GET", target).status, (400, 404), target)
        found = self.refused(self.ask("GET", "/v1/tasks?limti=1&staet=x"), "400 invalid_parameter")
        self.assertEqual({e["parameter"] for e in found["errors"]}, {"limti", "staet"})
        self.assertIn("limit", next(e["detail"] for e in found["errors"] if e["parameter"] == "limti"))

    # -- sizes

    def test_a_body_over_the_limit_is_refused_before_it_is_read(self):
        for expect in ({}, {"Expect": "100-continue"}):
            for length in (LIMIT + 1, 2**40, 2**63 - 1):
                connection = self.connect()
                connection.send(connection.head("POST", "/v1/tasks", {**JSON, "Content-Length": length, **expect}))
                response = connection.response()  # though nothing of it was sent
                self.assertEqual(response.interim, [])
                self.refused(response, "413 too_large")
        self.others_are_served()

    def test_a_chunked_body_over_the_limit(self):
        connection = self.connect()
        connection.send(connection.head("POST", "/v1/tasks", {**JSON, "Transfer-Encoding": "chunked"}))
        chunk = b"8000\r\n" + b" " * 0x8000 + b"\r\n"
        connection.send(chunk * 3)
        self.refused(connection.response(), "413 too_large")

    def test_a_body_that_waits_to_be_asked_for(self):
        connection = self.connect()
        headers = {**JSON, "Content-Length": len(TASK), "Expect": "100-continue"}
        connection.send(connection.head("POST", "/v1/tasks", headers))
        self.assertTrue(connection.until(b"\r\n\r\n").startswith(b"HTTP/1.1 100 "))
        connection.send(TASK)
        self.assertEqual(connection.response().status, 201)

    def test_a_stream_that_waits_to_be_asked_for(self):
        connection = self.connect()
        headers = {**NDJSON, "Content-Length": len(TASK), "Expect": "100-continue"}
        connection.send(connection.head("POST", "/v1/tasks", headers))
        self.assertTrue(connection.until(b"\r\n\r\n").startswith(b"HTTP/1.1 100 "))
        connection.send(TASK)
        self.assertIn("accepted", connection.response().text)

    def test_a_head_over_the_limit(self):
        host = f"Host: 127.0.0.1:{self.node.port}\r\n"
        self.refused_raw(f"GET /healthz HTTP/1.1\r\n{host}X: {'x' * HEAD_LIMIT}\r\n\r\n", "431 head_too_large")
        self.refused_raw(f"GET /{'x' * 2 * HEAD_LIMIT}", "431 head_too_large")

    # -- shapes that are read differently by different servers

    def test_smuggling_is_refused(self):
        host = f"Host: 127.0.0.1:{self.node.port}\r\n"
        heads = ["Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "Content-Length: 5\r\nContent-Length: 6\r\n",
                 "Content-Length: 5, 6\r\n", "Content-Length: +5\r\n", "Content-Length: 0x5\r\n",
                 "Content-Length: -1\r\n",
                 "Transfer-Encoding: chunked, chunked\r\n", "Transfer-Encoding: xchunked\r\n",
                 "Transfer-Encoding : chunked\r\n", "X: a\r\n b\r\n", "X: a\r\n\tb\r\n", " X: a\r\n", "X: a\rb\r\n",
                 "X: a\0b\r\n", "X\r\n", ": a\r\n", "Host: 127.0.0.1\r\n"]
        for head in heads:
            with self.subTest(head):
                self.refused_raw(f"POST /v1/tasks HTTP/1.1\r\n{host}{head}\r\n0\r\n\r\n", "400 malformed_request")
        for raw in (f"GET /healthz HTTP/1.1\n{host}\n", f"GET /healthz HTTP/1.1\r\n{host.strip()}\n\r\n",
                    "GET /healthz HTTP/1.1\r\n\r\n", f"GET  /healthz HTTP/1.1\r\n{host}\r\n",
                    f"GET /a b HTTP/1.1\r\n{host}\r\n", f"\x16\x03\x01\x02\x00{host}\r\n\r\n"):
            with self.subTest(raw):
                self.refused_raw(raw, "400 malformed_request")
        self.refused_raw(f"GET /healthz HTTP/2.0\r\n{host}\r\n", "505 version_not_supported")

    def test_what_follows_a_refused_request_is_not_read_as_one(self):
        connection = self.connect()
        connection.send(connection.head("POST", "/v1/tasks", {"Content-Length": 4, "Transfer-Encoding": "chunked"})
                        + connection.head("POST", "/v1/tasks", {**JSON, "Content-Length": len(TASK)}) + TASK.encode())
        self.refused(connection.response(), "400 malformed_request")
        self.assertTrue(connection.at_end())

    # -- hosts, origins, methods

    def test_hosts_and_origins_of_strangers(self):
        port = self.node.port
        for host in ("evil.test", "127.0.0.1.evil.test", "localhost.evil.test", f"evil.test:{port}", "0.0.0.0"):
            self.refused(self.ask("GET", "/v1/tasks", {"Host": host}), "421 misdirected_request")
        for host in ("localhost", "127.0.0.1", "[::1]", f"LOCALHOST:{self.node.port}"):
            self.assertEqual(self.ask("GET", "/v1/tasks", {"Host": host}).status, 200, host)
        for origin in ("https://evil.test", "null", "http://127.0.0.1:1", "https://console.test.evil.test"):
            self.refused(self.ask("GET", "/v1/tasks", {"Origin": origin}), "403 forbidden_origin")
            self.refused(self.ask("POST", "/v1/tasks", {**JSON, "Origin": origin}, TASK), "403 forbidden_origin")
        own = f"http://127.0.0.1:{self.node.port}"
        self.assertEqual(self.ask("GET", "/v1/tasks", {"Origin": own}).status, 200)

    def test_methods(self):
        for method in ("PUT", "PATCH", "DELETE", "TRACE", "BREW"):
            found = self.ask(method, "/v1/roles")
            self.refused(found, "405 method_not_allowed")
            self.assertEqual({m.strip() for m in found.header("Allow").split(",")}, {"GET", "HEAD", "OPTIONS"})
        head, get = self.ask("HEAD", "/errors"), self.ask("GET", "/errors")
        self.assertEqual((head.status, head.header("ETag")), (200, get.header("ETag")))
        self.assertEqual(self.ask("HEAD", "/v1/tasks/no-such-task").status, 404)
        self.assertEqual(self.ask("HEAD", "/v1/events").status, 405)
        self.assertEqual(self.ask("OPTIONS", "*").status // 100, 2)

    def test_an_answer_that_has_not_changed(self):
        done = self.post(TASK, target="/v1/tasks?wait=30s").json["task_id"]
        for target in ("/openapi.json", "/errors", f"/v1/tasks/{done}"):
            tag = self.ask("GET", target).header("ETag")
            for sent in (tag, f'"x", {tag}', f"W/{tag.removeprefix('W/')}", "*"):
                found = self.ask("GET", target, {"If-None-Match": sent})
                self.assertEqual((found.status, found.header("ETag")), (304, tag), sent)
            for sent in ('"x"', "x"):
                self.assertEqual(self.ask("GET", target, {"If-None-Match": sent}).status, 200)

    def test_gzip_if_it_is_wanted(self):
        plain = self.ask("GET", "/openapi.json")
        self.assertIsNone(plain.header("Content-Encoding"))
        for accepted in ("gzip", "br;q=1.0, gzip;q=0.8", "*", "GZIP"):
            packed = self.ask("GET", "/openapi.json", {"Accept-Encoding": accepted})
            self.assertEqual(packed.header("Content-Encoding"), "gzip", accepted)
            self.assertLess(len(packed.body), len(plain.body) / 2)
            self.assertEqual(packed.text, plain.text)
        for accepted in ("identity", "br", "gzip;q=0", ""):
            found = self.ask("GET", "/openapi.json", {"Accept-Encoding": accepted})
            self.assertIsNone(found.header("Content-Encoding"), accepted)
        self.assertIsNone(self.ask("GET", "/healthz", {"Accept-Encoding": "gzip"}).header("Content-Encoding"))
        self.assertIn("accept-encoding", (plain.header("Vary") or "").lower())

    # -- connections

    def test_fifty_requests_in_one_write(self):
        connection = self.connect()
        targets = [("/healthz", "/v1/tasks/no-such-task", "/v1/roles")[i % 3] for i in range(50)]
        connection.send(b"".join(connection.head("GET", target) for target in targets))
        statuses = [connection.response().status for _ in targets]
        self.assertEqual(statuses, [(200, 404, 200)[i % 3] for i in range(50)])

    def test_http_1_0(self):
        connection = self.connect()
        connection.send("GET /healthz HTTP/1.0\r\n\r\n")
        self.assertIn(connection.response().status, (200, 421))  # without a Host it may be anybody's
        self.assertTrue(connection.at_end())
        connection = self.connect()
        connection.send("GET /v1/tasks HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n" * 2)
        self.assertEqual([connection.response().status for _ in range(2)], [200, 200])

    def test_a_reader_that_does_not_read_is_cut_off_and_others_are_served(self):
        slow = self.connect(receive_buffer=4096)
        self.assertEqual(slow.request_head("GET", "/v1/events").status, 200)
        good = self.connect()
        events = good.events(good.request_head("GET", "/v1/events?label=marker"))
        self.assertEqual(next(events)["event"], "hello")
        tasks = [{"role": "echo", "input": 1, "labels": {f"padding-{i}": "x" * 1000 for i in range(4)}} for _ in range(10)]
        for _ in range(400):
            self.assertEqual(self.post(tasks, target="/v1/tasks?wait=30s").status, 201)
            text = self.ask("GET", "/metrics").text
            if re.search(r"(?m)^rolecall_event_readers_cut_off_total [1-9]", text):
                break
        else:
            self.fail("the slow reader was not cut off")
        with contextlib.suppress(Closed, ConnectionResetError):
            while True:  # what is under way is still to be had, and then the end
                slow.fill()
                slow.buffer = b""
        self.post({"role": "echo", "input": 1, "labels": {"marker": "1"}}, target="/v1/tasks?wait=30s")
        self.assertEqual(next(events)["data"]["labels"], {"marker": "1"})

    # -- NDJSON

    def test_lines_that_are_wrong_do_not_hurt_the_others(self):
        lines = [TASK, "{", "", "[]", '{"role":"echo"}', TASK, '{"task_id":"twice","role":"echo","input":1}',
                 '{"task_id":"twice","role":"echo","input":2}',
                 json.dumps({"role": "echo", "input": "x" * LIMIT}), TASK]
        found = self.post("\n".join(lines), NDJSON)
        *answers, count = [json.loads(line) for line in found.text.splitlines()]
        self.assertEqual(found.status, 200)
        self.assertEqual({a["line"]: a.get("error", {}).get("code", "accepted") for a in answers},
                         {1: "accepted", 2: "invalid_body", 4: "invalid_task", 5: "invalid_task", 6: "accepted",
                          7: "accepted", 8: "duplicate_task", 9: "too_large", 10: "accepted"})
        self.assertEqual([a["line"] for a in answers], sorted(a["line"] for a in answers))
        self.assertEqual(count, {"accepted": 4, "refused": 5})

    def test_lines_are_answered_while_others_are_still_to_come(self):
        connection = self.connect()
        connection.send(connection.head("POST", "/v1/tasks", {**NDJSON, "Transfer-Encoding": "chunked"}))
        line = (TASK + "\n").encode()
        chunk = f"{len(line):x}\r\n".encode() + line + b"\r\n"
        connection.send(chunk)
        lines = connection.lines(connection.start("POST"))
        for number in range(1, 11):
            self.assertEqual(json.loads(next(lines))["line"], number)
            connection.send(chunk if number < 10 else b"0\r\n\r\n")
        self.assertEqual(json.loads(next(lines)), {"accepted": 10, "refused": 0})

    def test_a_client_that_goes_leaves_the_tasks_that_it_was_told_of(self):
        connection = self.connect()
        connection.send(connection.head("POST", "/v1/tasks", {**NDJSON, "Transfer-Encoding": "chunked"}))
        answered = []
        lines = None
        for number in range(20):
            line = json.dumps({"role": "echo", "input": number, "labels": {"gone": "1"}}).encode() + b"\n"
            connection.send(f"{len(line):x}\r\n".encode() + line + b"\r\n")
            lines = lines or connection.lines(connection.start("POST"))
            answered.append(json.loads(next(lines))["task_id"])
        connection.send(b'1f4\r\n{"role":"echo","inp')  # and goes in the middle of a line
        connection.close()
        listed = self.ask("GET", "/v1/tasks?label=gone:1&limit=1000").json["tasks"]
        self.assertEqual(sorted(t["task_id"] for t in listed), sorted(answered))
        self.others_are_served()

    def test_a_client_that_goes_while_it_waits(self):
        for _ in range(50):
            connection = self.connect()
            head = connection.head("POST", "/v1/tasks?wait=30s", {**JSON, "Content-Length": len(TASK)})
            connection.send(head + TASK.encode())
            connection.close()
        self.others_are_served()

    def test_a_body_that_ends_too_early(self):
        connection = self.connect()
        connection.send(connection.head("POST", "/v1/tasks", {**JSON, "Content-Length": 100}) + b'{"role"')
        connection.socket.shutdown(1)
        with self.assertRaises((Closed, ConnectionResetError)):
            connection.response()
        self.others_are_served()


if __name__ == "__main__":
    fixture.watch(300)
    unittest.main(verbosity=1)
