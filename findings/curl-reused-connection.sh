#!/usr/bin/env bash
# curl sends a POST a second time by itself when the connection breaks before an answer, if it was used before.
#
# One would guess that only --retry makes curl send something again. But a connection that was kept from an earlier
# transfer and ends without a byte of an answer is taken for one that had been closed while it was idle: the request goes
# out once more on a fresh one, POST or not, without a word and with exit status 0. On a first connection nothing is
# sent again, not even with --retry, which does not count a broken connection among its cases. PHP's extension, with one
# handle for several transfers, does the same.
# Recorded with curl 7.88.1 and PHP 8.2 of Debian 12.
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
conclude
