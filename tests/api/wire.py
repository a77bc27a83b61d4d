"""HTTP as it goes over the wire: requests as bytes, answers with all that came."""
import gzip
import json
import socket

PATIENCE_S = 30


class Closed(Exception):
    """The peer closed the connection before the whole answer was there."""


class Response:
    def __init__(self, status, headers, body=b"", bodiless=False, interim=()):
        self.status, self.headers, self.body = status, headers, body
        self.bodiless, self.interim = bodiless, list(interim)

    def header(self, name):
        found = [value for key, value in self.headers if key.lower() == name.lower()]
        return ", ".join(found) if found else None

    @property
    def text(self):
        packed = self.header("Content-Encoding") == "gzip"
        return (gzip.decompress(self.body) if packed else self.body).decode()

    @property
    def json(self):
        return json.loads(self.text)


class Connection:
    """A socket to 127.0.0.1. Nothing waits longer than PATIENCE_S."""

    def __init__(self, port, tls=None, receive_buffer=None):
        self.port = port
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.socket.settimeout(PATIENCE_S)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        try:
            self.socket.connect(("127.0.0.1", port))
        except OSError:
            self.socket.close()
            raise
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data.encode() if isinstance(data, str) else data)

    def head(self, method, target, headers=None):
        """A request's head as bytes. A header that is None is left out."""
        all_headers = {"Host": f"127.0.0.1:{self.port}", **(headers or {})}
        lines = [f"{method} {target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in all_headers.items() if value is not None]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def request(self, method, target, headers=None, body=None):
        """Sends a request and reads its answer. A body that is not bytes or text is sent as JSON."""
        headers = dict(headers or {})
        if body is not None:
            if not isinstance(body, (bytes, str)):
                body = json.dumps(body)
                headers.setdefault("Content-Type", "application/json")
            body = body.encode() if isinstance(body, str) else body
            headers.setdefault("Content-Length", len(body))
        elif method == "POST":
            headers.setdefault("Content-Length", 0)
        self.send(self.head(method, target, headers) + (body or b""))
        return self.response(method)

    def request_head(self, method, target, headers=None):
        """Sends a request without a body, and reads the head of its answer."""
        self.send(self.head(method, target, headers))
        return self.start(method)

    def fill(self):
        data = self.socket.recv(65536)
        if not data:
            raise Closed(self.buffer)
        self.buffer += data

    def until(self, mark):
        """All up to and with the mark."""
        while mark not in self.buffer:
            self.fill()
        found, _, self.buffer = self.buffer.partition(mark)
        return found + mark

    def exactly(self, count):
        while len(self.buffer) < count:
            self.fill()
        found, self.buffer = self.buffer[:count], self.buffer[count:]
        return found

    def start(self, method="GET"):
        """Reads an answer's head; interim answers (1xx) are kept beside it."""
        interim = []
        while True:
            first, *lines = self.until(b"\r\n\r\n").decode("latin-1").split("\r\n")
            status = int(first.split(" ")[1])
            headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines if line]
            if status >= 200:
                return Response(status, headers, bodiless=method == "HEAD" or status in (204, 304), interim=interim)
            interim.append(status)

    def pieces(self, response):
        """The body as it comes."""
        if response.bodiless:
            return
        if (response.header("Transfer-Encoding") or "").lower() == "chunked":
            while size := int(self.until(b"\r\n").split(b";")[0], 16):
                yield self.exactly(size)
                self.exactly(2)
            while self.until(b"\r\n") != b"\r\n":
                pass
        elif response.header("Content-Length") is not None:
            yield self.exactly(int(response.header("Content-Length")))
        else:
            try:
                while True:
                    if self.buffer:
                        piece, self.buffer = self.buffer, b""
                        yield piece
                    self.fill()
            except Closed:
                return

    def response(self, method="GET"):
        response = self.start(method)
        response.body = b"".join(self.pieces(response))
        return response

    def lines(self, response):
        """The lines of a body as they come, without their line breaks."""
        rest = b""
        for piece in self.pieces(response):
            *whole, rest = (rest + piece).split(b"\n")
            yield from (line.decode().rstrip("\r") for line in whole)
        if rest:
            yield rest.decode()

    def events(self, response):
        """The events of an SSE stream as they come, comments left out."""
        from document import events_of
        block = []
        for line in self.lines(response):
            if line:
                block.append(line)
                continue
            yield from events_of("\n".join(block) + "\n\n")
            block = []

    def at_end(self):
        """Whether the peer closes, with nothing more to be read."""
        if self.buffer:
            return False
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True


