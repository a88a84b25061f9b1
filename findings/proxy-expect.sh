#!/usr/bin/env bash
# Expect: 100-continue spares a body behind four of ten proxies.
#
# A client that sends Expect: 100-continue waits with a large body until the server wants it. One would expect a proxy
# to ask the server, so that a wrong key is refused before 20 MB are sent. HAProxy, Squid, Traffic Server and Traefik do
# so. nginx, lighttpd, Varnish, Caddy and Envoy say 100 themselves at once, and the client sends all of it. Apache asks,
# and turns the server's 401 into its own 500 if the server keeps the connection to read the body.
# Recorded with Debian 12's nginx 1.22.1, HAProxy 2.6.12, Apache 2.4.71, lighttpd 1.4.69, Varnish 7.1.1, Squid 5.7 and
# Traffic Server 9.2.9, and with Caddy 2.11.7, Traefik 3.7.15 and Envoy 1.40.0 from PyPI, each with the shortest
# configuration that works.
. "$(dirname "$0")/lib/common.sh"
proxies

python "$folder" <<'PYTHON'
import socket, sys
from findings import Server, answer, check, conclude
from proxies import Proxies, status

server = Server(lambda request: answer(401))
server.refuses_bodies = True

asking = ("HAProxy", "Squid", "Traffic Server", "Traefik")

def first(port):
    """What a client gets before it has sent anything of its body."""
    with socket.create_connection(("127.0.0.1", port), timeout=4) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: shop.example\r\nExpect: 100-continue\r\n"
                       b"Content-Length: 2000000\r\n\r\n")
        try:
            return status(client.recv(65536)) or "end"
        except TimeoutError:
            return "nothing"

with Proxies(sys.argv[1], server.port) as proxies:
    for name, port in proxies.ports.items():
        recorded = 500 if name == "Apache" else 401 if name in asking else 100
        check(f"{name}, the first answer to a head that the server refuses with 401", first(port), recorded)
conclude()
PYTHON
conclude
