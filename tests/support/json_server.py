"""The HTTP of the agents services of the tests that are written with asyncio."""
import asyncio
import json
import urllib.parse


async def listen(answer):
    """Serves at a port of its own, which it prints, for ever. `answer(method, path, body, reader)`, with the
    segments of the path, gives the status and the body: a value to be sent as JSON, bytes to be sent as they
    are, or None. If it gives None alone, the connection is closed."""

    async def serve(reader, writer):
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                method, target = head.decode("latin-1").split(" ", 2)[:2]
                length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n")
                               if line.lower().startswith(b"content-length:")), 0)
                path = [urllib.parse.unquote(part) for part in target.split("/")[1:]]
                answered = await answer(method, path, await reader.readexactly(length), reader)
                if answered is None:
                    return
                status, value = answered
                data = b"" if value is None else value if isinstance(value, bytes) else json.dumps(value).encode()
                length = b"" if value is None else b"Content-Length: %d\r\n" % len(data)
                writer.write(b"HTTP/1.1 %d X\r\n%s\r\n%s" % (status, length, data))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has closed its connection, as it may at any time
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1024)
    print(f"listening on http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()
