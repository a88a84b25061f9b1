#!/usr/bin/env bash
# Behind half of the proxies, a server does not learn that its client has left.
#
# A server that waits with an expensive answer watches its connection, and one would expect a proxy to close it when the
# client has closed its own. nginx, Squid, Caddy, Traefik and Envoy do so at once. HAProxy, Apache, lighttpd, Varnish
# and Traffic Server wait for the answer first, and then throw it away: the server takes it for delivered. HAProxy has
# option abortonclose, and Traffic Server allow_half_open, to change that.
# Recorded with Debian 12's nginx 1.22.1, HAProxy 2.6.12, Apache 2.4.71, lighttpd 1.4.69, Varnish 7.1.1, Squid 5.7 and
# Traffic Server 9.2.9, and with Caddy 2.11.7, Traefik 3.7.15 and Envoy 1.40.0 from PyPI, each with the shortest
# configuration that works.
. "$(dirname "$0")/lib/common.sh"
proxies

python "$folder" <<'PYTHON'
import select, socket, sys, threading, time
from findings import check, conclude
from proxies import Proxies

# A server that reads requests and answers nothing. It notes when a connection is closed.
listener = socket.create_server(("127.0.0.1", 0))
closed = {}

def serve(connection):
    data = b""
    try:
        while not data.endswith(b"x=1"):
            part = connection.recv(65536)
            if not part:
                return
            data += part
        name = data.split(b"/name/")[1].split(b" ")[0].decode()
        connection.settimeout(30)
        connection.recv(1)
        closed[name] = time.monotonic()
    except (OSError, IndexError):
        pass

def accept():
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

threading.Thread(target=accept, daemon=True).start()
with Proxies(sys.argv[1], listener.getsockname()[1]) as proxies:
    clients = []
    for name, port in proxies.ports.items():
        client = socket.create_connection(("127.0.0.1", port))
        target = f"/name/{name.replace(' ', '-')}"
        client.sendall(f"POST {target} HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 3\r\n\r\nx=1".encode())
        clients.append(client)
    time.sleep(2)
    assert not closed, closed
    for client in clients:
        client.close()
    time.sleep(8)
    noticed = [name for name in proxies.ports if name.replace(" ", "-") in closed]
    check("the server learns within 8 s that the client has left, behind", ", ".join(noticed),
          "nginx, Squid, Caddy, Traefik, Envoy")
conclude()
PYTHON
conclude
