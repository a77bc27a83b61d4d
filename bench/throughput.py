#!/usr/bin/env python3
"""Tasks per second through a node, beside the bare service, HAProxy and nginx as proxies before it, BullMQ and Celery
as queues before it, and clients in Python and JavaScript: in turns, and the same lean service is behind all of them.
The node is asked in three ways: its actors in process, POST /v1/tasks?wait, and one stream of NDJSON; each without a
journal, and with one that is on disk before a task counts. Prints medians and ratios, and writes them to DIR as JSON
and as a plot. Redis keeps nothing on disk here; Celery keeps no results.

$ ./dev bench throughput --out DIR
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
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/api"))
sys.path.insert(0, str(ROOT / "bench"))

from journal import send_lines, with_agents  # noqa: E402
from node_fixture import House, until  # noqa: E402
from wire import Connection  # noqa: E402

ECHO = pathlib.Path(os.environ["ROLECALL_PROGRAM"]).resolve().with_name("rolecall_bench_echo")
PLOT, IN_PROCESS, LOAD = (ECHO.with_name(f"rolecall_bench_{name}") for name in ("plot", "inprocess", "load"))
PEERS = ROOT / "build/bench-peers"
PYTHON = "/usr/bin/python3"  # Debian's, for which its packages are
AGENTS = 64
TASK = json.dumps({"role": "worker", "input": {"n": 1}})
EXECUTION = json.dumps({"task_id": "t", "attempt": 1, "role": "worker", "input": {"n": 1}})

# As the manuals advise for speed: keep-alive on both sides, no access log. One thread each: what is compared is
# the work per request.
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


def on_last_core(command):
    """There run the agents, and what asks those that stand before them: else the kernel moves whoever wakes each other up
    to one core, now and then, and what is measured is that."""
    return ["taskset", "-c", str(os.cpu_count() - 1), *command]


def background(house, command, **options):
    child = subprocess.Popen(command, **options)
    house.callback(child.wait)
    house.callback(child.terminate)
    return child


def echo(house, agents=AGENTS, concurrency=64, more=()):
    child = background(house, on_last_core([ECHO, "--agents", str(agents), "--concurrency", str(concurrency), *more]),
                       stdout=subprocess.PIPE)
    house.callback(child.stdout.close)
    return int(child.stdout.readline().decode().rpartition(":")[2])


def proxy(house, name, template, command, behind):
    port = free_port()
    file = pathlib.Path(house.folder) / f"{name}.conf"
    file.write_text(template.format(port=port, behind=behind, folder=house.folder))
    background(house, [shutil.which(command[0], path=os.environ["PATH"] + ":/usr/sbin"), *command[1:], file],
               stdout=subprocess.DEVNULL)
    until(lambda: answers(port), f"{name} to listen")
    return port


def node(house, behind, journal, waits=True, threads=1):
    sections = {} if journal else {"journal": {"path": ""}}
    started = house.node({"echo": f"http://127.0.0.1:{behind}"}, node={"threads": threads}, log={"level": "error"}, execution={
        "max_tasks": 1_000_000, "retain_tasks": 10_000}, roles={"worker": {"max_agents": 1_000}}, **sections)
    return with_agents(started) if waits else started


def wrk(house, port, path, body, connections, seconds, straight=False):
    """Requests per second, latency in ms, and how many were not answered with 2xx. `straight` at the agents: wrk takes
    the core of those that else stand between."""
    script = pathlib.Path(house.folder) / "wrk.lua"
    script.write_text(f"wrk.method = 'POST'\nwrk.headers['Content-Type'] = 'application/json'\nwrk.body = [[{body}]]\n"
                      "done = function(summary, latency, requests)\n"
                      "  print('@ ' .. summary.requests / summary.duration * 1e6 .. ' ' .. latency:percentile(50) / 1e3 .. ' '\n"
                      "    .. latency:percentile(99) / 1e3 .. ' ' .. summary.errors.status + summary.errors.connect\n"
                      "    + summary.errors.read + summary.errors.write + summary.errors.timeout)\nend\n")
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", script, f"http://127.0.0.1:{port}{path}"]
    out = subprocess.run(command if straight else on_last_core(command), capture_output=True, text=True, check=True).stdout
    rate, p50, p99, errors = (float(x) for x in re.search(r"@ (\S+) (\S+) (\S+) (\S+)", out).groups())
    return {"per_second": rate, "p50_ms": p50, "p99_ms": p99, "errors": errors}


def ran(command, **options):
    """What a program that prints one line of JSON has measured."""
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True, **options).stdout)


def in_process(house, behind, in_flight, seconds, journal, threads=1):
    house.files = getattr(house, "files", 0) + 1
    kept = ["--journal", pathlib.Path(house.folder) / f"bench-{house.files}.db"] if journal else []
    return ran([IN_PROCESS, "--service", f"http://127.0.0.1:{behind}", "--in-flight", str(in_flight), "--seconds",
                str(seconds), "--threads", str(threads), *kept])


def stream(in_flight, seconds, journal):
    """All tasks are handed over at once; the agents' limits are what is in flight."""
    agents = min(in_flight, AGENTS)
    with House() as house:
        served = node(house, echo(house, agents, in_flight // agents), journal)
        count = int(seconds * 500 * min(16, in_flight))
        begin = time.monotonic()
        send_lines(served, [{"role": "worker", "input": {"n": 1}}] * count)

        def completed():
            with Connection(served.port) as connection:
                return connection.request("GET", "/v1/stats").json["tasks"]["completed"] >= count
        while not completed():
            time.sleep(0.01)
        return {"per_second": count / (time.monotonic() - begin), "errors": 0}


def redis(house):
    port = free_port()
    background(house, ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
                       "--dir", house.folder], stdout=subprocess.DEVNULL)
    until(lambda: answers(port), "Redis to listen")
    return port


def celery(house, redis_port, url, in_flight, tasks):
    environment = {**os.environ, "CELERY_REDIS": f"redis://127.0.0.1:{redis_port}/1", "CELERY_URL": url,
                   "PYTHONPATH": str(ROOT / "bench/peers")}
    worker = subprocess.Popen([PYTHON, "-m", "celery", "-A", "celery_peer", "worker", "-P", "gevent", "-c", str(in_flight),
                               "-l", "error", "--without-gossip", "--without-mingle", "--without-heartbeat"],
                              env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        ran([PYTHON, ROOT / "bench/peers/celery_peer.py", url, EXECUTION, "100"], env=environment)  # the worker is there, and warm
        return ran([PYTHON, ROOT / "bench/peers/celery_peer.py", url, EXECUTION, str(tasks)], env=environment)
    finally:
        worker.terminate()
        worker.wait()


def install_peers():
    PEERS.mkdir(parents=True, exist_ok=True)
    for file in (ROOT / "bench/peers").glob("*.mjs"):
        shutil.copy(file, PEERS)
    wanted = (ROOT / "bench/peers/package.json").read_text()
    if not (PEERS / "node_modules").exists() or (PEERS / "package.json").read_text() != wanted:
        (PEERS / "package.json").write_text(wanted)
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent", "--ignore-scripts"], cwd=PEERS, check=True)


def version(*command):
    try:
        out = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return "?"
    return (re.search(r"\d+\.\d+(\.\d+)?", out.stdout + out.stderr) or ["?"])[0]


def versions():
    of_python = "import celery, aiohttp, httpx; print(%s.__version__)"
    peers = json.loads((ROOT / "bench/peers/package.json").read_text())["dependencies"]
    return {"rolecall": version(os.environ["ROLECALL_PROGRAM"], "--version"), "wrk": version("wrk", "-v"),
            "haproxy": version("/usr/sbin/haproxy", "-v"), "nginx": version("/usr/sbin/nginx", "-v"),
            "redis": version("redis-server", "--version"), "node": version("node", "--version"), **peers,
            **{name: version(PYTHON, "-c", of_python % name) for name in ("celery", "aiohttp", "httpx")}}


def machine():
    found = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return {"cpu": found[1] if found else platform.machine(), "cores": os.cpu_count(), "kernel": platform.release()}


def targets_of(house, seconds):
    """By name: what measures it, given how many are in flight."""
    behind = echo(house)
    url = f"http://127.0.0.1:{behind}/agents/a0/execute"
    execute = ("/agents/a0/execute", EXECUTION)
    submit = ("/v1/tasks?wait=30s", TASK)
    ports = {"wrk straight": (behind, *execute),
             "HAProxy": (proxy(house, "haproxy", HAPROXY, ["haproxy", "-q", "-f"], behind), *execute),
             "nginx": (proxy(house, "nginx", NGINX, ["nginx", "-g", "daemon off;", "-c"], behind), *execute),
             "rolecall, POST ?wait": (node(house, behind, False).port, *submit),
             "rolecall, POST ?wait, 2 threads": (node(house, behind, False, threads=2).port, *submit),
             "rolecall, POST ?wait, journal": (node(house, behind, True).port, *submit)}
    redis_port = redis(house)
    result = {name: lambda n, target=target: wrk(house, *target, n, seconds, straight=target[0] == behind)
              for name, target in ports.items()}
    result["rolecall's HTTP client alone"] = lambda n: ran([LOAD, "--url", url, "--body", EXECUTION, "--in-flight", str(n),
                                                            "--seconds", str(seconds)])
    for suffix, journal in (("", False), (", journal", True)):
        result["rolecall, in process" + suffix] = lambda n, kept=journal: in_process(house, behind, n, seconds, kept)
        result["rolecall, in process, 2 threads" + suffix] = lambda n, kept=journal: in_process(house, behind, n, seconds, kept, 2)
        result["rolecall, NDJSON" + suffix] = lambda n, kept=journal: stream(n, seconds, kept)
    result["BullMQ"] = lambda n: ran(["node", "bullmq.mjs", str(redis_port), url, EXECUTION, str(n), str(2_000 * seconds)],
                                     cwd=PEERS)
    result["Celery"] = lambda n: celery(house, redis_port, url, n, 300 * seconds)
    result["undici"] = lambda n: ran(["node", "undici.mjs", url, EXECUTION, str(n), str(seconds)], cwd=PEERS)
    for library in ("aiohttp", "httpx"):
        result[library] = lambda n, name=library: ran([PYTHON, ROOT / "bench/peers/python_client.py", name, url, EXECUTION,
                                                       str(n), str(seconds)])
    return result


def figures(rounds, name):
    def median(value):
        return statistics.median(value(each) for each in rounds)
    result = {"per_second": median(lambda each: each[name]["per_second"]), "errors": sum(each[name]["errors"] for each in rounds)}
    for key in ("p50_ms", "p99_ms"):
        if key in rounds[0][name]:
            result[key] = median(lambda each: each[name][key])
    for key, other in (("of_wrk", "wrk straight"), ("of_haproxy", "HAProxy"), ("of_bullmq", "BullMQ"), ("of_celery", "Celery")):
        if other in rounds[0]:
            result[key] = median(lambda each: each[name]["per_second"] / each[other]["per_second"])
    return result


def table(rows):
    """In Markdown, as it stands in the documentation."""
    columns = (("per_second", "per second", "{:,.0f}"), ("of_wrk", "of wrk", "{:.2f}"), ("of_haproxy", "of HAProxy", "{:.2f}"),
               ("of_bullmq", "of BullMQ", "{:.1f}"), ("of_celery", "of Celery", "{:.1f}"), ("p50_ms", "p50 ms", "{:.2f}"),
               ("p99_ms", "p99 ms", "{:.2f}"))
    lines = ["| | " + " | ".join(title for _, title, _ in columns) + " |", "|---|" + "--:|" * len(columns)]
    for name, row in rows.items():
        lines.append(f"| {name} | " + " | ".join(
            form.format(row[key]) if key in row else "" for key, _, form in columns) + " |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--in-flight", type=int, nargs="+", default=[1, 16, 64, 256, 1_024])
    parser.add_argument("--seconds", type=int, default=2, help="of each run")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--targets", nargs="+", help="only these")
    parser.add_argument("--out", type=pathlib.Path, help="a folder for the figures and the plot")
    options = parser.parse_args()
    install_peers()
    with House() as house:
        targets = targets_of(house, options.seconds)
        if options.targets:
            if unknown := set(options.targets) - set(targets):
                parser.error(f"no targets {sorted(unknown)}; there are {sorted(targets)}")
            targets = {name: targets[name] for name in options.targets}
        result = {"machine": machine(), "versions": versions(), "throughput": {}}
        for in_flight in options.in_flight:
            rounds = [{name: measure(in_flight) for name, measure in targets.items()} for _ in range(options.rounds)]
            rows = result["throughput"][in_flight] = {name: figures(rounds, name) for name in targets}
            print(f"\n{in_flight} in flight (medians of {options.rounds} rounds, ratios of each round)\n\n{table(rows)}", flush=True)
    print(f"\n{json.dumps(result)}")
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "throughput.json").write_text(json.dumps(result, indent=1))
        plot = {"title": "Tasks per second, by how many are in flight", "unit": "per second", "labels": list(targets),
                "series": [{"name": str(in_flight), "values": [rows[name]["per_second"] for name in targets]}
                           for in_flight, rows in result["throughput"].items()]}
        (options.out / "throughput.svg").write_text(
            subprocess.run([PLOT], input=json.dumps(plot), capture_output=True, text=True, check=True).stdout)
    sys.exit(any(row["errors"] for rows in result["throughput"].values() for row in rows.values()))


if __name__ == "__main__":
    main()
