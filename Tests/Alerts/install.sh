#!/usr/bin/env bash
# Extracts promtool, which checks the alerting rules, from Debian's package into .build/promtool, unless it is on the
# PATH. Prometheus itself is not installed. If it cannot be had, this script says why, and only the tests that need it
# are skipped.
set -euo pipefail
cd "$(dirname "$0")/../.."

if command -v promtool >/dev/null || [ -x .build/promtool/promtool ]; then exit 0; fi

without() {
    echo "no promtool: $1. The tests of the alerting rules will be skipped." >&2
    exit 0
}

command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || without "it comes from a Debian package"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
download() { (cd "$folder" && apt-get download -q prometheus </dev/null >/dev/null 2>&1); }
if ! download; then
    if [ "$(id -u)" = 0 ]; then apt-get update -q </dev/null >/dev/null 2>&1 || true; fi
    download || without "apt-get cannot download the package prometheus (try apt-get update)"
fi
dpkg-deb --fsys-tarfile "$folder"/prometheus_*.deb | tar -x -C "$folder" ./usr/bin/promtool ||
    without "the package prometheus does not have it"
mkdir -p .build/promtool
mv "$folder/usr/bin/promtool" .build/promtool/promtool
