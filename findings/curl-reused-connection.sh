#!/usr/bin/env bash
# curl repeats a POST on its own when a reused connection breaks before the answer.
#
# One would expect that only --retry makes curl repeat a request. But if a connection from an earlier transfer ends
# without a byte of an answer, curl assumes that the server had closed it while it was idle. It repeats the request on a
# new connection, POST or not, without a message and with exit status 0. On a first connection it repeats nothing, not
# even with --retry, which does not cover broken connections. PHP's extension does the same if one handle is used for
# several transfers. The current libcurl, as in pycurl's wheel, still does it.
# Recorded with curl 7.88.1 and PHP 8.2 of Debian 12, and pycurl 7.49.0 with libcurl 8.23.0.
. "$(dirname "$0")/lib/common.sh"
need curl curl
curl --version | head -n 1

for how in fin rst; do
    echo "the connection ends by $how:"
    run $how 1 sh -c 'curl -sS --data x=1 "$URL"'
    expect "  curl, first connection" 1
    run $how 1 sh -c 'curl -sS --retry 2 --retry-delay 1 --data x=1 "$URL"'
    expect "  curl --retry 2, first connection" 1
    run $how 1 sh -c 'curl -sS "$URL" --next -sS --data x=1 "$URL"'
    expect "  curl, connection of a GET before" 2
done

if php -r 'exit(extension_loaded("curl") ? 0 : 1);' 2>/dev/null; then
    php -r 'echo "PHP ", PHP_VERSION, ", libcurl ", curl_version()["version"], "\n";'
    cat >"$folder/post.php" <<'PHP'
<?php
$curl = curl_init(getenv('URL'));
curl_setopt($curl, CURLOPT_RETURNTRANSFER, true);
if ($argv[1] === 'reused') curl_exec($curl);
curl_setopt($curl, CURLOPT_POSTFIELDS, 'x=1');
exit(curl_exec($curl) === false ? 1 : 0);
PHP
    run fin 1 php "$folder/post.php" fresh
    expect "  PHP, first connection" 1
    run fin 1 php "$folder/post.php" reused
    expect "  PHP, connection of a GET before, on the same handle" 2
fi

need python3 python3-venv
venv pycurl==7.49.0
"$folder/venv/bin/python" -c 'import pycurl; print(*pycurl.version.split()[:2])'
cat >"$folder/post.py" <<'PYTHON'
import os, pycurl, sys
handle = pycurl.Curl()
handle.setopt(pycurl.URL, os.environ["URL"])
handle.setopt(pycurl.WRITEFUNCTION, lambda data: None)
if sys.argv[1] == "reused":
    handle.perform()
handle.setopt(pycurl.POSTFIELDS, "x=1")
handle.perform()
PYTHON
run fin 1 "$folder/venv/bin/python" "$folder/post.py" fresh
expect "  pycurl, first connection" 1
run fin 1 "$folder/venv/bin/python" "$folder/post.py" reused
expect "  pycurl, connection of a GET before, on the same handle" 2
conclude
