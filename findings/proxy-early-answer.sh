#!/usr/bin/env bash
# Behind Apache and Varnish, a server's early refusal of a large body becomes a 502 or 503.
#
# A server that answers 413 or 401 at the end of the head, and closes the connection with the body unread, answers as
# HTTP allows it. One would expect a proxy to pass the answer on, as eight of ten do. Apache and Varnish fail to send
# the rest of the body, and answer with an error of their own: an SDK then sends the whole body again, three times in
# all. A server behind them must read on after its answer.
# Recorded with Debian 12's nginx 1.22.1, HAProxy 2.6.12, Apache 2.4.71, lighttpd 1.4.69, Varnish 7.1.1, Squid 5.7 and
# Traffic Server 9.2.9, and with Caddy 2.11.7, Traefik 3.7.15 and Envoy 1.40.0 from PyPI, each with the shortest
# configuration that works.
. "$(dirname "$0")/lib/common.sh"
proxies

python "$folder" <<'PYTHON'
import sys
from findings import Server, answer, check, conclude
from proxies import Proxies, exchange, status

# Each answer comes at the end of the head; then the connection is reset with the body unread.
server = Server(lambda request: answer(413, "Connection: close"), early=True)
body = bytes(8_000_000)
with Proxies(sys.argv[1], server.port) as proxies:
    for name, port in proxies.ports.items():
        head = f"POST / HTTP/1.1\nHost: shop.example\nContent-Length: {len(body)}"
        seen = {status(exchange(port, head, body, 20)) for _ in range(3)}
        check(f"{name}, three times 413", seen, {{"Apache": 502, "Varnish": 503}.get(name, 413)})
conclude()
PYTHON
conclude
