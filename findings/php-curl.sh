#!/usr/bin/env bash
# PHP's curl sends an empty POST if options are in the wrong order, or after a redirect.
#
# One would expect options to be settings, in any order. CURLOPT_POST => true after CURLOPT_POSTFIELDS with an array
# sends an empty POST of another Content-Type, without an error. CURLOPT_CUSTOMREQUEST => 'POST' with
# CURLOPT_FOLLOWLOCATION, as Postman writes it, looks like the same as CURLOPT_POST; after a 301, 302 or 303 the latter
# sends a GET, and the former a POST without its form. A CURLFile without a name of its own sends its whole path, so the
# server learns the folders of the client.
# Recorded with PHP 8.2 and libcurl 7.88.1 of Debian 12.
. "$(dirname "$0")/lib/common.sh"
need python3 python3
debian php8.2 php8.2-cli php8.2-curl
php8.2 --version | head -n 1
extensions=$(find "$folder/debian" /usr/lib/php -name curl.so 2>/dev/null | head -n 1 || true)

cat >"$folder/post.php" <<'PHP'
<?php
[, $url, $path, $how] = $argv;
$handle = curl_init($url);
$form = [CURLOPT_POSTFIELDS => ['image' => new CURLFile($path, 'image/png')]];
curl_setopt_array($handle, [CURLOPT_RETURNTRANSFER => true, CURLOPT_FOLLOWLOCATION => true] + match ($how) {
    'POST before the form' => [CURLOPT_POST => true] + $form,
    'POST after the form' => $form + [CURLOPT_POST => true],
    'CUSTOMREQUEST' => $form + [CURLOPT_CUSTOMREQUEST => 'POST'],
});
curl_exec($handle);
echo curl_getinfo($handle, CURLINFO_RESPONSE_CODE);
PHP
printf picture >"$folder/shirt.png"

python "$folder" "$extensions" <<'PYTHON'
import subprocess, sys
from findings import Server, answer, check, conclude

folder, extension = sys.argv[1:]
path = f"{folder}/shirt.png"
php = ["php8.2", "-n", "-d", f"extension={extension}", f"{folder}/post.php"]

def post(status, how):
    """The status that PHP sees, and the requests."""
    server = Server(lambda request: answer(200) if request.target == "/to" else answer(status, "Location: /to"))
    run = subprocess.run([*php, server.url, path, how], capture_output=True, text=True, timeout=30)
    return run.stdout + run.stderr, server.requests

def text(request):
    kind = (request["Content-Type"] or "no type").split(";")[0]
    return f"{request.method}, {kind}, {'with the file' if b'picture' in request.body else 'empty'}"

before, after, custom = "POST before the form", "POST after the form", "CUSTOMREQUEST"
whole = "POST, multipart/form-data, with the file"
_, requests = post(302, before)
check(f"{before}", text(requests[0]), whole)
check("the file's name is its whole path", f'filename="{path}"'.encode() in requests[0].body, True)
check(f"{after}", text(post(302, after)[1][0]), "POST, application/x-www-form-urlencoded, empty")
for status in (301, 302, 303, 307, 308):
    for how in (before, custom):
        told, requests = post(status, how)
        emptied = "GET, no type, empty" if how == before else "POST, no type, empty"
        check(f"{how}, after a {status}", (text(requests[1]), told), (emptied if status < 304 else whole, "200"))
conclude()
PYTHON
conclude
