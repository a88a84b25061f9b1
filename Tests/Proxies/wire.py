"""Raw HTTP: a client that sends what a check needs, and a server that records what a proxy forwards."""

import email.utils
import json
import select
import socket
import struct
import threading
import time
import zlib


class Broken(Exception):
    """The connection ended or the time was up before the answer was complete."""


class Answer:
    def __init__(self, status, fields, body):
        self.status, self.fields, self.body = status, fields, body

    def field(self, name):
        return next((value for key, value in self.fields if key.lower() == name.lower()), None)

    @property
    def json(self):
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


class Connection:
    """A client's connection."""

    def __init__(self, port, source="127.0.0.1", timeout=60, tls=None):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout, (source, 0))
        if tls:
            self.socket = tls.wrap_socket(self.socket)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def ask(self, method, path, fields, body=b"", waits=False):
        """Makes one exchange. With `waits`, the body is sent after a 100 or after 2 s, but not after a final answer."""
        if not waits:
            self.send(method, path, fields, body)
            return self.answer()
        self.send(method, path, [*fields, ("Expect", "100-continue"), ("Content-Length", len(body))])
        if select.select([self.socket], [], [], 2)[0]:
            status, fields = self._head()
            if status != 100:
                return Answer(status, fields, self._body(status, fields))
        self._send(body)
        return self.answer()

    def send(self, method, path, fields, body=None):
        """Sends a request. Without a `body`, sends only the head; `fields` then give the length of the body."""
        if body is not None and method == "POST":
            fields = [*fields, ("Content-Length", len(body))]
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields)
        self._send(f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + (body or b""))

    def _send(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            pass  # The answer may already have arrived, and is read later.

    def receives(self, text, seconds):
        """Returns whether this text arrives in time."""
        self.socket.settimeout(seconds)
        try:
            while text not in self.buffer:
                self._more()
        except Broken:
            return False
        return True

    def linger(self, seconds):
        """Reads what arrives within that time, because closing with unread bytes would reset the connection."""
        self.socket.settimeout(seconds)
        try:
            while self.socket.recv(65536):
                pass
        except OSError:
            pass

    def answer(self):
        status = 100
        while status == 100:
            status, fields = self._head()
        return Answer(status, fields, self._body(status, fields))

    def _more(self):
        try:
            data = self.socket.recv(65536)
        except OSError as error:
            raise Broken(f"no whole answer: {error}") from None
        if not data:
            raise Broken("closed without a whole answer")
        self.buffer += data

    def _until(self, mark):
        while mark not in self.buffer:
            self._more()
        found, _, self.buffer = self.buffer.partition(mark)
        return found

    def _exactly(self, count):
        while len(self.buffer) < count:
            self._more()
        found, self.buffer = self.buffer[:count], self.buffer[count:]
        return found

    def _head(self):
        first, *lines = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        fields = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        return int(first.split(" ")[1]), fields

    def _body(self, status, fields):
        of = {name.lower(): value for name, value in fields}
        if status in (204, 304):
            return b""
        if of.get("transfer-encoding", "").lower() == "chunked":
            body = b""
            while size := int(self._until(b"\r\n").split(b";")[0], 16):
                body += self._exactly(size)
                self._until(b"\r\n")
            self._until(b"\r\n")
            return body
        if "content-length" in of:
            return self._exactly(int(of["content-length"]))
        body = self.buffer
        try:
            while True:
                self.buffer = b""
                self._more()
                body += self.buffer
        except Broken:
            return body


class Recorder:
    """A server in place of the gateway that records the requests that reach it.

    A request for `/drop` is read completely and gets no answer; one for `/held` gets none until its connection has
    ended. The answer to a GET may be cached.
    """

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.heads, self.ended = [], []
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self):
        self.listener.close()

    def seen(self, path):
        """Returns the fields of each request for `path` whose head has arrived."""
        return [fields for target, fields in list(self.heads) if target == path]

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection):
        peer = Connection.__new__(Connection)
        peer.socket, peer.buffer = connection, b""
        connection.settimeout(30)
        with connection:
            try:
                while self._exchange(peer):
                    pass
            except (Broken, OSError, ValueError):
                pass

    def _exchange(self, peer):
        first, *lines = peer._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        fields = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        self.heads.append((target, fields))
        if any(name.lower() == "expect" for name, _ in fields):
            peer.socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        has_body = {"content-length", "transfer-encoding"} & {name.lower() for name, _ in fields}
        if has_body:
            peer._body(200, fields)
        if target == "/drop":
            return False
        if target == "/held":
            try:
                peer._more()
            except Broken:
                self.ended.append(target)
            return False
        cache = "Cache-Control: public, max-age=60\r\n" if method == "GET" else ""
        date = email.utils.formatdate(usegmt=True)
        peer.socket.sendall(f"HTTP/1.1 200 OK\r\nDate: {date}\r\n{cache}Content-Length: 2\r\n\r\nok".encode())
        return True


def free_port():
    """Returns a free port outside of the range from which the system picks ports for outgoing connections."""
    for number in range(20000 + time.monotonic_ns() // 1000 % 9000, 32000):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", number))
            except OSError:
                continue
            if number not in _taken:
                _taken.add(number)
                return number
    raise OSError("no port is free")


_taken = set()


def wait_until(condition, seconds):
    """Waits for the condition, and returns whether it became true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


def is_listening(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def png(size=0):
    """Returns a gray PNG of 300 x 300 pixels, padded to `size` bytes by a chunk that decoders ignore."""
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 300, 300, 8, 0, 0, 0, 0))
    end = chunk(b"IDAT", zlib.compress(bytes(301) * 300)) + chunk(b"IEND", b"")
    room = size - len(start) - len(end) - 12
    filler = chunk(b"fiLl", bytes(range(256)) * (room // 256 + 1)) if room > 0 else b""
    return start + filler + end
