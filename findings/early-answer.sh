#!/usr/bin/env bash
# Which clients lose an answer that comes before they have sent their whole body?
#
# The server answers a POST of 20 MB with a whole 429 as soon as it has read the head, and closes the connection 0.2 s
# later with the body unread, which resets it. One would expect that a client reads the answer, which has arrived before
# the reset, or that none does. It depends on the library: most report the 429, and others an error of the connection.
# urllib3-future, which niquests installs and which then answers to `import urllib3`, changes what requests does:
# requests itself is the same version in both environments. Java's HttpURLConnection sends the POST a second time.
# Recorded with requests 2.34.2, urllib3 2.8.0, httpx 0.28.1, aiohttp 3.14.5, pycurl 7.49.0, niquests 3.21.2 with
# urllib3-future 2.25.904, curl 7.88.1, GNU Wget 1.21.3 and OpenJDK 17.
. "$(dirname "$0")/lib/common.sh"
need python3 python3-venv
need curl curl
venv requests==2.34.2 urllib3==2.8.0 httpx==0.28.1 aiohttp==3.14.5 pycurl==7.49.0
versions requests urllib3 httpx aiohttp pycurl
mv "$folder/venv" "$folder/plain"
venv requests==2.34.2 niquests==3.21.2 urllib3-future==2.25.904
versions requests niquests urllib3 urllib3-future

cat >"$folder/clients.py" <<'PYTHON'
"""Sends 20 MB with one client, and prints the status, or the kind of the error."""
import asyncio, io, sys, urllib.error, urllib.request
name, url, body = sys.argv[1], sys.argv[2], bytes(20_000_000)

def by_requests():
    import requests
    return requests.post(url, data=body).status_code

def by_urllib3():
    import urllib3
    return urllib3.PoolManager(retries=False).request("POST", url, body=body).status

def by_httpx():
    import httpx
    return httpx.post(url, content=body).status_code

def by_aiohttp():
    import aiohttp
    async def post():
        async with aiohttp.ClientSession() as session, session.post(url, data=io.BytesIO(body)) as answer:
            return answer.status
    return asyncio.run(post())

def by_pycurl():
    import pycurl
    handle = pycurl.Curl()
    handle.setopt(pycurl.URL, url)
    handle.setopt(pycurl.POSTFIELDS, body)
    handle.setopt(pycurl.WRITEFUNCTION, lambda data: None)
    handle.perform()
    return handle.getinfo(pycurl.RESPONSE_CODE)

def by_niquests():
    import niquests
    return niquests.post(url, data=body).status_code

def by_urllib():
    try:
        return urllib.request.urlopen(url, body).status
    except urllib.error.HTTPError as error:
        return error.code

try:
    print(globals()[f"by_{name}"]())
except Exception as error:
    print(type(error).__name__)
PYTHON

cat >"$folder/Post.java" <<'JAVA'
import java.net.*;
public class Post {
    public static void main(String[] arguments) throws Exception {
        var connection = (HttpURLConnection) new URL(arguments[0]).openConnection();
        connection.setDoOutput(true);
        try {
            connection.getOutputStream().write(new byte[20_000_000]);
            System.out.println(connection.getResponseCode());
        } catch (java.io.IOException error) {
            System.out.println(error.getClass().getSimpleName());
        }
    }
}
JAVA
head -c 20000000 /dev/zero >"$folder/body"

python "$folder" <<'PYTHON'
import shutil, subprocess, sys
from findings import Server, answer, check, conclude
folder = sys.argv[1]

def seen(*command):
    """What the client says, and how many requests came, in three tries."""
    results = set()
    for _ in range(3):
        server = Server(lambda request: answer(429, "Retry-After: 5"), early=True)
        run = subprocess.run([*command, server.url], capture_output=True, text=True, timeout=60)
        words = run.stdout.split()
        results.add((words[-1] if words else f"exit status {run.returncode}", len(server.requests)))
    return sorted(results)

def client(environment, name):
    return seen(f"{folder}/{environment}/bin/python", f"{folder}/clients.py", name)

for name in ("requests", "urllib3", "httpx", "aiohttp", "pycurl"):
    check(name, client("plain", name), [("429", 1)])
check("requests beside niquests", client("venv", "requests"), [("ConnectionError", 1)])
check("niquests", client("venv", "niquests"), [("ConnectionError", 1)])
check("urllib", client("plain", "urllib"), [("URLError", 1)])
check("curl", seen("curl", "-sS", "-o", f"{folder}/output", "-w", "%{http_code}", "--data-binary", f"@{folder}/body"),
      [("429", 1)])
if shutil.which("wget"):
    check("wget", seen("wget", "-q", "-O", "-", "--tries=1", f"--post-file={folder}/body"), [("exit status 4", 1)])
if shutil.which("java"):
    check("HttpURLConnection", seen("java", f"{folder}/Post.java"), [("IOException", 2)])
conclude()
PYTHON
conclude
