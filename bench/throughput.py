#!/usr/bin/env python3
"""Tasks per second and their latency through a node, beside the bare service, and HAProxy and nginx as proxies
before it: wrk drives all of them, in turns, and the same lean service is behind all of them. Prints a table of
medians and ratios and one JSON line.

$ ROLECALL_PROGRAM=build/release/rolecall bench/throughput.py
"""
import argparse
import json
import os
import pathlib
import platform
import re
import shutil
import socket
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/api"))
sys.path.insert(0, str(ROOT / "bench"))

from journal import with_agents  # noqa: E402
from node_fixture import House, until  # noqa: E402

ECHO = pathlib.Path(os.environ["ROLECALL_PROGRAM"]).resolve().with_name("rolecall_bench_echo")
AGENTS = 64
TASK = json.dumps({"role": "worker", "input": {"n": 1}})
EXECUTION = json.dumps({"task_id": "t", "attempt": 1, "role": "worker", "input": {"n": 1}})

# As the manuals advise for speed: keep-alive on both sides, no access log. One thread each: what is compared is
# the work per request, and wrk and the service take the other core.
HAPROXY = """
global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  option http-keep-alive
  http-reuse always
frontend front
  bind 127.0.0.1:{port}
  default_backend back
backend back
  server one 127.0.0.1:{behind} pool-max-conn -1
"""
NGINX = """
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  keepalive_requests 100000000;
  upstream back {{ server 127.0.0.1:{behind}; keepalive 1024; keepalive_requests 100000000; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://back; proxy_http_version 1.1; proxy_set_header Connection ""; }}
  }}
}}
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def echo(house):
    child = subprocess.Popen([ECHO, "--agents", str(AGENTS)], stdout=subprocess.PIPE)
    house.callback(child.stdout.close)
    house.callback(child.wait)
    house.callback(child.terminate)
    return int(child.stdout.readline().decode().rpartition(":")[2])


def proxy(house, name, template, command, behind):
    port = free_port()
    file = pathlib.Path(house.folder) / f"{name}.conf"
    file.write_text(template.format(port=port, behind=behind, folder=house.folder))
    child = subprocess.Popen([shutil.which(command[0], path=os.environ["PATH"] + ":/usr/sbin"), *command[1:], file],
                             stdout=subprocess.DEVNULL)
    house.callback(child.wait)
    house.callback(child.terminate)
    until(lambda: answers(port), f"{name} to listen")
    return port


def node(house, behind, journal):
    sections = {} if journal else {"journal": {"path": ""}}
    return with_agents(house.node({"echo": f"http://127.0.0.1:{behind}"}, log={"level": "error"}, execution={
        "retain_tasks": 10_000}, **sections)).port


def wrk(house, port, path, body, connections, seconds):
    """Requests per second, latency in ms, and how many were not answered with 2xx."""
    script = pathlib.Path(house.folder) / "wrk.lua"
    script.write_text(f"wrk.method = 'POST'\nwrk.headers['Content-Type'] = 'application/json'\nwrk.body = [[{body}]]\n"
                      "done = function(summary, latency, requests)\n"
                      "  print('@ ' .. summary.requests / summary.duration * 1e6 .. ' ' .. latency:percentile(50) / 1e3 .. ' '\n"
                      "    .. latency:percentile(99) / 1e3 .. ' ' .. summary.errors.status + summary.errors.connect\n"
                      "    + summary.errors.read + summary.errors.write + summary.errors.timeout)\nend\n")
    out = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", script, f"http://127.0.0.1:{port}{path}"],
                         capture_output=True, text=True, check=True).stdout
    rate, p50, p99, errors = (float(x) for x in re.search(r"@ (\S+) (\S+) (\S+) (\S+)", out).groups())
    return {"per_second": rate, "p50_ms": p50, "p99_ms": p99, "errors": errors}


def version(*command):
    try:
        out = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return "?"
    return (re.search(r"\d+\.\d+(\.\d+)?", out.stdout + out.stderr) or ["?"])[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 16, 64, 256])
    parser.add_argument("--seconds", type=int, default=3, help="of each run")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with House() as house:
        behind = echo(house)
        targets = {
            "wrk straight": (behind, "/agents/a0/execute", EXECUTION),
            "HAProxy": (proxy(house, "haproxy", HAPROXY, ["haproxy", "-q", "-f"], behind), "/agents/a0/execute", EXECUTION),
            "nginx": (proxy(house, "nginx", NGINX, ["nginx", "-g", "daemon off;", "-c"], behind), "/agents/a0/execute", EXECUTION),
            "rolecall": (node(house, behind, False), "/v1/tasks?wait=30s", TASK),
            "rolecall, journal": (node(house, behind, True), "/v1/tasks?wait=30s", TASK),
        }
        result = {"machine": {"cpu": cpu(), "cores": os.cpu_count(), "kernel": platform.release()},
                  "versions": {"wrk": version("wrk", "-v"), "haproxy": version("haproxy", "-v"),
                               "nginx": version("/usr/sbin/nginx", "-v")}, "throughput": {}}
        for connections in options.connections:
            rounds = [{name: wrk(house, *target, connections, options.seconds) for name, target in targets.items()}
                      for _ in range(options.rounds)]
            result["throughput"][connections] = {name: figures(rounds, name) for name in targets}
            print(f"\n{connections} in flight (medians of {options.rounds} rounds; ratios of each round)")
            print(f"{'':20}{'per second':>12}{'of wrk':>9}{'of HAProxy':>12}{'p50 ms':>9}{'p99 ms':>9}{'errors':>8}")
            for name, row in result["throughput"][connections].items():
                print(f"{name:20}{row['per_second']:12.0f}{row['of_wrk']:9.2f}{row['of_haproxy']:12.2f}"
                      f"{row['p50_ms']:9.2f}{row['p99_ms']:9.2f}{row['errors']:8.0f}", flush=True)
        print(json.dumps(result))
    sys.exit(any(row["errors"] for rows in result["throughput"].values() for row in rows.values()))


def cpu():
    found = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return found[1] if found else platform.machine()


def figures(rounds, name):
    def median(value):
        return statistics.median(value(each) for each in rounds)
    return {**{key: median(lambda each: each[name][key]) for key in ("per_second", "p50_ms", "p99_ms")},
            "errors": sum(each[name]["errors"] for each in rounds),
            "of_wrk": median(lambda each: each[name]["per_second"] / each["wrk straight"]["per_second"]),
            "of_haproxy": median(lambda each: each[name]["per_second"] / each["HAProxy"]["per_second"])}


if __name__ == "__main__":
    main()
