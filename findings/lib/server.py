"""A server on a free port of 127.0.0.1 for the findings.

    server.py HOW CLOSES

It reads each request whole. The first CLOSES POSTs are not answered: their connections are closed, by FIN or by RST
(HOW: fin, rst). Everything else is answered with 200 and `{}`, and its connection is kept. The first line of the output
is the port; then comes a line for each POST: the number of its connection, how many requests came on that before it,
and its idempotency and retry headers. It ends by itself after two minutes.
"""

import os
import socket
import struct
import sys
import threading

how, closes = sys.argv[1], int(sys.argv[2])
lock = threading.Lock()
posts = 0


def read_request(file):
    line = file.readline()
    headers = {}
    while (field := file.readline()) not in (b"\r\n", b""):
        name, _, value = field.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    if "chunked" in headers.get("transfer-encoding", ""):
        while size := int(file.readline(), 16):
            file.read(size + 2)
        file.readline()
    else:
        file.read(int(headers.get("content-length", 0)))
    return line.decode("latin-1"), headers


def serve(connection, number):
    global posts
    file, earlier = connection.makefile("rb"), 0
    while True:
        line, headers = read_request(file)
        if not line:
            break
        if line.startswith("POST"):
            with lock:
                posts += 1
                is_closed = posts <= closes
            notes = [f"{name}={headers[name]}" for name in headers if "idempotency" in name or "retry-count" in name]
            print(f"POST on connection {number}, after {earlier} requests", *notes, flush=True)
            if is_closed:
                break
        earlier += 1
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
    if how == "rst":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    file.close()
    connection.close()


listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
threading.Timer(120, os._exit, [0]).start()
number = 0
while True:
    number += 1
    threading.Thread(target=serve, args=(listener.accept()[0], number), daemon=True).start()
