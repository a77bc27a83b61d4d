"""Hosts on this machine: network namespaces on a bridge, whose links are slow, lose packets, and are cut."""
import contextlib
import ctypes
import os
import shutil
import subprocess

MANY = 250


def ip(*arguments):
    done = subprocess.run(["ip", *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        raise OSError(f"ip {' '.join(map(str, arguments))}: {done.stderr.strip()}")


def set_space(file):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(file.fileno(), 0x40000000) != 0:  # CLONE_NEWNET
        raise OSError(ctypes.get_errno(), "setns")


def missing():
    """Why there can be no hosts here, or None."""
    if not shutil.which("ip"):
        return "there is no `ip` here (package iproute2)"
    if os.geteuid() != 0:
        return "network namespaces need root"
    try:
        with Hosts(1):
            return None
    except OSError as problem:
        return f"network namespaces cannot be made here: {problem}"


class Hosts(contextlib.ExitStack):
    """`count` hosts, numbered from 0, each with an address in a network of their own."""

    def __init__(self, count):
        super().__init__()
        self.name = f"rc{os.getpid() % 100_000}"
        self.network = f"10.{os.getpid() // MANY % MANY}.{os.getpid() % MANY}"
        try:
            # The bridge has a namespace too: nothing of this is seen from outside.
            self.space(f"{self.name}-br")
            self.inside("br", "link", "add", "name", "hub", "type", "bridge", "forward_delay", 0)
            self.inside("br", "link", "set", "hub", "up")
            for number in range(count):
                self.add(number)
        except BaseException:
            self.close()
            raise

    def space(self, name):
        ip("netns", "add", name)
        self.callback(ip, "netns", "del", name)

    def inside(self, host, *arguments):
        ip("-n", f"{self.name}-{host}", *arguments)

    def add(self, number):
        self.space(f"{self.name}-{number}")
        self.inside("br", "link", "add", "name", f"to{number}", "type", "veth", "peer", "name", "net", "netns",
                    f"{self.name}-{number}")
        self.inside("br", "link", "set", f"to{number}", "master", "hub", "up")
        self.inside(number, "link", "set", "lo", "up")
        self.inside(number, "addr", "add", f"{self.address(number)}/24", "dev", "net")
        self.inside(number, "link", "set", "net", "up")

    def address(self, number):
        return f"{self.network}.{number + 1}"

    def within(self, number):
        """What to put before a command so that it runs on this host."""
        return ["ip", "netns", "exec", f"{self.name}-{number}"]

    @contextlib.contextmanager
    def entered(self, number):
        """This thread is on that host: sockets that it makes are."""
        with open("/proc/thread-self/ns/net") as here, open(f"/run/netns/{self.name}-{number}") as there:
            set_space(there)
            try:
                yield
            finally:
                set_space(here)

    def move(self, number, to):
        """Gives the host the address that another number would have."""
        self.inside(number, "addr", "flush", "dev", "net")
        self.inside(number, "addr", "add", f"{self.address(to)}/24", "dev", "net")

    def unplug(self, number):
        """What is sent vanishes, on both sides: nobody is told."""
        self.inside("br", "link", "set", f"to{number}", "nomaster")

    def plug_in(self, number):
        self.inside("br", "link", "set", f"to{number}", "master", "hub")

    def split(self, numbers):
        """These hosts see each other, and nobody else."""
        self.inside("br", "link", "add", "name", "other", "type", "bridge", "forward_delay", 0)
        self.inside("br", "link", "set", "other", "up")
        for number in numbers:
            self.inside("br", "link", "set", f"to{number}", "master", "other")

    def join(self, numbers):
        for number in numbers:
            self.plug_in(number)
        self.inside("br", "link", "del", "other")

    def down(self, number):
        """The host itself sees that its network is gone."""
        self.inside(number, "link", "set", "net", "down")

    def up(self, number):
        self.inside(number, "link", "set", "net", "up")

    def slow(self, number, delay_ms, loss_percent):
        """What this host sends takes its time, and some of it is lost; gives whether that can be done here."""
        done = subprocess.run(["tc", "-n", f"{self.name}-{number}", "qdisc", "replace", "dev", "net", "root", "netem",
                               "delay", f"{delay_ms}ms", "loss", f"{loss_percent}%"], capture_output=True)
        return done.returncode == 0
