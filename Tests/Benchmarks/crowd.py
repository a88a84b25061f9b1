"""Many connections that cost a server memory and nothing else: idle ones, and ones that send slowly."""

import resource
import socket
import threading
import time

from stack import KEY, PATH, Failure


def raise_descriptor_limit():
    """Raises the limit of open descriptors to the maximum, and returns it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


class Crowd:
    """Idle keep-alive connections that have each been served once."""

    def __init__(self, port, path):
        self.port = port
        self.request = f"GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {KEY}\r\n\r\n".encode()
        self.sockets = []

    def grow(self, count):
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", self.port), timeout=10)
            self.sockets.append(connection)
            self.ask(connection)

    def ask(self, connection):
        connection.sendall(self.request)
        answer = connection.recv(16384)
        if not answer.startswith(b"HTTP/1.1 200 "):
            raise Failure(f"an idle connection was answered {answer[:80]!r}")

    def ask_some(self, count):
        """Sends another request on `count` of the connections, evenly spread."""
        step = max(1, len(self.sockets) // count)
        for connection in self.sockets[::step]:
            self.ask(connection)

    def close(self):
        for connection in self.sockets:
            connection.close()


class SlowSenders:
    """Connections that send a byte every half second: half of them send a head, half a body of 64,000 bytes."""

    def __init__(self, port, count):
        self.sockets = []
        self.stopped = threading.Event()
        self.lost = 0
        start = f"POST {PATH} HTTP/1.1\r\nHost: bench\r\n".encode()
        rest = f"Authorization: Bearer {KEY}\r\nContent-Length: 64000\r\n\r\n{{".encode()
        for index in range(count):
            connection = socket.create_connection(("127.0.0.1", port), timeout=10)
            connection.sendall(start + (rest if index % 2 else b"X-Slow: "))
            self.sockets.append(connection)
        self.thread = threading.Thread(target=self.dribble, daemon=True)
        self.thread.start()

    def dribble(self):
        while not self.stopped.wait(0.5):
            for connection in self.sockets:
                try:
                    connection.send(b" ")
                except OSError:
                    self.lost += 1

    def close(self):
        self.stopped.set()
        self.thread.join()
        for connection in self.sockets:
            connection.close()


def slowest(exchange, times):
    """Returns the duration of the slowest of `times` calls, in milliseconds."""
    worst = 0.0
    for _ in range(times):
        start = time.monotonic()
        exchange()
        worst = max(worst, time.monotonic() - start)
    return worst * 1000
