#!/usr/bin/env python3
"""What operators get: the alerts, the dashboard and the unit are valid, and know no metric that the
documents do not have; shells complete. What promtool, systemd-analyze, zsh and fish check is skipped
where they are missing."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
ALERTS = ROOT / "config/prometheus/alerts.yml"
DASHBOARD = ROOT / "config/grafana/dashboard.json"
UNIT = ROOT / "config/systemd/rolecall.service"
PAGE = ROOT / "docs/operating.md"
PROGRAM = os.environ.get("ROLECALL_PROGRAM", "")


def metrics_in(text):
    names = re.findall(r"\b((?:rolecall|process)_[a-z_]+)\b", text)
    return {re.sub("_(bucket|sum|count)$", "", name) for name in names}


def run(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **more)


def needs(tool):
    return unittest.skipUnless(shutil.which(tool), f"{tool} is not installed")


class Operations(unittest.TestCase):
    def documented(self):
        section = PAGE.read_text().partition("## Metrics")[2].partition("\n## ")[0]
        return metrics_in("\n".join(re.findall(r"^\| `([^`]+)`", section, re.MULTILINE)))

    def panels(self):
        return [panel for panel in json.loads(DASHBOARD.read_text())["panels"] if panel["type"] != "row"]

    def expressions(self):
        for panel in self.panels():
            for target in panel["targets"]:
                expression = target["expr"].replace("$__rate_interval", "5m")
                yield re.sub(r"\$[a-z]+", "x", expression)

    def test_alerts_and_dashboard_use_only_metrics_that_are_documented(self):
        known = self.documented()
        self.assertGreater(len(known), 20)
        self.assertEqual(metrics_in(ALERTS.read_text()) - known, set())
        self.assertEqual(metrics_in("\n".join(self.expressions())) - known, set())

    def test_every_metric_is_on_the_dashboard_or_in_an_alert(self):
        shown = metrics_in("\n".join(self.expressions()) + ALERTS.read_text())
        self.assertEqual(self.documented() - shown, set())

    def test_every_alert_is_documented(self):
        alerts = re.findall(r"- alert: (\w+)", ALERTS.read_text())
        self.assertEqual(set(re.findall(r"`(Rolecall\w+)`", PAGE.read_text())), set(alerts))

    def test_the_dashboard_can_be_imported(self):
        dashboard = json.loads(DASHBOARD.read_text())
        self.assertTrue({"title", "uid", "schemaVersion", "panels", "templating", "time"} <= dashboard.keys())
        ids = [panel["id"] for panel in dashboard["panels"]]
        self.assertEqual(len(ids), len(set(ids)))
        taken = set()
        for panel in dashboard["panels"]:
            place = panel["gridPos"]
            self.assertLessEqual(place["x"] + place["w"], 24, panel["title"])
            cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                     for y in range(place["y"], place["y"] + place["h"])}
            self.assertFalse(cells & taken, panel["title"])
            taken |= cells

    @needs("promtool")
    def test_promtool_takes_the_alerts(self):
        for what, file in (("check", ALERTS), ("test", ALERTS.with_name("alerts_test.yml"))):
            found = run("promtool", what, "rules", str(file))
            self.assertEqual(found.returncode, 0, found.stdout + found.stderr)

    @needs("promtool")
    def test_promtool_takes_the_queries_of_the_dashboard(self):
        rules = [{"record": f"panel:{i}", "expr": expression} for i, expression in enumerate(self.expressions())]
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
            json.dump({"groups": [{"name": "dashboard", "rules": rules}]}, file)  # JSON is YAML
            file.flush()
            found = run("promtool", "check", "rules", file.name)
        self.assertEqual(found.returncode, 0, found.stdout + found.stderr)

    @needs("systemd-analyze")
    def test_systemd_takes_the_unit(self):
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder) / UNIT.name
            copy.write_text(UNIT.read_text().replace("ExecStart=/usr/bin/rolecall", "ExecStart=/bin/true"))
            found = run("systemd-analyze", "verify", str(copy))
        self.assertEqual((found.returncode, found.stdout + found.stderr), (0, ""))


@unittest.skipUnless(PROGRAM, "ROLECALL_PROGRAM is not set")
class Completion(unittest.TestCase):
    """What TAB does in the shells whose line editors can be had without a terminal of ours."""

    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        (pathlib.Path(self.folder) / "tokens.json").write_text("{}")

    def script(self, shell):
        path = pathlib.Path(self.folder) / f"{shell}-completion"
        path.write_text(run(PROGRAM, "completion", shell).stdout)
        return str(path)

    def ask(self, *command):
        path = f"{pathlib.Path(PROGRAM).parent}:{os.environ['PATH']}"
        found = run(*command, cwd=self.folder, stdin=subprocess.DEVNULL,
                    env={**os.environ, "PATH": path, "HOME": self.folder, "TERM": "dumb"})
        self.assertEqual((found.returncode, found.stderr), (0, ""))
        return found.stdout.splitlines()

    @needs("fish")
    def test_fish(self):
        script = self.script("fish")
        for line, expected in (("rolecall sub", ["submit"]), ("rolecall list --la", ["--label"]),
                               ("rolecall agents --state ", ["draining", "ready", "unhealthy"]),
                               ("rolecall completion f", ["fish"]), ("rolecall list --role ", []),
                               ("rolecall node --config tok", ["tokens.json"]),
                               ("rolecall token tok", ["tokens.json"])):
            found = self.ask("fish", "--no-config", "-c", f"source {script}; complete -C '{line}'")
            self.assertEqual([each.split("\t")[0] for each in found], expected, line)

    @needs("zsh")
    def test_zsh(self):
        script = self.script("zsh")
        for line, expected in (("sub", "submit "), ("list --la", "list --label "),
                               ("agents --state re", "agents --state ready "),
                               ("completion f", "completion fish "),
                               ("node --config tok", "node --config tokens.json "),
                               ("token tok", "token tokens.json ")):
            found, = self.ask("zsh", "-f", str(ROOT / "tests/support/complete.zsh"), script, f"rolecall {line}")
            self.assertEqual(found, f"rolecall {expected}", line)


if __name__ == "__main__":
    unittest.main(verbosity=1)
