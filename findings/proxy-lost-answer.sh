#!/usr/bin/env bash
# When a server's connection ends before the answer, HAProxy and Apache may end the client's too, without a word.
#
# One would expect 502, as from the others. These two say 502 only if it is the first request on the client's
# connection. If the client has sent an earlier one there, they assume that the server closed an idle connection, and
# close the client's without an answer, so that it tries again. curl, PHP, HttpURLConnection and others do so on their
# own, POST or not: the server gets a request twice that it may have carried out. None of the ten repeats it itself.
# Recorded with Debian 12's nginx 1.22.1, HAProxy 2.6.12, Apache 2.4.71, lighttpd 1.4.69, Varnish 7.1.1, Squid 5.7 and
# Traffic Server 9.2.9, and with Caddy 2.11.7, Traefik 3.7.15 and Envoy 1.40.0 from PyPI, each with the shortest
# configuration that works.
. "$(dirname "$0")/lib/common.sh"
proxies

python "$folder" <<'PYTHON'
import socket, sys
from findings import Server, answer, check, conclude
from proxies import Proxies, status

def respond(request):
    if request.method == "POST":
        return None
    return answer(200, *(["Connection: close"] if "ready" in request.target else []))

server = Server(respond)

def ask(client, method, body):
    """The status of the answer, or None if the connection ends without one."""
    head = f"{method} / HTTP/1.1\r\nHost: shop.example\r\nContent-Length: {len(body)}\r\n\r\n"
    client.sendall(head.encode() + body)
    reply = b""
    try:
        while data := client.recv(65536):
            reply += data
            if b"\r\n\r\n" in reply and (not reply.endswith(b"\r\n\r\n") or b"Content-Length: 0\r\n" in reply):
                break
    except ConnectionError:
        pass
    return status(reply)

def seen(port, earlier):
    """The answer to a POST; `earlier` says who has sent a GET before: nobody, "another" client, or "the same"."""
    server.clear()
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        if earlier == "another":
            with socket.create_connection(("127.0.0.1", port), timeout=30) as another:
                assert ask(another, "GET", b"") == 200
        elif earlier == "the same":
            assert ask(client, "GET", b"") == 200
        return ask(client, "POST", b"x=1") or "no answer"

others = {"lighttpd": 500, "Varnish": 503, "Envoy": 503}
with Proxies(sys.argv[1], server.port) as proxies:
    for name, port in proxies.ports.items():
        found = [(seen(port, earlier), len(server.posts)) for earlier in (None, "another", "the same")]
        usual = (others.get(name, 502), 1)
        check(f"{name}, answer and POSTs: first request, after another client's, after one of the same", found,
              [usual, usual, ("no answer", 1) if name in ("HAProxy", "Apache") else usual])
conclude()
PYTHON
conclude
