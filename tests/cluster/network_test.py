#!/usr/bin/env python3
"""Nodes on hosts of their own, in network namespaces: a slow network that loses packets, cables that are
pulled, a partition, an address that changes. Over TLS, which nodes off loopback must have."""
import argparse
import sys
import time
import unittest

import hosts
from certificates import Authority
from cluster_fixture import Cluster, Node, ONE_FLEET_S, Service, node_fixture, within

PORT = 7481
NAMES = "abcd"
TIMEOUT_S = 1
WHY = node_fixture.missing() or hosts.missing()


class Hosted(Node):
    """A node on a host; what is asked is asked there."""

    def __init__(self, hosts_of_all, number, folder, config):
        super().__init__(folder, config, within=hosts_of_all.within(number))
        self.hosts, self.number = hosts_of_all, number

    def connection(self):
        with self.hosts.entered(self.number):
            return super().connection()


class Network(Cluster):
    """Four nodes on four hosts, each with a service on its own loopback; each knows the next one."""

    def __init__(self):
        super().__init__("", heartbeat="200ms", timeout=f"{TIMEOUT_S}s")
        self.hosts = self.enter_context(hosts.Hosts(len(NAMES)))
        self.authority = Authority(self.folder, "ca")
        for number, name in enumerate(NAMES):
            service = self.services[name] = Service(self.folder, name, within=self.hosts.within(number))
            self.callback(service.stop)
            peer = f"{self.hosts.address((number + 1) % len(NAMES))}:{PORT}"
            config = self.node(name, "unused:1", [peer], [{"name": "local", "url": service.url}]).config
            del config["cluster"]["advertise"]  # it is where it calls from
            config["cluster"] |= {"listen": f"0.0.0.0:{PORT}", "tls": self.authority.tls(name)}
            node = self.nodes[name] = Hosted(self.hosts, number, self.folder, config)
            self.callback(node.stop)
            self.sizes[name] = 2


@unittest.skipIf(WHY, WHY)
class HostsOfTheirOwn(unittest.TestCase):
    partition_s = 3

    def setUp(self):
        self.network = self.enterContext(Network())
        self.network.start()
        self.network.become_one()
        self.a, self.d = self.network.nodes["a"], self.network.nodes["d"]

    def some(self, node, count=40, **task):
        return [node.submit(max_attempts=9, **task) for _ in range(count)]

    def completed(self, node, tasks):
        for task_id in tasks:
            self.assertEqual(node.task(task_id, "25s")["state"], "completed")

    def one_again(self):
        self.assertLess(self.network.become_one(), ONE_FLEET_S)
        self.assertEqual(self.network.executed_twice(), [])

    def test_a_slow_network_that_loses_packets_is_good_enough(self):
        if not all(self.network.hosts.slow(number, 20, 1) for number in range(len(NAMES))):
            self.skipTest("this kernel has no netem (tc qdisc)")
        self.completed(self.a, self.some(self.a, 200))
        self.assertEqual([node.log("node_lost") for node in self.network.nodes.values()], [[]] * len(NAMES))
        trips = [one["link"]["round_trip_ms"] for one in self.a.get("/v1/nodes")["nodes"] if "link" in one]
        self.assertGreater(min(trips), 39)

    def test_a_pulled_cable_is_noticed_within_the_timeout_and_costs_nothing(self):
        tasks = self.some(self.a, input={"ms": 300})
        begin = time.monotonic()
        self.network.hosts.unplug(3)
        within(10, lambda: self.a.log("node_lost"), "the loss to be noticed")
        self.assertLess(time.monotonic() - begin, 3 * TIMEOUT_S)
        self.completed(self.a, tasks)
        self.network.hosts.plug_in(3)
        self.one_again()

    def test_a_host_whose_network_is_down_goes_on_alone_and_comes_back(self):
        self.network.hosts.down(3)
        within(10, lambda: len(self.d.log("node_lost")) == 3, "the loss to be noticed")
        self.completed(self.d, self.some(self.d))
        self.network.hosts.up(3)
        self.one_again()

    def test_two_halves_go_on_and_are_one_fleet_after_the_partition(self):
        before = {name: self.some(node, 20, input={"ms": 300}) for name, node in self.network.nodes.items()}
        self.network.hosts.split((2, 3))
        self.network.become_one("ab")
        self.network.become_one("cd")
        end = time.monotonic() + self.partition_s
        during = {name: [] for name in NAMES}
        while time.monotonic() < end:
            for name, node in self.network.nodes.items():
                during[name] += self.some(node, 5, input={"ms": 20})
            time.sleep(0.2)
        for tasks in (before, during):
            for name, ids in tasks.items():
                self.completed(self.network.nodes[name], ids)
        ends = {task_id: self.network.nodes[name].task(task_id) for tasks in (before, during)
                for name, ids in tasks.items() for task_id in ids}
        self.network.hosts.join((2, 3))
        self.one_again()
        time.sleep(TIMEOUT_S)  # what was on its way has come, and is of no use
        for node in self.network.nodes.values():
            for task_id, end in ends.items():
                now = node.task(task_id)
                now.pop("home", None)
                self.assertEqual(now, end)

    def test_a_host_that_has_got_another_address_is_found_there(self):
        self.network.hosts.move(3, 77)
        address = f"{self.network.hosts.address(77)}:{PORT}"

        def told():
            nodes = self.a.get("/v1/nodes")["nodes"]
            return [one["link"]["address"] for one in nodes if one["node"] == "d"] == [address]
        within(15, told, "the others to know the new address")
        self.assertLess(self.network.become_one(), ONE_FLEET_S)
        self.completed(self.a, self.some(self.a, input={"ms": 50}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--partition-s", type=float, default=HostsOfTheirOwn.partition_s)
    options, rest = parser.parse_known_args()
    HostsOfTheirOwn.partition_s = options.partition_s
    node_fixture.watch(300)
    unittest.main(argv=[sys.argv[0], *rest])
