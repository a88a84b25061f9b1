"""What findings in Python share: a server whose answers they choose, and the comparison with what was recorded."""

import os
import socket
import struct
import sys
import threading
import time

changed = False


def check(what, seen, recorded):
    """Prints what was seen, and notes a change if it is not what was recorded."""
    global changed
    verdict = "as recorded" if seen == recorded else f"CHANGED: {recorded!r} recorded"
    changed = changed or seen != recorded
    print(f"{what}: {seen} ({verdict})", flush=True)


def conclude():
    """Ends the program: with 1 if something has changed."""
    sys.stdout.flush()
    os._exit(1 if changed else 0)


def answer(status, *fields, body=b"{}"):
    """An HTTP/1.1 answer with these header lines, as bytes."""
    lines = [f"HTTP/1.1 {status} Any", *fields, "Content-Type: application/json", f"Content-Length: {len(body)}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


class Request:
    """A request as it came: `fields` are the header lines in order, `connection` counts from 1."""

    def __init__(self, line, fields, connection):
        self.method, self.target = line.split(" ")[:2]
        self.fields, self.connection, self.time, self.body = fields, connection, time.monotonic(), b""
        self.is_whole = False

    def all(self, name):
        """The values of a header, one for each line."""
        return [value for field, value in self.fields if field.lower() == name.lower()]

    def __getitem__(self, name):
        """The value of a header, or None."""
        return (self.all(name) or [None])[0]


class Server:
    """A server on a free port of 127.0.0.1.

    `handler` gets each request, and returns the answer's bytes, or None to close the connection without one. `early`
    says whether it answers at the head's end: then the connection is closed with the body unread.
    """

    def __init__(self, handler, early=False):
        self.handler, self.early, self.requests, self.lock = handler, early, [], threading.Lock()
        # Whether a request with Expect: 100-continue is answered without asking for its body, which is still read.
        self.refuses_bodies = False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def posts(self):
        return [request for request in self.requests if request.method == "POST"]

    def clear(self):
        self.requests = []

    def _accept(self):
        number = 0
        while True:
            number += 1
            threading.Thread(target=self._serve, args=(self.listener.accept()[0], number), daemon=True).start()

    def _serve(self, connection, number):
        try:
            with connection, connection.makefile("rb") as file:
                while self._exchange(connection, file, number):
                    pass
        except (OSError, ValueError):
            pass

    def _exchange(self, connection, file, number):
        line = file.readline().decode("latin-1")
        if not line.strip():
            return False
        fields = []
        while (field := file.readline()) not in (b"\r\n", b""):
            name, _, value = field.decode("latin-1").partition(":")
            fields.append((name, value.strip()))
        request = Request(line, fields, number)
        with self.lock:
            self.requests.append(request)
        if self.refuses_bodies and request["Expect"]:
            connection.sendall(self.handler(request))
            self._read_body(request, file)
            return True
        if not self.early:
            if "100-continue" in (request["Expect"] or "").lower():
                connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            self._read_body(request, file)
        output = self.handler(request)
        if output is None:
            return False
        connection.sendall(output)
        if self.early:
            # Closing with unread data resets the connection.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            time.sleep(0.2)
        return not self.early and b"\r\nconnection: close\r\n" not in output.lower()

    def _read_body(self, request, file):
        if "chunked" in (request["Transfer-Encoding"] or ""):
            while size := int(file.readline().split(b";")[0], 16):
                request.body += file.read(size)
                file.readline()
            while file.readline().strip():
                pass
            request.is_whole = True
        else:
            length = int(request["Content-Length"] or 0)
            request.body = file.read(length)
            request.is_whole = len(request.body) == length
