"""The OpenAPI document, and what it says about a request and its answer."""
import json
import pathlib
import re

from jsonschema import Draft202012Validator

ROOT = pathlib.Path(__file__).resolve().parents[2]
METHODS = ("get", "head", "post", "put", "patch", "delete", "options")


def events_of(text):
    """The events of an SSE stream: a dictionary of the fields that were sent, data read as JSON."""
    result = []
    for block in re.split(r"\r?\n\r?\n", text):
        fields = {}
        for line in block.splitlines():
            name, _, value = line.partition(":")
            if name:  # a line that begins with a colon is a comment
                value = value.removeprefix(" ")
                fields[name] = fields[name] + "\n" + value if name in fields else value
        fields.pop("retry", None)
        if fields:
            fields["data"] = json.loads(fields["data"])
            result.append(fields)
    return result


def media_type(content_type):
    return content_type.partition(";")[0].strip().lower()


class Document:
    def __init__(self, text=None):
        self.root = json.loads(text or (ROOT / "app/api/openapi.json").read_text())
        errors = json.loads((ROOT / "app/api/errors.json").read_text())
        self.errors = {error["code"]: error for error in errors}

    def resolve(self, node):
        while "$ref" in node and node["$ref"].startswith("#/"):
            found = self.root
            for token in node["$ref"][2:].split("/"):
                found = found[token.replace("~1", "/").replace("~0", "~")]
            node = found
        return node

    def schema(self, name):
        return self.root["components"]["schemas"][name]

    def validator(self, schema):
        # References point into the whole document: it lies under the same root.
        return Draft202012Validator({**schema, "components": self.root["components"]})

    def problems(self, schema, value):
        found = self.validator(schema).iter_errors(value)
        return [f"{'/'.join(map(str, error.absolute_path)) or 'value'}: {error.message}" for error in found]

    def operations(self):
        for path, item in self.root["paths"].items():
            for method in METHODS:
                if method in item:
                    yield method, path, item[method]

    def operation(self, method, target):
        """The operation that a request is for, or None."""
        for item in self._items(target.partition("?")[0]):
            if method.lower() in item:
                return item[method.lower()]
        return None

    def _items(self, path):
        """What is documented of a path: by itself, then by each template that it fits."""
        if path in self.root["paths"]:
            yield self.root["paths"][path]
        for template, item in self.root["paths"].items():
            if template != path and re.fullmatch(re.sub(r"\{[a-z_]+\}", "[^/]+", template), path):
                yield item

    def methods(self, target):
        return {method.upper() for item in self._items(target) for method in METHODS if method in item}

    def response(self, operation, status):
        """The response object of a status and the key under which it is documented."""
        for key in (str(status), f"{status // 100}XX", "default"):
            if key in operation["responses"]:
                return self.resolve(operation["responses"][key]), key
        return None, None

    def body_problems(self, content, content_type, text):
        """What is wrong with a body; `content` maps media types to what is documented of them."""
        kind = media_type(content_type)
        if kind not in content:
            return [f"the media type {kind or 'none'} is not documented; these are: {', '.join(content)}"]
        schema = content[kind]["schema"]
        if kind == "text/event-stream":
            return self._each(schema, events_of(text))
        if kind == "application/x-ndjson":
            return self._each(schema, [json.loads(line) for line in text.splitlines() if line])
        value = json.loads(text) if kind.endswith("json") else text
        return self.problems(schema, value) + self.rules(value)

    def _each(self, schema, values):
        found = []
        for index, value in enumerate(values):
            wrong = self.problems(schema["contentSchema"], value)
            payload = value.get("data", value.get("error")) if isinstance(value, dict) else None
            found += [f"{index}: {problem}" for problem in wrong + self.rules(payload)]
        return found

    def rules(self, value):
        """What the descriptions say and a schema does not: see TaskView, Attempt and Problem."""
        found = []
        if isinstance(value, list):
            for item in value:
                found += self.rules(item)
        if not isinstance(value, dict):
            return found
        if {"task_id", "state", "attempts"} <= value.keys():
            found += task_problems(value)
        if {"type", "status", "code"} <= value.keys():
            found += self._problem_problems(value)
        for key in ("tasks",):
            found += self.rules(value.get(key))
        return found

    def _problem_problems(self, problem):
        known = self.errors.get(problem["code"])
        if not known:
            return [f"the code {problem['code']} is not in errors.json"]
        expected = {"title": known["title"], "status": known["status"], "type": f"/errors#{problem['code']}"}
        return [f"{key} is {problem.get(key)!r}, and errors.json says {value!r}"
                for key, value in expected.items() if problem.get(key) != value]

    def answer_problems(self, operation, response):
        """What is wrong with an answer, and the key of the status."""
        documented, key = self.response(operation, response.status)
        if documented is None:
            return [f"the status {response.status} is not documented"], None
        found = []
        for name, header in documented.get("headers", {}).items():
            header = self.resolve(header)
            value = response.header(name)
            if value is None:
                found += [f"the header {name} is missing"] if header.get("required") else []
            elif header["schema"].get("type") == "integer":
                found += self.problems(header["schema"], int(value))
            else:
                found += self.problems(header["schema"], value)
        if response.bodiless:
            found += ["there is a body"] if response.body else []
        elif "content" in documented:
            found += self.body_problems(documented["content"], response.header("Content-Type") or "", response.text)
        elif response.body:
            found.append(f"a body that is not documented: {response.body[:200]!r}")
        return found, key

    def examples(self):
        """Every example: where it is, its schema, its value; of bodies also the media type."""
        def walk(node, where):
            if isinstance(node, dict):
                if "schema" in node:
                    for name, example in node.get("examples", {}).items():
                        yield f"{where}/{name}", node, example["value"]
                    if "example" in node:
                        yield where, node, node["example"]
                for key, child in node.items():
                    if key not in ("examples", "example", "schemas"):
                        yield from walk(child, f"{where}/{key.replace('/', '~1')}")
            elif isinstance(node, list):
                for index, child in enumerate(node):
                    yield from walk(child, f"{where}/{index}")
        yield from walk(self.root["paths"], "#/paths")
        yield from walk(self.root["components"], "#/components")


def task_problems(task):
    found = []
    state, ended = task["state"], task["state"] in ("completed", "failed", "canceled", "rejected")
    if ended != (task["finished_at"] is not None):
        found.append(f"finished_at is {task['finished_at']} in the state {state}")
    if state in ("failed", "canceled", "rejected") and "error" not in task:
        found.append(f"{state} without an error")
    if state == "completed" and "error" in task:
        found.append("completed with an error")
    for key in ("agent_id", "service", "started_at"):
        if (task[key] is None) != (task["attempts"] == 0):
            found.append(f"{key} is {task[key]} after {task['attempts']} attempts")
    if "history" in task and ("output" in task) != (state == "completed"):
        found.append(f"output is {'there' if 'output' in task else 'missing'} in the state {state}")
    for attempt in task.get("history", []):
        if ("error" in attempt) == (attempt["verdict"] in ("running", "completed")):
            found.append(f"attempt {attempt['attempt']} is {attempt['verdict']}, and error "
                         f"{'is' if 'error' in attempt else 'is not'} there")
    return found
