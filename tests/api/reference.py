#!/usr/bin/env python3
"""Makes the table of all configuration keys in docs/operating.md from config/schema.json.

Without an option it prints the table, with --write it replaces the marked section of the page."""
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCHEMA = ROOT / "config/schema.json"
PAGE = ROOT / "docs/operating.md"
BEGIN = "<!-- made by tests/api/reference.py from config/schema.json -->"
END = "<!-- end of what is made -->"


def load():
    return json.loads(SCHEMA.read_text())


def children(node, path):
    """The keys below a node: (path, schema, required)."""
    required = node.get("required", [])
    for key, child in node.get("properties", {}).items():
        yield (f"{path}.{key}" if path else key), child, key in required
    if isinstance(node.get("additionalProperties"), dict):
        yield f"{path}.R", node["additionalProperties"], False
    if isinstance(node.get("items"), dict) and "properties" in node["items"]:
        yield f"{path}[]", node["items"], False


def leaves(node, path="", required=False):
    """Every key that has a value of its own, in the order of the schema."""
    below = list(children(node, path))
    if not below:
        yield path, node, required
    for child_path, child, child_required in below:
        yield from leaves(child, child_path, child_required)


def default_of(node, required):
    if required:
        return "required"
    if "default" not in node:
        return "none"
    return f"`{json.dumps(node['default'])}`"



def bounds_of(node):
    parts = []
    if "enum" in node:
        parts.append(", ".join(f"`{value}`" for value in node["enum"]))
    if "x-minimum" in node:
        parts.append(f"at least {node['x-minimum']}")
    if "minimum" in node and "maximum" in node:
        parts.append(f"{node['minimum']} to {node['maximum']} {node.get('x-unit', '')}".strip())
    elif "maxItems" in node:
        parts.append(f"at most {node['maxItems']}")
    elif node.get("type") == "string" and "$ref" not in node and "maxLength" in node:
        parts.append(f"{node.get('minLength', 0)} to {node['maxLength']} bytes")
    return "; ".join(parts)


def table(schema):
    lines = ["| key | what it is | bounds | default |", "|---|---|---|---|"]
    for path, node, required in leaves(schema):
        description = node["description"].replace("|", "\\|")
        lines.append(f"| `{path}` | {description} | {bounds_of(node)} | {default_of(node, required)} |")
    return "\n".join(lines) + "\n"


def with_table(page, made):
    before, _, rest = page.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise SystemExit(f"{PAGE} has no section between {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{made}{END}{after}"


def main():
    made = table(load())
    if sys.argv[1:] == ["--write"]:
        PAGE.write_text(with_table(PAGE.read_text(), made))
    elif not sys.argv[1:]:
        print(made, end="")
    else:
        raise SystemExit("usage: reference.py [--write]")


if __name__ == "__main__":
    main()
