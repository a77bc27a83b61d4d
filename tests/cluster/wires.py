"""TCP between the nodes of a cluster that can be cut, frozen and healed."""
import asyncio
import contextlib
import socket
import threading

CHUNK = 65536


class Wires:
    """An entrance for each node, on a port of its own; the node advertises it, and the others call there.
    Who calls is read from the first frame, where a node tells its name (so not with TLS).

    `cut` ends the connections of two nodes and all that they try; `freeze` holds what one sends to the
    other, the end of the connection too, as a network does that loses every packet: what was held comes
    late, after `heal`."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.targets = {}   # by node: the port where it listens; None while it does not
        self.ports = {}     # by node: that of its entrance
        self.cuts = set()   # pairs of nodes
        self.frozen = set() # (from, to)
        self.writers = {}   # by pair of nodes: those of their connections
        self.healed = asyncio.Event()
        self.servers, self.pumps = [], set()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)

    def entrance(self, node):
        """The address of the node for all others."""
        async def listen():
            server = await asyncio.start_server(lambda r, w: self.serve(node, r, w), "127.0.0.1", 0, backlog=256)
            self.servers.append(server)
            return server.sockets[0].getsockname()[1]
        self.targets[node] = None
        self.ports[node] = self.call(listen())
        return f"127.0.0.1:{self.ports[node]}"

    def cut(self, one, other):
        async def change():
            self.cuts.add(frozenset((one, other)))
            for writer in self.writers.get(frozenset((one, other)), ()):
                writer.transport.abort()
        self.call(change())

    def freeze(self, sender, receiver):
        async def change():
            self.frozen.add((sender, receiver))
        self.call(change())

    def heal(self):
        """All of it."""
        async def change():
            self.cuts.clear()
            self.frozen.clear()
            self.healed.set()
            self.healed = asyncio.Event()
        self.call(change())

    def stop(self):
        async def end():
            for server in self.servers:
                server.close()
            for writers in self.writers.values():
                for writer in writers:
                    writer.transport.abort()
            for pump in self.pumps:
                pump.cancel()
            await asyncio.gather(*self.pumps, return_exceptions=True)
        self.call(end())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    # -- in the loop ------------------------------------------------------------------------------------------

    async def serve(self, node, reader, writer):
        self.pumps.add(task := asyncio.current_task())
        writers = [writer]
        try:
            await self.connect(node, reader, writers)
        except (OSError, asyncio.CancelledError):
            pass  # cut, or one of the two has gone
        finally:
            self.pumps.discard(task)
            for each in writers:
                each.transport.abort()

    async def connect(self, node, reader, writers):
        first = await reader.read(CHUNK)
        caller = self.name_in(first, node)
        pair = frozenset((caller, node))
        if pair in self.cuts or not self.targets[node]:
            return
        there, back = await asyncio.open_connection("127.0.0.1", self.targets[node])
        writers.append(back)
        known = self.writers.setdefault(pair, set())
        known.update(writers)
        try:
            await self.pass_on(caller, node, first, back)
            both = [asyncio.ensure_future(self.pump(caller, node, reader, back)),
                    asyncio.ensure_future(self.pump(node, caller, there, writers[0]))]
            try:
                await asyncio.gather(*both)
            finally:
                for each in both:
                    each.cancel()
        finally:
            known.difference_update(writers)

    def name_in(self, first, node):
        for name in self.targets:
            if name != node and bytes([len(name)]) + name.encode() in first:
                return name
        return "a stranger"

    async def pump(self, sender, receiver, reader, writer):
        while data := await reader.read(CHUNK):
            await self.pass_on(sender, receiver, data, writer)
        await self.pass_on(sender, receiver, b"", writer)
        with contextlib.suppress(OSError):
            writer.write_eof()

    async def pass_on(self, sender, receiver, data, writer):
        while (sender, receiver) in self.frozen:
            await self.healed.wait()
        writer.write(data)
        await writer.drain()


def send_raw(port, data=b""):
    """A plain connection, on which this has been sent."""
    raw = socket.create_connection(("127.0.0.1", port), timeout=30)
    with contextlib.suppress(OSError):  # refused before all was sent
        raw.sendall(data)
    return raw


def ended(raw):
    """Waits until the other end closes; gives what it had said."""
    said = b""
    with contextlib.suppress(ConnectionResetError, BrokenPipeError):
        while data := raw.recv(CHUNK):
            said += data
    return said
