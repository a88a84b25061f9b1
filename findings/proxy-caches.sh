#!/usr/bin/env bash
# Varnish keeps answers for two minutes although nothing says that they may be kept, also those to a key in X-Api-Key.
#
# One would expect a proxy without cache settings to ask the server each time, or to keep what Cache-Control allows. An
# answer without Cache-Control is up to the cache (RFC 9111, 4.2.2): Varnish keeps 200, 404 and 410, and Traffic Server
# a 410. Only Authorization stops them, not a key in another header: the second customer gets the first one's answer.
# Cache-Control: no-store stops both.
# Recorded with Debian 12's nginx 1.22.1, HAProxy 2.6.12, Apache 2.4.71, lighttpd 1.4.69, Varnish 7.1.1, Squid 5.7 and
# Traffic Server 9.2.9, and with Caddy 2.11.7, Traefik 3.7.15 and Envoy 1.40.0 from PyPI, each with the shortest
# configuration that works.
. "$(dirname "$0")/lib/common.sh"
proxies

python "$folder" <<'PYTHON'
import sys
from findings import Server, answer, check, conclude
from proxies import Proxies, exchange

def respond(request):
    fields = ["Cache-Control: no-store"] if "no-store" in request.target else []
    return answer(int(request.target.split("/")[1]), "Connection: close", *fields)

server = Server(respond)

def caching(path, key):
    """The proxies that answer the second of two equal requests themselves."""
    names = []
    for name, port in proxies.ports.items():
        server.clear()
        for customer in ("one", "two"):
            exchange(port, f"GET /{path}/{key} HTTP/1.1\nHost: shop.example\n{key}: {customer}\nConnection: close")
        if len(server.requests) == 1:
            names.append(name)
    return ", ".join(names) or "nobody"

with Proxies(sys.argv[1], server.port) as proxies:
    for path, key, recorded in (
        ("200", "X-Api-Key", "Varnish"), ("404", "X-Api-Key", "Varnish"),
        ("410", "X-Api-Key", "Varnish, Traffic Server"),
        ("200", "Authorization", "nobody"), ("200/no-store", "X-Api-Key", "nobody"),
        ("302", "X-Api-Key", "nobody"), ("401", "X-Api-Key", "nobody"), ("429", "X-Api-Key", "nobody"),
    ):
        check(f"{path} to {key}, kept by", caching(path, key), recorded)
conclude()
PYTHON
conclude
