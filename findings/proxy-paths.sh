#!/usr/bin/env bash
# An encoded slash in a path does not survive Apache and lighttpd.
#
# A%2FB is one segment of a path, and a proxy is expected to leave it so: an id with a slash is written like this.
# Debian's lighttpd decodes it to A/B, and Apache answers 404 itself unless AllowEncodedSlashes says otherwise. Apache,
# lighttpd and Traefik also merge // and resolve /../ before the server sees them; the others pass the path on byte for
# byte.
# Recorded with Debian 12's nginx 1.22.1, HAProxy 2.6.12, Apache 2.4.71, lighttpd 1.4.69, Varnish 7.1.1, Squid 5.7 and
# Traffic Server 9.2.9, and with Caddy 2.11.7, Traefik 3.7.15 and Envoy 1.40.0 from PyPI, each with the shortest
# configuration that works.
. "$(dirname "$0")/lib/common.sh"
proxies

python "$folder" <<'PYTHON'
import sys
from findings import Server, answer, check, conclude
from proxies import Proxies, exchange, status

server = Server(lambda request: answer(200, "Connection: close"))

def seen(port, target):
    server.clear()
    reply = exchange(port, f"GET {target} HTTP/1.1\nHost: shop.example\nConnection: close")
    return server.requests[-1].target if server.requests else f"{status(reply)} by the proxy"

with Proxies(sys.argv[1], server.port) as proxies:
    for target, others in (
        ("/orders/a%2Fb", {"Apache": "404 by the proxy", "lighttpd": "/orders/a/b"}),
        ("/orders/a%20b;d+e", {}),
        ("/orders//a", dict.fromkeys(("Apache", "lighttpd", "Traefik"), "/orders/a")),
        ("/orders/b/../a", dict.fromkeys(("Apache", "lighttpd", "Traefik"), "/orders/a")),
    ):
        found = {name: seen(port, target) for name, port in proxies.ports.items()}
        check(f"{target} arrives changed", {name: text for name, text in found.items() if text != target}, others)
conclude()
PYTHON
conclude
