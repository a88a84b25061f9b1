#!/usr/bin/env bash
# Half of the proxies give up an answer that takes 65 s: Envoy after 15 s, Traffic Server after 30 s.
#
# One would expect 60 s, which is the best known default (nginx). A service that answers slowly and works in a test
# behind one proxy fails behind the next: Envoy says 504 after 15 s, Traffic Server after 30 s, HAProxy after the 50 s
# of Debian's haproxy.cfg, nginx and Varnish (503) after 60 s. Apache with Debian's Timeout, lighttpd, Squid, Caddy and
# Traefik deliver it. None of them repeats the POST.
# Recorded with Debian 12's nginx 1.22.1, HAProxy 2.6.12, Apache 2.4.71, lighttpd 1.4.69, Varnish 7.1.1, Squid 5.7 and
# Traffic Server 9.2.9, and with Caddy 2.11.7, Traefik 3.7.15 and Envoy 1.40.0 from PyPI, each with the shortest
# configuration that works; HAProxy's and Apache's timeouts are those of Debian's files.
. "$(dirname "$0")/lib/common.sh"
proxies

python "$folder" <<'PYTHON'
import sys, time
from concurrent.futures import ThreadPoolExecutor
from findings import Server, answer, check, conclude
from proxies import Proxies, exchange, status

def respond(request):
    time.sleep(65)
    return answer(200, "Connection: close")

server = Server(respond)

def seen(port):
    start = time.monotonic()
    reply = exchange(port, "POST / HTTP/1.1\nHost: shop.example\nContent-Length: 3\nConnection: close", b"x=1")
    # Traffic Server looks at its timeouts only every few seconds.
    return f"{status(reply)} after {round((time.monotonic() - start) / 5) * 5} s"

with Proxies(sys.argv[1], server.port) as proxies, ThreadPoolExecutor(len(proxies.ports)) as pool:
    found = dict(zip(proxies.ports, pool.map(seen, proxies.ports.values())))
recorded = {"Envoy": "504 after 15 s", "Traffic Server": "504 after 30 s", "HAProxy": "504 after 50 s",
            "nginx": "504 after 60 s", "Varnish": "503 after 60 s"}
for name, text in found.items():
    check(name, text, recorded.get(name, "200 after 65 s"))
check("POSTs that arrived", len(server.posts), len(found))
conclude()
PYTHON
conclude
