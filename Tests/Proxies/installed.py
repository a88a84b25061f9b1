"""The ten proxies: how each is started, and with which files of Examples/proxies.

Only names, addresses and ports are replaced in the files. What else a system has (the main file of a package,
folders for logs and temporary files) is kept as short as possible here.
"""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from services import EXAMPLES, ROOT, Failure, Process
from wire import free_port

VENV = ROOT / ".venv-proxies"


@dataclass(frozen=True)
class Start:
    """What the command of a proxy may depend on."""
    program: str
    folder: Path
    port: int
    has_tls: bool

    def write(self, name, text):
        (self.folder / name).write_text(text)


@dataclass(frozen=True)
class Proxy:
    name: str
    title: str
    # Its name on the PATH, in /usr/sbin or in .venv-proxies, and the argument that prints its version.
    program: str
    version: str
    # Each file of Examples/proxies, and its name in the folder.
    files: dict
    # The replacements in the files, without TLS and with TLS: the listening address and the certificate. None if the
    # proxy does not support TLS.
    plain: tuple
    tls: tuple
    # All other replacements; {gateway} is the gateway's port.
    changes: tuple
    # Writes the rest of the proxy's configuration, and returns the command that starts it.
    command: Callable
    environment: Callable = lambda start: {}

    def path(self):
        places = [str(VENV / "bin"), os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"]
        return shutil.which(self.program, path=os.pathsep.join(places))

    def find_version(self):
        run = subprocess.run([self.path(), self.version], capture_output=True, text=True, timeout=30)
        match = re.search(r"\d+\.\d+\.\d+|\d+\.\d+", run.stdout + run.stderr)
        return match[0] if match else "?"

    def start(self, folder, port, gateway, certificate=None):
        """Starts it in `folder`, on `port`, in front of `gateway`; with TLS if there is a certificate."""
        folder.mkdir()
        changes = (self.tls if certificate else self.plain) + self.changes
        unused = dict(changes)
        for source, target in self.files.items():
            text = (EXAMPLES / source).read_text()
            text = with_tls(text) if certificate else text
            for old, new in changes:
                if old in text:
                    unused.pop(old, None)
                    text = text.replace(old, new.format(port=port, gateway=gateway, certificate=certificate))
            (folder / target).write_text(text)
        if unused:
            raise Failure(f"no file of {self.title} has {' or '.join(unused)}")
        start = Start(self.path(), folder, port, certificate is not None)
        command = self.command(start)
        make_readable(folder)
        process = Process(self.name, command, folder, {**os.environ, **self.environment(start)})
        try:
            process.wait_for(port)
        except Failure:
            process.stop()
            raise
        return process


def with_tls(text):
    """Returns a file with TLS: the lines under "For TLS, add" are added, and those under "For TLS, replace" replace the
    line above them."""
    lines, is_inside = [], False
    for line in text.splitlines():
        if mark := re.match(r"\s*# For TLS, (?:.*, )?(add|replace)\b.*:$", line):
            is_inside = True
            if mark[1] == "replace":
                lines.pop()
        elif is_inside and re.match(r"\s*#   ", line):
            lines.append(line.replace("#   ", "", 1))
        else:
            is_inside = False
            lines.append(line)
    return "\n".join(lines) + "\n"


def make_readable(folder):
    """Makes the folder readable for everyone: a proxy that is started as root changes to its own user."""
    if os.geteuid() == 0:
        for path in [folder, *folder.rglob("*")]:
            path.chmod(0o777 if path.is_dir() else 0o644)


def nginx(start):
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    folders = "".join(f"{kind}_temp_path {start.folder}/{kind}; " for kind in kinds)
    start.write("nginx.conf", f"pid nginx.pid; events {{}} http {{ access_log off; {folders} include tryon.conf; }}")
    return [start.program, "-p", start.folder, "-c", "nginx.conf", "-e", "stderr", "-g", "daemon off;"]


def apache(start):
    modules = ("mpm_event", "authz_core", "reqtimeout", "proxy", "proxy_http", "headers") + ("ssl",) * start.has_tls
    loads = "".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n" for name in modules)
    user = "User www-data\nGroup www-data\n" if os.geteuid() == 0 else ""
    start.write("apache2.conf", (
        f"ServerRoot {start.folder}\nServerName localhost\nPidFile apache2.pid\nErrorLog error.log\n"
        f"DefaultRuntimeDir {start.folder}\nListen 127.0.0.1:{start.port}\n{loads}{user}Include tryon.conf\n"))
    return [start.program, "-d", start.folder, "-f", "apache2.conf", "-DFOREGROUND"]


def squid(start):
    start.write("main.conf", (
        f"include {start.folder}/tryon.conf\npid_filename none\naccess_log none\n"
        f"cache_log stdio:{start.folder}/cache.log\ncoredump_dir {start.folder}\n"
        "shutdown_lifetime 1 second\nnetdb_filename none\nvisible_hostname localhost\n"))
    return [start.program, "-N", "-f", start.folder / "main.conf"]


def lighttpd(start):
    # The URL options are those of Debian's lighttpd.conf.
    options = ("url-normalize-unreserved", "url-normalize-required", "url-ctrls-reject", "url-path-2f-decode",
               "url-path-dotseg-remove")
    parsing = ", ".join(f'"{name}" => "enable"' for name in options)
    # With TLS, it also listens on a port for plain HTTP.
    port = free_port() if start.has_tls else start.port
    start.write("main.conf", (
        f'server.document-root = "{start.folder}"\nserver.port = {port}\nserver.bind = "127.0.0.1"\n'
        f'server.upload-dirs = ( "{start.folder}" )\nserver.http-parseopts = ( {parsing} )\ninclude "tryon.conf"\n'))
    return [start.program, "-D", "-f", start.folder / "main.conf"]


def traffic_server(start):
    for name in ("cache", "log", "run"):
        (start.folder / name).mkdir()
    start.write("storage.config", f"{start.folder}/cache 16M\n")
    start.write("ip_allow.yaml", "ip_allow: [{ apply: in, ip_addrs: 0/0, action: allow, methods: ALL }]\n")
    start.write("runroot.yaml", (
        "prefix: /usr\nexec_prefix: /usr\nbindir: /usr/bin\nsbindir: /usr/bin\n"
        "libexecdir: /usr/lib/trafficserver/modules\n"
        f"sysconfdir: {start.folder}\ndatadir: {start.folder}\nlocalstatedir: {start.folder}/run\n"
        f"runtimedir: {start.folder}/run\nlogdir: {start.folder}/log\ncachedir: {start.folder}/cache\n"))
    return [start.program, f"--run-root={start.folder}/runroot.yaml"]


NAME = ("tryon.example.com", "127.0.0.1")
GATEWAY = ("127.0.0.1:8080", "127.0.0.1:{gateway}")
CERTIFICATE = ("/etc/ssl/private/tryon.pem", "{certificate}")

PROXIES = [
    Proxy("nginx", "nginx", "nginx", "-v", {"nginx.conf": "tryon.conf"},
          (("listen 80;", "listen 127.0.0.1:{port};"),),
          (("listen 443 ssl;", "listen 127.0.0.1:{port} ssl;"), CERTIFICATE),
          (GATEWAY, NAME), nginx),
    Proxy("haproxy", "HAProxy", "haproxy", "-v", {"haproxy.cfg": "haproxy.cfg"},
          (("bind :80", "bind 127.0.0.1:{port}"),),
          (("bind :443", "bind 127.0.0.1:{port}"), CERTIFICATE),
          (GATEWAY,), lambda start: [start.program, "-db", "-f", "haproxy.cfg"]),
    Proxy("apache", "Apache", "apache2", "-v", {"apache.conf": "tryon.conf"},
          (("<VirtualHost *:80>", "<VirtualHost 127.0.0.1:{port}>"),),
          (("<VirtualHost *:443>", "<VirtualHost 127.0.0.1:{port}>"), CERTIFICATE),
          (GATEWAY, NAME), apache),
    Proxy("varnish", "Varnish", "varnishd", "-V", {"varnish.vcl": "default.vcl"}, (), None,
          (('.port = "8080"', '.port = "{gateway}"'),),
          lambda start: [start.program, "-F", "-f", start.folder / "default.vcl", "-a", f"127.0.0.1:{start.port}",
                         "-n", start.folder / "run"]),
    Proxy("squid", "Squid", "squid", "-v", {"squid.conf": "tryon.conf"},
          (("http_port 80", "http_port 127.0.0.1:{port}"),),
          (("https_port 443", "https_port 127.0.0.1:{port}"), CERTIFICATE),
          (("parent 8080", "parent {gateway}"), NAME), squid),
    Proxy("lighttpd", "lighttpd", "lighttpd", "-v", {"lighttpd.conf": "tryon.conf"}, (),
          (('":443"', '"127.0.0.1:{port}"'), CERTIFICATE),
          (('"port" => 8080', '"port" => {gateway}'), (r"tryon\.example\.com", r"127\.0\.0\.1")), lighttpd),
    Proxy("trafficserver", "Traffic Server", "traffic_server", "--version",
          {f"trafficserver/{name}.config": f"{name}.config" for name in ("records", "remap", "ssl_multicert", "tryon")},
          (("server_ports STRING 80", "server_ports STRING {port}:ip-in=127.0.0.1"),
           ("http://tryon.example.com/", "http://127.0.0.1:{port}/")),
          (("server_ports STRING 443:ssl", "server_ports STRING {port}:ssl:ip-in=127.0.0.1"),
           ("https://tryon.example.com/", "https://127.0.0.1:{port}/"), CERTIFICATE),
          (GATEWAY,), traffic_server),
    Proxy("caddy", "Caddy", "caddy", "version", {"Caddyfile": "Caddyfile"},
          (("tryon.example.com {", "http://127.0.0.1:{port} {{"),),
          (("tryon.example.com {", "https://127.0.0.1:{port} {{\n\ttls {certificate} {certificate}"),),
          (GATEWAY,), lambda start: [start.program, "run", "--config", "Caddyfile", "--adapter", "caddyfile"],
          lambda start: {name: str(start.folder) for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")}),
    Proxy("traefik", "Traefik", "traefik", "version",
          {"traefik/traefik.yaml": "traefik.yaml", "traefik/tryon.yaml": "tryon.yaml"},
          (('":80"', '"127.0.0.1:{port}"'),),
          (('":443"', '"127.0.0.1:{port}"'), CERTIFICATE),
          (("/etc/traefik/tryon.yaml", "tryon.yaml"), GATEWAY, NAME),
          lambda start: [start.program, "--configFile=traefik.yaml"]),
    Proxy("envoy", "Envoy", "envoy", "--version", {"envoy.yaml": "envoy.yaml"},
          (("address: 0.0.0.0, port_value: 80 ", "address: 127.0.0.1, port_value: {port} "),),
          (("address: 0.0.0.0, port_value: 443 ", "address: 127.0.0.1, port_value: {port} "), CERTIFICATE),
          (("address: 127.0.0.1, port_value: 8080", "address: 127.0.0.1, port_value: {gateway}"), NAME),
          lambda start: [start.program, "-c", "envoy.yaml", "--disable-hot-restart", "--concurrency", "1",
                         "-l", "warning"]),
]
