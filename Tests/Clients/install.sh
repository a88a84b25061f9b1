#!/usr/bin/env bash
# Creates .venv, the virtual environment with the real clients that the tests run, unless it is up to date. If it cannot
# be created, this script says why, and only the tests that need it are skipped.
set -euo pipefail
cd "$(dirname "$0")/../.."

wanted=Tests/Clients/requirements.txt
installed=.venv/installed.txt
if cmp -s "$wanted" "$installed" && .venv/bin/python -c '' 2>/dev/null; then exit 0; fi

without() {
    rm -rf .venv
    echo "no .venv: $1. The tests with real clients will be skipped." >&2
    exit 0
}

rm -rf .venv
python3 -m venv .venv >/dev/null 2>&1 || without "python3 cannot create one (on Debian, install python3-venv)"
echo "installing the clients of $wanted into .venv"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input --retries 1 --timeout 20 \
    --only-binary :all: --no-deps --requirement "$wanted" || without "pip could not install the clients"
cp "$wanted" "$installed"
