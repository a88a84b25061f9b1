#!/usr/bin/env bash
# How do clients write a file's name and type into a form? Some do it in ways that a strict parser refuses.
#
# The file is called `größe"b.jpg`. One would expect what HTML says since 2021: raw UTF-8, and %22 for the quote.
# aiohttp percent-encodes everything. Guzzle's psr7 2.4.5, Debian 12's, does not escape the quote at all, so that the
# name ends early, and gives the part a Content-Length. requests says no type. OpenAI's SDK calls one picture image, and
# a list with one picture image[]; bytes are called upload, without a type that says what they are.
# Recorded with requests 2.34.2, httpx 0.28.1, aiohttp 3.14.5, openai 3.57.0, curl 7.88.1 and psr7 2.4.5.
. "$(dirname "$0")/lib/common.sh"
need python3 python3-venv
need curl curl
venv openai==3.57.0 requests==2.34.2 httpx==0.28.1 aiohttp==3.14.5
versions openai requests httpx aiohttp
curl --version | head -n 1
debian php8.2 php8.2-cli php-guzzlehttp-psr7
libraries=$folder/debian/usr/share/php
if [ ! -d "$libraries/GuzzleHttp/Psr7" ]; then libraries=/usr/share/php; fi

cat >"$folder/form.php" <<'PHP'
<?php
[, $root, $path] = $argv;
spl_autoload_register(function ($class) use ($root) {
    $file = "$root/" . str_replace('\\', '/', $class) . '.php';
    if (is_file($file)) require $file;
});
$form = new GuzzleHttp\Psr7\MultipartStream([['name' => 'image', 'contents' => fopen($path, 'r')]]);
echo $form;
PHP

python "$folder" "$libraries" <<'PYTHON'
import asyncio, re, subprocess, sys
import aiohttp, httpx, openai, requests
from findings import Server, answer, check, conclude

folder, libraries = sys.argv[1:]
jpeg = b"\xff\xd8\xff\xe0" + bytes(100)
name = 'größe"b.jpg'
path = f"{folder}/{name}"
with open(path, "wb") as file:
    file.write(jpeg)
server = Server(lambda request: answer(200, body=b'{"created": 1, "data": [{"url": "https://example.com/a.png"}]}'))

def head(body):
    """The headers of the part with the picture."""
    part = next(part for part in re.split(rb"\r?\n?--[^\r\n]+\r\n", body) if jpeg in part)
    return part.split(b"\r\n\r\n")[0].decode().replace(folder, "FOLDER").split("\r\n")

def sent(call):
    server.clear()
    call()
    return head(server.posts[-1].body)

async def by_aiohttp():
    form = aiohttp.FormData()
    with open(path, "rb") as file:
        form.add_field("image", file)
        async with aiohttp.ClientSession() as session, session.post(server.url, data=form) as reply:
            await reply.read()

client = openai.OpenAI(base_url=server.url, api_key="any")
curl = ["curl", "-sS", "-F", "image=@\"" + path.replace('"', '\\"') + '"', server.url]
psr7 = ["php8.2", f"{folder}/form.php", libraries, path]
disposition, jpeg_type = "Content-Disposition: form-data; name=", "Content-Type: image/jpeg"
untyped = "Content-Type: application/octet-stream"
html = f'{disposition}"image"; filename="größe%22b.jpg"'
for what, seen, recorded in (
    ("curl -F", sent(lambda: subprocess.run(curl, check=True, capture_output=True)), [html, jpeg_type]),
    ("requests", sent(lambda: requests.post(server.url, files={"image": open(path, "rb")})), [html]),
    ("httpx", sent(lambda: httpx.post(server.url, files={"image": open(path, "rb")})), [html, jpeg_type]),
    ("aiohttp", sent(lambda: asyncio.run(by_aiohttp())),
     [jpeg_type, f'{disposition}"image"; filename="gr%C3%B6%C3%9Fe%22b.jpg"']),
    ("openai, a file", sent(lambda: client.images.edit(prompt="", image=open(path, "rb"))), [html, jpeg_type]),
    ("openai, bytes", sent(lambda: client.images.edit(prompt="", image=jpeg)),
     [f'{disposition}"image"; filename="upload"', untyped]),
    ("openai, a list of one", sent(lambda: client.images.edit(prompt="", image=[jpeg])),
     [f'{disposition}"image[]"; filename="upload"', untyped]),
    ("Guzzle's psr7", head(subprocess.run(psr7, check=True, capture_output=True).stdout),
     [f'{disposition}"image"; filename="größe"b.jpg"', "Content-Length: 104", jpeg_type]),
):
    check(what, seen, recorded)
conclude()
PYTHON
conclude
