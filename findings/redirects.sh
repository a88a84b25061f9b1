#!/usr/bin/env bash
# What is left of a POST after a redirect, from http to https or to another host name?
#
# 307 and 308 mean "send the same again". One would expect body and key to arrive, or an error. OpenAI's SDK and
# requests drop Authorization if only the port differs, so the second server answers 401. httpx sends the body from an
# open file empty the second time. curl -X POST -L, which a script is likely to have, repeats the POST without its body
# after 301, 302 and 303, with its Content-Type; wget2 repeats it with the body. After 301 to 303, OpenAI's SDK sends a
# GET with the Content-Type of the form, and returns what that gets as the result of images.edit.
# Recorded with openai 3.57.0, httpx 0.28.1, requests 2.34.2, aiohttp 3.14.5, curl 7.88.1 and wget2 1.99.1; Node 20.20
# and OpenJDK 17, if they are installed.
. "$(dirname "$0")/lib/common.sh"
need python3 python3-venv
need curl curl
debian wget2 wget2
venv openai==3.57.0 httpx==0.28.1 requests==2.34.2 aiohttp==3.14.5
versions openai httpx requests aiohttp
curl --version | head -n 1
wget2 --version | head -n 1

cat >"$folder/post.mjs" <<'JAVASCRIPT'
const body = new FormData();
body.set("x", new Blob(["picture"]), "a.png");
const answer = await fetch(process.argv[2], { method: "POST", body });
console.log(answer.status);
JAVASCRIPT
cat >"$folder/Post.java" <<'JAVA'
import java.net.*;
public class Post {
    public static void main(String[] arguments) throws Exception {
        var connection = (HttpURLConnection) new URL(arguments[0]).openConnection();
        connection.setDoOutput(true);
        connection.getOutputStream().write("picture".getBytes());
        System.out.println(connection.getResponseCode());
    }
}
JAVA

python "$folder" <<'PYTHON'
import asyncio, shutil, subprocess, sys, time
import aiohttp, httpx, openai, requests
from findings import Server, answer, check, conclude

folder = sys.argv[1]
with open(f"{folder}/picture", "wb") as file:
    file.write(b"picture")
result = answer(200, body=b'{"created": 1, "data": [{"url": "https://example.com/a.png"}]}')

def redirected(status, call, elsewhere=False):
    """What arrives at the target of a redirect, and how the call ends."""
    target = Server(lambda request: result)
    server = Server(lambda request: result if request.target.endswith("/to") else answer(
        status, f"Location: {(target if elsewhere else server).url}/to"))
    try:
        end = call(server.url)
    except Exception as error:
        end = type(error).__name__
    for _ in range(20):
        arrived = [request for request in server.requests + target.requests if request.target == "/to"]
        if arrived:
            break
        time.sleep(0.05)
    if not arrived:
        return f"not followed, {end}"
    request, = arrived
    body = "with the body" if b"picture" in request.body else "without a body" if request.is_whole else "cut off"
    key = ", with the key" if request["Authorization"] else ""
    kind = f", {request['Content-Type'].split(';')[0]}" if "without" in body and request["Content-Type"] else ""
    return f"{request.method} {body}{kind}{key}, {end}"

def edit(url):
    client = openai.OpenAI(base_url=url, api_key="any", max_retries=0)
    return client.images.edit(prompt="", image=("a.png", b"picture", "image/png")).data[0].url and "success"

def by_httpx(**options):
    return lambda url: httpx.post(url, follow_redirects=True, **options).status_code

async def by_aiohttp(url):
    form = aiohttp.FormData()
    with open(f"{folder}/picture", "rb") as file:
        form.add_field("x", file)
        async with aiohttp.ClientSession() as session, session.post(url, data=form) as reply:
            return reply.status

def command(*words):
    def run(url):
        ended = subprocess.run([*words, url], capture_output=True, text=True, timeout=60)
        return ended.stdout.split()[-1] if ended.stdout.split() else f"exit status {ended.returncode}"
    return run

curl = ["curl", "-sSL", "-o", f"{folder}/output", "-w", "%{http_code}", "-d", "picture",
        "-H", "Content-Type: application/json"]
with_key = {"headers": {"Authorization": "Bearer any"}}

for status in (307, 308):
    check(f"openai, {status}", redirected(status, edit), "POST with the body, with the key, success")
    check(f"openai, {status} to another port", redirected(status, edit, True), "POST with the body, success")
for status in (301, 302, 303):
    check(f"openai, {status}", redirected(status, edit),
          "GET without a body, multipart/form-data, with the key, success")
check("httpx, files=, 307", redirected(307, by_httpx(files={"x": b"picture"}, **with_key)),
      "POST with the body, with the key, 200")
check("httpx, content= an open file, 307", redirected(307, by_httpx(content=open(f"{folder}/picture", "rb"))),
      "POST cut off, LocalProtocolError")
check("requests, an open file, 307", redirected(307, lambda url: requests.post(
    url, data=open(f"{folder}/picture", "rb"), **with_key).status_code), "POST with the body, with the key, 200")
check("requests, 307 to another port", redirected(307, lambda url: requests.post(
    url, data=b"picture", **with_key).status_code, True), "POST with the body, 200")
check("aiohttp, a form with an open file, 307", redirected(307, lambda url: asyncio.run(by_aiohttp(url))),
      "POST with the body, 200")

for status in (301, 302, 303):
    check(f"curl -X POST -L, {status}", redirected(status, command(*curl, "-X", "POST")),
          "POST without a body, application/json, 200")
    check(f"curl -L, {status}", redirected(status, command(*curl)), "GET without a body, application/json, 200")
check("curl -L, 307", redirected(307, command(*curl)), "POST with the body, 200")
check("curl -L -H Authorization, 307 to another port", redirected(
    307, command(*curl, "-H", "Authorization: Bearer any"), True), "POST with the body, 200")
wget2 = command("wget2", "-q", "-O", f"{folder}/output", f"--post-file={folder}/picture")
for status in (302, 303, 307):
    check(f"wget2, {status}", redirected(status, wget2), "POST with the body, exit status 0")
if shutil.which("node"):
    check("fetch, FormData, 307", redirected(307, command("node", f"{folder}/post.mjs")), "POST with the body, 200")
if shutil.which("java"):
    for status, recorded in ((307, "POST with the body, 200"), (308, "not followed, 308")):
        check(f"HttpURLConnection, {status}", redirected(status, command("java", f"{folder}/Post.java")), recorded)
conclude()
PYTHON
conclude
