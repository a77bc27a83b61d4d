#!/usr/bin/env python3
"""What a supervisor and an operator rely on: readiness and watchdog messages, SIGHUP, TLS, and nodes that
do not start. Needs ROLECALL_PROGRAM, and is skipped if that program has no node."""
import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import unittest

import node_fixture as fixture
from contract import WHY_NOT, Call
from wire import Connection


@unittest.skipIf(WHY_NOT, WHY_NOT)
class Supervised(unittest.TestCase):
    def setUp(self):
        self.house = fixture.House()
        self.addCleanup(self.house.close)
        self.nowhere = {"local": fixture.nobody()}

    def test_a_supervisor_is_told_of_start_life_and_end(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
            path = str(pathlib.Path(self.house.folder) / "notify")
            told.bind(path)
            told.settimeout(fixture.PATIENCE_S)
            node = self.house.node(self.nowhere, {"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "400000"})

            def next_with(word):
                for _ in range(100):
                    if word in (message := told.recv(4096).decode()):
                        return message
                raise AssertionError(f"no {word}")
            next_with("READY=1")
            next_with("WATCHDOG=1")
            next_with("WATCHDOG=1")
            node.signal(signal.SIGTERM)
            next_with("STOPPING=1")
            self.assertEqual(node.wait(), 0)

    def test_sighup_reads_the_tokens_again(self):
        node = self.house.node(self.nowhere, api={"tokens": self.house.tokens()})
        old, new = Call(node, "read"), Call(node)
        new.headers = {"Authorization": "Bearer new"}
        old("GET", "/v1/tasks", expect=200)
        self.house.write("tokens.json", "{")
        node.signal(signal.SIGHUP)
        old("GET", "/v1/tasks", expect=200)
        self.house.tokens({"read": "new"})
        node.signal(signal.SIGHUP)
        fixture.until(lambda: new("GET", "/v1/tasks").status == 200, "the new token")
        old("GET", "/v1/tasks", expect="401 unauthorized")

    def token(self, file, name):
        return subprocess.Popen([fixture.PROGRAM, "token", file, "--name", name], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def test_tokens_that_are_made_at_the_same_time_all_work(self):
        file = str(pathlib.Path(self.house.folder) / "made.json")
        made = [self.token(file, f"client-{i}") for i in range(10)]
        told = [each.communicate(timeout=fixture.PATIENCE_S) for each in made]
        self.assertEqual({each.returncode for each in made}, {0}, told)
        node = self.house.node(self.nowhere, api={"tokens": file})
        for token, _ in told:
            call = Call(node)
            call.headers = {"Authorization": f"Bearer {token.strip()}"}
            call("GET", "/v1/tasks", expect=200)
        left = {each.name for each in pathlib.Path(file).parent.glob("made.json*")}
        self.assertEqual(left, {"made.json", "made.json.lock"})
        self.assertEqual([os.stat(f"{file}{end}").st_mode & 0o777 for end in ("", ".lock")], [0o600, 0o600])

    def test_tokens_cannot_be_kept_in_a_directory(self):
        made = self.token(self.house.folder, "x")
        token, told = made.communicate(timeout=fixture.PATIENCE_S)
        self.assertEqual((made.returncode, token), (2, ""))
        self.assertIn("is a directory", told)

    def test_tls(self):
        key, certificate = (str(pathlib.Path(self.house.folder) / name) for name in ("key", "certificate"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "1",
                        "-keyout", key, "-out", certificate], check=True, capture_output=True, timeout=60)
        node = self.house.node(self.nowhere, api={"tls": {"certificate": certificate, "key": key}})
        self.assertTrue(node.url.startswith("https://"))
        with Connection(node.port, tls=ssl.create_default_context(cafile=certificate)) as connection:
            self.assertEqual(connection.request("GET", "/healthz").json, {"status": "ok"})
        for offered, spoken in ((["h2", "http/1.1"], "http/1.1"), (["http/1.1"], "http/1.1"), (None, None)):
            client = ssl.create_default_context(cafile=certificate)
            if offered:
                client.set_alpn_protocols(offered)
            with Connection(node.port, tls=client) as connection:
                self.assertEqual(connection.socket.selected_alpn_protocol(), spoken, offered)
                self.assertEqual(connection.request("GET", "/healthz").status, 200)
        client = ssl.create_default_context(cafile=certificate)
        client.set_alpn_protocols(["h2"])  # RFC 7301: a fatal alert, not a connection that nobody understands
        with self.assertRaisesRegex(ssl.SSLError, "(?i)no.application.protocol"):
            Connection(node.port, tls=client)

    def refused(self, expected, **sections):
        """The program ends with 2, and says why."""
        file = self.house.write("wrong.json", {"services": [{"name": "a", "url": fixture.nobody()}], **sections})
        ended = subprocess.run([fixture.PROGRAM, "node", "--config", file], capture_output=True, text=True,
                               timeout=fixture.PATIENCE_S)
        self.assertEqual((ended.returncode, ended.stdout), (2, ""), ended.stderr)
        self.assertIn(expected, ended.stderr)

    def test_nodes_that_must_not_start(self):
        self.refused("/api/insecure", api={"listen": "0.0.0.0:0"})
        self.refused("TLS", api={"listen": "0.0.0.0:0", "tokens": self.house.tokens()})
        self.refused("no-such-file", api={"listen": "127.0.0.1:0", "tokens": "/no-such-file"})
        wrong = self.house.write("wrong-tokens.json", {"tokens": [{"name": "x", "right": "all", "sha256": "0"}]})
        self.refused("is a directory", api={"listen": "127.0.0.1:0", "tokens": self.house.folder})
        self.refused("cannot read /proc/self/mem", api={"listen": "127.0.0.1:0", "tokens": "/proc/self/mem"})
        if os.geteuid() != 0:  # who reads everything
            secret = self.house.write("secret.json", "{}")
            os.chmod(secret, 0)
            self.refused("Permission denied", api={"listen": "127.0.0.1:0", "tokens": secret})
        self.refused("/tokens/0/right", api={"listen": "127.0.0.1:0", "tokens": wrong})
        self.refused("key", api={"listen": "127.0.0.1:0", "tls": {"certificate": "x"}})

    def test_a_port_that_is_taken(self):
        node = self.house.node(self.nowhere)
        file = self.house.write("same.json", {"api": {"listen": f"127.0.0.1:{node.port}"}})
        ended = subprocess.run([fixture.PROGRAM, "node", "--config", file], capture_output=True, text=True,
                               timeout=fixture.PATIENCE_S)
        self.assertEqual(ended.returncode, 1)
        self.assertIn(str(node.port), ended.stderr)

    def test_the_log_is_json_where_there_is_no_terminal_and_has_no_payloads(self):
        node = self.house.node(self.nowhere)
        Call(node)("POST", "/v1/tasks", {"role": "x", "input": "the-secret"}, expect=201)
        node.signal(signal.SIGTERM)
        self.assertEqual(node.wait(), 0)
        node.errors.seek(0)
        text = node.errors.read().decode()
        self.assertNotIn("the-secret", text)
        events = [json.loads(line) for line in text.splitlines()]
        self.assertEqual([events[0]["event"], events[-1]["event"]], ["node_started", "node_ended"])


if __name__ == "__main__":
    fixture.watch(300)
    unittest.main(verbosity=1)
