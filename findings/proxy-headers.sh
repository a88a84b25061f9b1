#!/usr/bin/env bash
# Behind a proxy, a header may be missing, joined with another, or the client's own invention.
#
# One would expect a reverse proxy to pass on what it does not know. With the shortest configuration that works, Squid
# drops Authorization, and nginx and Caddy drop names with an underscore. Apache and lighttpd join two lines of a header
# to one, so that two Idempotency-Keys become a third. nginx, Apache and Traffic Server put the server's address into
# Host. X-Forwarded-For is what the client made up behind nginx, HAProxy and Envoy, begins with it behind five others,
# and is the client's address only behind Caddy and Traefik.
# Recorded with Debian 12's nginx 1.22.1, HAProxy 2.6.12, Apache 2.4.71, lighttpd 1.4.69, Varnish 7.1.1, Squid 5.7 and
# Traffic Server 9.2.9, and with Caddy 2.11.7, Traefik 3.7.15 and Envoy 1.40.0 from PyPI, each with the shortest
# configuration that works.
. "$(dirname "$0")/lib/common.sh"
proxies

python "$folder" <<'PYTHON'
import sys
from findings import Server, answer, check, conclude
from proxies import Proxies, exchange

server = Server(lambda request: answer(200, "Connection: close"))
seen = {}
with Proxies(sys.argv[1], server.port) as proxies:
    for name, port in proxies.ports.items():
        server.clear()
        exchange(port, """GET / HTTP/1.1
Host: shop.example
Authorization: Bearer one
X-Forwarded-For: 203.0.113.9
X-Forwarded-Proto: https
Idempotency-Key: one
Idempotency-Key: two
Order_number: 4711
Connection: close""")
        seen[name] = server.requests[-1]

def table(what, value, *recorded):
    """Compares what arrived with what was recorded: pairs of a value and the names of the proxies."""
    found = {}
    for name, request in seen.items():
        found.setdefault(value(request), []).append(name)
    check(what, sorted((text, ", ".join(names)) for text, names in found.items()), sorted(recorded))

table("Authorization", lambda request: request["Authorization"] or "dropped",
      ("Bearer one", "nginx, HAProxy, Apache, lighttpd, Varnish, Traffic Server, Caddy, Traefik, Envoy"),
      ("dropped", "Squid"))
table("Order_number", lambda request: request["Order_number"] or "dropped",
      ("4711", "HAProxy, Apache, lighttpd, Varnish, Squid, Traffic Server, Traefik, Envoy"),
      ("dropped", "nginx, Caddy"))
table("Host", lambda request: "kept" if request["Host"] == "shop.example" else "the server's address",
      ("kept", "HAProxy, lighttpd, Varnish, Squid, Caddy, Traefik, Envoy"),
      ("the server's address", "nginx, Apache, Traffic Server"))
table("two lines of Idempotency-Key", lambda request: " + ".join(request.all("Idempotency-Key")),
      ("one + two", "nginx, HAProxy, Varnish, Squid, Traffic Server, Caddy, Traefik, Envoy"),
      ("one, two", "Apache, lighttpd"))
table("X-Forwarded-For", lambda request: " + ".join(request.all("X-Forwarded-For")),
      ("203.0.113.9", "nginx, HAProxy, Envoy"),
      ("203.0.113.9, 127.0.0.1", "Apache, lighttpd, Varnish, Squid, Traffic Server"),
      ("127.0.0.1", "Caddy, Traefik"))
table("X-Forwarded-Proto", lambda request: " + ".join(request.all("X-Forwarded-Proto")),
      ("https", "nginx, HAProxy, Apache, Varnish, Squid, Traffic Server, Envoy"),
      ("http", "lighttpd, Caddy, Traefik"))
conclude()
PYTHON
conclude
