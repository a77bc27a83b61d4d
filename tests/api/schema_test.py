#!/usr/bin/env python3
"""config/schema.json, the example configurations, the reference, and what the program thinks of them."""
import copy
import json
import os
import subprocess
import tempfile
import unittest

import reference
from jsonschema import Draft202012Validator

PROGRAM = os.environ.get("ROLECALL_PROGRAM", "")
# Tasks and roles of an agents service, not configurations.
NOT_CONFIGURATIONS = {"config/examples/review.json", "config/examples/agents/roles.json",
                      "config/schema.json", "config/grafana/dashboard.json"}


def configurations():
    files = sorted((reference.ROOT / "config").rglob("*.json"))
    return [f for f in files if str(f.relative_to(reference.ROOT)) not in NOT_CONFIGURATIONS]


def small_units(text):
    """A length of time in milliseconds."""
    number, unit = text.rstrip("msh"), text.lstrip("0123456789")
    return int(number) * {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}[unit]


def least():
    """A configuration with all that is required of one that has every section."""
    return {"services": [{"name": "a", "url": "http://localhost:1"}], "roles": {"R": {"health_check": {"input": 1}}},
            "node": {"name": "a"}, "cluster": {"peers": ["localhost:1"]}}


def put(config, path, value):
    """Sets a key like api.tls.key, services[].name or roles.R.service."""
    *parents, last = path.replace("[]", ".0").split(".")
    node = config
    for name in parents:
        node = node[int(name)] if isinstance(node, list) else node.setdefault(name, {})
    node[last] = value


def pointer(path):
    return "/" + path.replace("[]", ".0").replace(".", "/")


class Schema(unittest.TestCase):
    def setUp(self):
        self.schema = reference.load()
        self.validator = Draft202012Validator(self.schema)

    def problems(self, config):
        return [error.message for error in self.validator.iter_errors(config)]

    def test_the_schema_is_one(self):
        Draft202012Validator.check_schema(self.schema)

    def test_every_configuration_in_the_repository_is_valid(self):
        self.assertTrue(configurations())
        for file in configurations():
            with self.subTest(file.name):
                self.assertEqual(self.problems(json.loads(file.read_text())), [])

    def test_the_default_configuration_has_every_default(self):
        config = json.loads((reference.ROOT / "config/default.json").read_text())
        for path, node, _ in reference.leaves(self.schema):
            # A node alone has no cluster.
            if "[]" in path or ".R" in path or path.startswith("cluster.") or "default" not in node:
                continue
            value = config
            for name in path.split("."):
                value = value.get(name)
            with self.subTest(path):
                self.assertEqual(value, node["default"])

    def test_every_key_has_a_description_and_a_default_that_is_valid(self):
        for path, node, required in reference.leaves(self.schema):
            with self.subTest(path):
                self.assertRegex(node["description"], r"\.$")
                if "default" in node:
                    alone = {**node, "$defs": self.schema["$defs"]}
                    self.assertTrue(Draft202012Validator(alone).is_valid(node["default"]))
                if node.get("type") in ("integer", "number"):
                    self.assertIn("minimum", node)
                    self.assertIn("maximum", node)

    def test_a_duration_has_its_least_value_in_the_schema(self):
        for path, node, _ in reference.leaves(self.schema):
            if node.get("$ref") == "#/$defs/duration":
                self.assertIn("x-minimum", node, path)
                if "default" in node:  # a role's own may have none
                    self.assertGreaterEqual(small_units(node["default"]), small_units(node["x-minimum"]), path)

    def test_unknown_keys_are_refused_everywhere(self):
        service = {"name": "a", "url": "http://localhost:1"}
        wrong = [{"apii": {}}, {"services": [{**service, "nmae": "x"}]}, {"roles": {"r": {"max": 1}}}]
        for section, node in self.schema["properties"].items():
            if "properties" in node:
                wrong.append({section: {"no_such_key": 1}})
        wrong += [{"api": {"tls": {"ca": ""}}}, {"api": {"rate_limit": {"rate": 1}}}]
        for config in wrong:
            with self.subTest(config):
                self.assertTrue(self.problems(config))

    def test_wrong_types_are_refused_for_every_key(self):
        base = least()
        for path, node, _ in reference.leaves(self.schema):
            for value in (None, [[]], True, {"x": {"y": 1}}):
                if node.get("type") == "boolean" and value is True:
                    continue
                if isinstance(value, dict) and node.get("type") == "object":
                    continue  # what has no effect yet may hold anything
                if set(node) == {"description"}:
                    continue  # any JSON
                config = copy.deepcopy(base)
                put(config, path, value)
                with self.subTest(path=path, value=value):
                    self.assertTrue(self.problems(config))

    def test_lengths_of_time_need_a_unit(self):
        for value in ("60", 60, "1 s", "-1s", "1e3s", "s", "1S", "1s "):
            with self.subTest(value):
                self.assertTrue(self.problems({"execution": {"timeout": value}}))
        for value in ("250ms", "1.5s", "2m", "1h", "1d"):
            self.assertEqual(self.problems({"execution": {"timeout": value}}), [])

    def test_the_reference_in_the_documents_is_up_to_date(self):
        page = reference.PAGE.read_text()
        made = reference.with_table(page, reference.table(self.schema))
        self.assertEqual(page, made, "run tests/api/reference.py --write")


@unittest.skipUnless(PROGRAM, "ROLECALL_PROGRAM is not set")
class Program(unittest.TestCase):
    """The program and the schema have the same keys and bounds. The program tells every problem at
    once, so a key that nobody knows ends it before it starts anything."""

    def setUp(self):
        self.schema = reference.load()
        helped = subprocess.run([PROGRAM, "node", "--help"], capture_output=True, timeout=60)
        if helped.returncode != 0:
            self.skipTest("this program has no node yet")

    def complaints(self, config):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump({**config, "ends-it-here": 1}, file)
            file.flush()
            ended = subprocess.run([PROGRAM, "node", "--config", file.name], capture_output=True,
                                   text=True, timeout=60)
        self.assertEqual(ended.returncode, 2, ended.stderr)
        self.assertIn("/ends-it-here", ended.stderr)
        return [line for line in ended.stderr.splitlines() if "/ends-it-here" not in line]

    def config_with(self, choose):
        config = least()
        chosen = []
        for path, node, _ in reference.leaves(self.schema):
            value = choose(node)
            if value is not None:
                put(config, path, value)
                chosen.append(path)
        return config, chosen

    def test_it_knows_every_key_and_takes_its_default(self):
        config, _ = self.config_with(lambda node: node.get("default"))
        config["cluster"]["peers"] = least()["cluster"]["peers"]  # without any it is none
        self.assertFalse([c for c in self.complaints(config) if "no effect" not in c])

    def test_it_takes_the_least_and_the_most(self):
        for bound in ("minimum", "maximum"):
            config, chosen = self.config_with(
                lambda node: node.get(bound, node.get("x-minimum")))
            self.assertTrue(chosen)
            with self.subTest(bound):
                self.assertFalse([c for c in self.complaints(config) if "no effect" not in c])

    def refused(self, choose, words="must|has no port|is no address|the URL is not absolute"):
        """Each key with a value that is wrong for it is told by its pointer, and how to mend it."""
        config, chosen = self.config_with(choose)
        self.assertTrue(chosen)
        # A section at a time: no more than a hundred problems are told.
        told = [line for section in config
                for line in self.complaints({**least(), section: config[section]})]
        for path in chosen:
            with self.subTest(path=path):
                about = [line for line in told if f"{pointer(path)}: " in line]
                self.assertTrue(about, told)
                self.assertRegex(about[0], words)

    def test_it_refuses_what_is_out_of_bounds(self):
        def beyond(bound, way):
            def choose(node):
                if node.get("type") == "integer":
                    return node[bound] + way
                if node.get("type") == "number":
                    return node[bound] + way * 1e-3
                if node.get("$ref") == "#/$defs/duration":
                    least = small_units(node["x-minimum"])
                    return "3651d" if way > 0 else f"{least - 1}ms" if least else "-1ms"
                return "no such value" if "enum" in node else None
            return choose
        self.refused(beyond("minimum", -1))
        self.refused(beyond("maximum", 1))

    def test_it_refuses_texts_that_are_too_short_or_too_long(self):
        text = {"type": "string"}
        self.refused(lambda node: "" if text.items() <= node.items() and node.get("minLength") else None)
        self.refused(lambda node: "x" * (node["maxLength"] + 1)
                     if text.items() <= node.items() and "maxLength" in node else None,
                     "longer|must|has no port|is no address")

    def test_it_refuses_a_wrong_type_for_every_key(self):
        for value in ([], {"x": {"y": 1}}, True, "1", 1.5, 1):
            def choose(node, value=value):
                alone = Draft202012Validator({**node, "$defs": self.schema["$defs"]})
                return value if not alone.is_valid(value) else None
            with self.subTest(value=value):
                self.refused(choose)

    def test_it_refuses_what_contradicts_itself(self):
        limit = ["/roles/R/limit", "/roles/R/agent_limit", "/routing/key_limit", "/routing/key_limits/R"]
        contradictions = [
            ("/roles/R/min_agents", {"max_agents": 2}, 3, "not be greater than max_agents, which is 2"),
            ("/roles/R/warm_spares", {"max_agents": 2}, 3, "not be greater than max_agents, which is 2"),
            ("/roles/R/max_retry_backoff", {"retry_backoff": "5s"}, "1s", "less than retry_backoff, which is 5s"),
            ("/roles/R/service", {}, "nobody", "no service is called"),
            ("/execution/max_retry_backoff", {"retry_backoff": "5s"}, "1s", "less than retry_backoff, which is 5s"),
            ("/scaling/panic_window", {"stable_window": "1s"}, "2s", "longer than stable_window, which is 1s"),
            ("/scaling/panic_window", {}, "61s", "longer than stable_window, which is 1m"),
            ("/routing/ejection/most", {"base": "2s"}, "1s", "less than base, which is 2s"),
            ("/routing/ejection/most", {}, "1s", "less than base, which is 30s"),
            *[(f"{at}/burst", {"max_parallel": 3}, 2, "no effect without a rate: must come with per_second")
              for at in limit],
            *[(f"{at}/per_second", {}, 1e-9, "must be 0, which is no such limit, or at least 0.001") for at in limit]]
        for at, others, value, words in contradictions:
            *parents, last = at.strip("/").split("/")
            config = {"services": [{"name": "a", "url": "http://localhost:1"}]}
            put(config, ".".join(parents), {**others, last: value})
            with self.subTest(at=at, others=others):
                told = self.complaints(config)
                self.assertEqual(len(told), 1, told)
                self.assertIn(f"{at}: ", told[0])
                self.assertIn(words, told[0])
        told = self.complaints({"roles": {"a": {"min_agents": 3}, "b": {"min_agents": 4}}, "scaling": {"max_agents": 6}})
        self.assertEqual(len(told), 1, told)
        self.assertIn("/scaling/max_agents: must not be less than the min_agents of all roles", told[0])


if __name__ == "__main__":
    unittest.main(verbosity=1)
