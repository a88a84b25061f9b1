"""Ten proxies, each with the shortest configuration that passes everything on to one server."""

import os
import pathlib
import re
import socket
import subprocess
import sys
import time

READY = "GET /200/ready HTTP/1.1\nHost: shop.example\nConnection: close"
TIMEOUTS = "timeout connect 5s\n timeout client 50s\n timeout server 50s\n"


def nginx(folder, port, server):
    (folder / "nginx.conf").write_text(f"""
daemon off; pid {folder}/pid; error_log {folder}/log; events {{}}
http {{ access_log off; client_max_body_size 0; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://127.0.0.1:{server}; }} }} }}""")
    return ["nginx", "-p", folder, "-c", folder / "nginx.conf", "-e", folder / "log"]


def haproxy(folder, port, server):
    (folder / "haproxy.cfg").write_text(f"""
defaults
 mode http
 {TIMEOUTS}
listen all
 bind 127.0.0.1:{port}
 server one 127.0.0.1:{server}
""")
    return ["haproxy", "-db", "-f", folder / "haproxy.cfg"]


def apache(folder, port, server):
    modules = ("mpm_event", "authz_core", "proxy", "proxy_http")
    loads = "\n".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in modules)
    (folder / "apache.conf").write_text(f"""
ServerRoot {folder}
ServerName localhost
PidFile {folder}/pid
DefaultRuntimeDir {folder}
ErrorLog {folder}/log
Timeout 300
Listen 127.0.0.1:{port}
{loads}
User www-data
Group www-data
ProxyPass / http://127.0.0.1:{server}/
""")
    return ["apache2", "-DFOREGROUND", "-f", folder / "apache.conf"]


def lighttpd(folder, port, server):
    # The options of Debian's lighttpd.conf for URLs.
    (folder / "lighttpd.conf").write_text(f"""
server.document-root = "{folder}"
server.upload-dirs = ("{folder}")
server.bind = "127.0.0.1"
server.port = {port}
server.modules = ("mod_proxy")
server.http-parseopts = ("header-strict" => "enable", "host-strict" => "enable", "host-normalize" => "enable",
    "url-normalize-unreserved" => "enable", "url-normalize-required" => "enable", "url-ctrls-reject" => "enable",
    "url-path-2f-decode" => "enable", "url-path-dotseg-remove" => "enable")
proxy.server = ("" => (("host" => "127.0.0.1", "port" => {server})))
""")
    return ["lighttpd", "-D", "-f", folder / "lighttpd.conf"]


def varnish(folder, port, server):
    return ["varnishd", "-F", "-a", f"127.0.0.1:{port}", "-b", f"127.0.0.1:{server}", "-n", folder / "run",
            "-s", "malloc,16m"]


def squid(folder, port, server):
    (folder / "squid.conf").write_text(f"""
http_port 127.0.0.1:{port} accel defaultsite=localhost
cache_peer 127.0.0.1 parent {server} 0 no-query no-digest originserver
http_access allow all
never_direct allow all
pid_filename none
access_log none
cache_log stdio:{folder}/log
coredump_dir {folder}
netdb_filename none
visible_hostname localhost
""")
    return ["squid", "-N", "-f", folder / "squid.conf"]


def traffic_server(folder, port, server):
    for name in ("cache", "log", "run"):
        (folder / name).mkdir()
        (folder / name).chmod(0o777)
    (folder / "records.config").write_text(f"""
CONFIG proxy.config.http.server_ports STRING {port}:ip-in=127.0.0.1
CONFIG proxy.config.admin.user_id STRING #-1
CONFIG proxy.config.reverse_proxy.enabled INT 1
CONFIG proxy.config.url_remap.remap_required INT 1
""")
    (folder / "remap.config").write_text(f"map / http://127.0.0.1:{server}/\n")
    (folder / "storage.config").write_text(f"{folder}/cache 16M\n")
    (folder / "ip_allow.yaml").write_text("ip_allow: [{ apply: in, ip_addrs: 0/0, action: allow, methods: ALL }]\n")
    (folder / "runroot.yaml").write_text(f"""
prefix: /usr
exec_prefix: /usr
bindir: /usr/bin
sbindir: /usr/bin
libexecdir: /usr/lib/trafficserver/modules
sysconfdir: {folder}
datadir: {folder}
localstatedir: {folder}/run
runtimedir: {folder}/run
logdir: {folder}/log
cachedir: {folder}/cache
""")
    return ["traffic_server", f"--run-root={folder}/runroot.yaml"]


def caddy(folder, port, server):
    (folder / "Caddyfile").write_text(f"""
{{
    admin off
}}
http://:{port} {{
    bind 127.0.0.1
    reverse_proxy 127.0.0.1:{server}
}}
""")
    return ["caddy", "run", "--config", folder / "Caddyfile", "--adapter", "caddyfile"]


def traefik(folder, port, server):
    (folder / "traefik.yaml").write_text(f"""
entryPoints: {{ all: {{ address: "127.0.0.1:{port}" }} }}
providers: {{ file: {{ filename: {folder}/routes.yaml }} }}
""")
    (folder / "routes.yaml").write_text(f"""
http:
  routers: {{ all: {{ rule: "PathPrefix(`/`)", service: one }} }}
  services: {{ one: {{ loadBalancer: {{ servers: [{{ url: "http://127.0.0.1:{server}" }}] }} }} }}
""")
    return ["traefik", f"--configFile={folder}/traefik.yaml"]


def envoy(folder, port, server):
    api = "type.googleapis.com/envoy.extensions.filters"
    (folder / "envoy.yaml").write_text(f"""
static_resources:
  listeners:
  - address: {{ socket_address: {{ address: 127.0.0.1, port_value: {port} }} }}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": {api}.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: all
          route_config:
            virtual_hosts:
            - {{ name: all, domains: ["*"], routes: [{{ match: {{ prefix: / }}, route: {{ cluster: one }} }}] }}
          http_filters:
          - {{ name: router, typed_config: {{ "@type": {api}.http.router.v3.Router }} }}
  clusters:
  - name: one
    load_assignment:
      cluster_name: one
      endpoints:
      - lb_endpoints:
        - endpoint: {{ address: {{ socket_address: {{ address: 127.0.0.1, port_value: {server} }} }} }}
""")
    return ["envoy", "-c", folder / "envoy.yaml", "--disable-hot-restart", "--concurrency", "1", "-l", "error"]


# Each proxy's name, what starts it, and how to ask for its version.
PROXIES = {
    "nginx": (nginx, ["nginx", "-v"]), "HAProxy": (haproxy, ["haproxy", "-v"]), "Apache": (apache, ["apache2", "-v"]),
    "lighttpd": (lighttpd, ["lighttpd", "-v"]), "Varnish": (varnish, ["varnishd", "-V"]),
    "Squid": (squid, ["squid", "-v"]), "Traffic Server": (traffic_server, ["traffic_server", "--version"]),
    "Caddy": (caddy, ["caddy", "version"]), "Traefik": (traefik, ["traefik", "version"]),
    "Envoy": (envoy, ["envoy", "--version"]),
}


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Proxies:
    """Runs proxies before the server on a port, for a `with` statement. `ports` has where each listens.

    The server gets one or more GETs of /200/ready first.
    """

    def __init__(self, folder, server_port, names=PROXIES):
        self.folder, self.server_port, self.names = pathlib.Path(folder), server_port, list(names)
        self.ports, self.processes = {}, {}

    def __enter__(self):
        for name in self.names:
            start, version = PROXIES[name]
            folder = self.folder / f"{name.replace(' ', '-')}-{self.server_port}"
            folder.mkdir()
            self.folder.chmod(0o755)
            folder.chmod(0o777)
            port = self.ports[name] = free_port()
            text = subprocess.run(version, capture_output=True, text=True, timeout=30)
            print(name, re.search(r"\d+\.\d+[.\d]*", text.stdout + text.stderr)[0], flush=True)
            with open(folder / "output", "w") as output:
                self.processes[name] = subprocess.Popen(
                    [str(word) for word in start(folder, port, self.server_port)], stdout=output, stderr=output,
                    stdin=subprocess.DEVNULL, cwd=folder, env={**os.environ, "HOME": str(folder)})
        for name in self.names:
            self._wait(name)
        return self

    def _wait(self, name):
        """Waits until the proxy passes a request on: some listen before they know the server."""
        for _ in range(100):
            try:
                start = time.monotonic()
                reply = exchange(self.ports[name], READY, timeout=2)
                if status(reply) not in (None, 404, 503) or time.monotonic() - start > 1.5:
                    return
            except OSError:
                pass
            time.sleep(0.2)
        folder = self.folder / f"{name.replace(' ', '-')}-{self.server_port}"
        print(f"{name} does not start:", (folder / "output").read_text()[-500:], file=sys.stderr)
        sys.exit(1)

    def __exit__(self, *_):
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def exchange(port, head, body=b"", timeout=90):
    """Sends these bytes, and returns the answer's bytes to its end, the timeout, or the connection's."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as connection:
        try:
            connection.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body)
        except ConnectionError:
            pass  # An answer may have come before.
        answer = b""
        try:
            while data := connection.recv(65536):
                answer += data
                head, _, rest = answer.partition(b"\r\n\r\n")
                length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
                if rest.endswith(b"0\r\n\r\n") or length and len(rest) >= int(length[1]):
                    break
        except (TimeoutError, ConnectionError):
            pass
    return answer


def status(answer):
    """The status of an answer, or None."""
    words = answer.split(b" ")
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else None
