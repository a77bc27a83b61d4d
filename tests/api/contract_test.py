#!/usr/bin/env python3
"""Whether the node does what app/api/openapi.json says: every operation, every 2xx, 3xx and 4xx status.

The document's own tests always run; the others need ROLECALL_PROGRAM, and are skipped if that program
has no node."""
import json
import re
import unittest

import contract_rest
import contract_tasks
import node_fixture as fixture
from contract import DOCUMENT, NEVER_SEEN, SEEN, WHY_NOT
from document import ROOT
from jsonschema import Draft202012Validator


class Paper(unittest.TestCase):
    """The document by itself."""

    def test_every_example_is_valid(self):
        count = 0
        for where, node, value in DOCUMENT.examples():
            with self.subTest(where):
                count += 1
                if "/content/" in where:
                    kind = where.split("/content/")[1].split("/")[0].replace("~1", "/")
                    text = value if isinstance(value, str) else json.dumps(value)
                    self.assertEqual(DOCUMENT.body_problems({kind: node}, kind, text), [])
                else:
                    self.assertEqual(DOCUMENT.problems(node["schema"], value), [])
        self.assertGreater(count, 50)

    def test_every_body_has_an_example(self):
        def bodies(node, where):
            if isinstance(node, dict):
                for kind, content in node.get("content", {}).items():
                    yield f"{where} {kind}", content
                for key, child in node.items():
                    yield from bodies(child, f"{where}/{key}")
        for where, content in bodies(DOCUMENT.root, "#"):
            with self.subTest(where):
                self.assertTrue(content.get("examples"))

    def test_every_schema_is_one(self):
        for schema in DOCUMENT.root["components"]["schemas"].values():
            Draft202012Validator.check_schema(schema)

    def test_every_object_says_whether_it_is_closed(self):
        def objects(node, where):
            if isinstance(node, dict):
                if node.get("type") == "object" and "properties" in node:
                    yield where, node
                for key, child in node.items():
                    yield from objects(child, f"{where}/{key}")
        for where, schema in objects(DOCUMENT.root["components"]["schemas"], ""):
            with self.subTest(where):
                self.assertIs(schema.get("additionalProperties"), False)

    def test_the_codes_of_the_document_and_of_the_list_are_the_same(self):
        listed = json.loads((ROOT / "app/api/errors.json").read_text())
        codes = [error["code"] for error in listed]
        self.assertEqual(codes, sorted(set(codes)))
        for error in listed:
            self.assertEqual(list(error), ["code", "status", "title", "meaning", "remedy"])
        api, task = DOCUMENT.schema("ErrorCode")["enum"], DOCUMENT.schema("TaskErrorCode")["enum"]
        self.assertEqual(api, [error["code"] for error in listed if error["status"]])
        self.assertEqual(sorted(set(api) | set(task)), codes)

    def test_every_name_of_errors_hpp_is_in_the_list(self):
        text = (ROOT / "messages/errors.hpp").read_text()
        names = re.findall(r"^  ([a-z_]+)(?: = 1)?,\s*///<", text, re.MULTILINE)
        self.assertGreater(len(names), 20)
        self.assertEqual(set(names) - set(DOCUMENT.errors), set())

    def test_every_code_is_named_where_it_may_be_answered(self):
        told = " ".join(response["description"] for response in DOCUMENT.root["components"]["responses"].values())
        for code in DOCUMENT.schema("ErrorCode")["enum"]:
            self.assertIn(f"`{code}`", told)


    def test_the_json_in_the_page_is_valid(self):
        page = (ROOT / "docs/http-api.md").read_text()
        forms = {"history": "TaskView", "reason": "Why", "condition": "Agent", "window": "Stats", "type": "Problem",
                 "tasks": "TaskList"}
        blocks = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
        console = "\n".join(re.findall(r"```console\n(.*?)```", page, re.DOTALL))
        shown = [line for line in console.splitlines() if line.startswith('{"t')]  # answers, not NDJSON
        seen = set()
        for value in [json.loads(text) for text in blocks + shown]:
            key = next((key for key in forms if key in value), None)
            if key is None:
                continue
            seen.add(key)
            if key == "window":
                value["window"]["buckets"] *= 90  # the page shows one of them
            with self.subTest(key):
                self.assertEqual(DOCUMENT.problems(DOCUMENT.schema(forms[key]), value), [])
        self.assertEqual(seen, set(forms))

    def test_every_path_is_in_the_page(self):
        page = (ROOT / "docs/http-api.md").read_text().replace("/v1/tasks/{id}", "/v1/tasks/{task_id}")
        page = page.replace("/v1/agents/{id}", "/v1/agents/{agent_id}").replace("/assets/…", "/assets/{file}")
        for method, path, _ in DOCUMENT.operations():
            if method not in ("head", "options"):
                self.assertRegex(page, rf"`({method.upper()} )?{re.escape(path)}[`? ,]")


@unittest.skipIf(WHY_NOT, WHY_NOT)
class Whole(unittest.TestCase):
    """Runs last."""

    def test_everything_that_is_documented_was_seen(self):
        documented = {(operation["operationId"], status) for _, _, operation in DOCUMENT.operations()
                      for status in operation["responses"] if status[0] in "234"}
        self.assertEqual(sorted(documented - SEEN - set(NEVER_SEEN)), [])
        self.assertEqual(sorted(SEEN & set(NEVER_SEEN)), [], "these can be seen after all")


def load_tests(loader, tests, _):
    whole = unittest.TestSuite()
    for module in (contract_tasks, contract_rest):
        whole.addTests(loader.loadTestsFromModule(module))
    return unittest.TestSuite([loader.loadTestsFromTestCase(Paper), whole, loader.loadTestsFromTestCase(Whole)])


if __name__ == "__main__":
    fixture.watch(300)
    unittest.main(verbosity=1)
