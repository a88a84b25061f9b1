#!/usr/bin/env bash
# Installs Debian's package of PostgreSQL, whose programs the tests start themselves, unless version 15 or newer is
# there. It creates no cluster and starts no server. If it cannot be installed, this script says why, and the tests that
# need it fail.
set -euo pipefail

for folder in /usr/lib/postgresql/*/bin; do
    version=${folder#/usr/lib/postgresql/}
    version=${version%/bin}
    if [ -x "$folder/initdb" ] && [ "$version" -ge 15 ] 2>/dev/null; then exit 0; fi
done
if command -v initdb >/dev/null && command -v postgres >/dev/null; then exit 0; fi

without() {
    echo "no PostgreSQL: $1. The tests that need it will fail." >&2
    exit 0
}

command -v apt-get >/dev/null || without "apt-get, which would install the package postgresql, is missing"
as_root=()
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || without "only root can install the package postgresql"
    as_root=(sudo)
fi
install() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@" </dev/null
}

"${as_root[@]}" apt-get update -q </dev/null || without "apt-get update failed"
install postgresql-common || without "apt-get could not install the package postgresql-common"
# The package of a version creates a cluster, which starts at boot, unless this file says otherwise.
file=/etc/postgresql-common/createcluster.conf
"${as_root[@]}" cp -p $file $file.before-tests
restore() { "${as_root[@]}" mv $file.before-tests $file; }
trap restore EXIT
echo "create_main_cluster = false" | "${as_root[@]}" tee -a $file >/dev/null
install postgresql || without "apt-get could not install the package postgresql"
