#!/usr/bin/env bash
# Keep-Alive: timeout=2 is read by Node's fetch, and by hardly anyone else.
#
# A server that closes idle connections after 2 s says so in this header, and one would expect that clients then do not
# send on a connection that is about to be closed: a POST that meets the closing is lost, or sent twice. Of these
# clients only fetch opens a new connection after a pause of 4 s. So the header does not spare a server that race.
# Recorded with requests 2.34.2, httpx 0.28.1, aiohttp 3.14.5, pycurl 7.49.0; Node 20.20 and OpenJDK 17, if they are
# installed.
. "$(dirname "$0")/lib/common.sh"
need python3 python3-venv
venv requests==2.34.2 httpx==0.28.1 aiohttp==3.14.5 pycurl==7.49.0
versions requests httpx aiohttp pycurl

cat >"$folder/fetch.mjs" <<'JAVASCRIPT'
for (const pause of [0, 4000]) {
    await new Promise(resolve => setTimeout(resolve, pause));
    await (await fetch(process.argv[2], { method: "POST", body: "x=1" })).text();
}
JAVASCRIPT
cat >"$folder/agent.mjs" <<'JAVASCRIPT'
import http from "node:http";
const agent = new http.Agent({ keepAlive: true });
for (const pause of [0, 4000]) {
    await new Promise(resolve => setTimeout(resolve, pause));
    await new Promise(resolve => http.request(process.argv[2], { method: "POST", agent }, answer => {
        answer.resume();
        answer.on("end", resolve);
    }).end("x=1"));
}
process.exit();
JAVASCRIPT
cat >"$folder/Twice.java" <<'JAVA'
import java.net.*;
import java.net.http.*;
public class Twice {
    public static void main(String[] arguments) throws Exception {
        var client = HttpClient.newHttpClient();
        for (int pause : new int[] {0, 4000}) {
            Thread.sleep(pause);
            if (arguments[0].equals("modern")) {
                var request = HttpRequest.newBuilder(URI.create(arguments[1]))
                    .version(HttpClient.Version.HTTP_1_1).POST(HttpRequest.BodyPublishers.ofString("x=1")).build();
                client.send(request, HttpResponse.BodyHandlers.ofString());
            } else {
                var connection = (HttpURLConnection) new URL(arguments[1]).openConnection();
                connection.setDoOutput(true);
                connection.getOutputStream().write("x=1".getBytes());
                connection.getInputStream().readAllBytes();
            }
        }
    }
}
JAVA

python "$folder" <<'PYTHON'
import asyncio, shutil, subprocess, sys, time
from concurrent.futures import ThreadPoolExecutor
import aiohttp, httpx, pycurl, requests
from findings import Server, answer, check, conclude

folder = sys.argv[1]

def twice(post):
    for pause in (0, 4):
        time.sleep(pause)
        post()

def by_requests(url):
    session = requests.Session()
    twice(lambda: session.post(url, data="x=1"))

def by_httpx(url):
    client = httpx.Client(limits=httpx.Limits(keepalive_expiry=600))
    twice(lambda: client.post(url, content="x=1"))

def by_aiohttp(url):
    async def run():
        async with aiohttp.ClientSession() as session:
            for pause in (0, 4):
                await asyncio.sleep(pause)
                async with session.post(url, data="x=1") as reply:
                    await reply.read()
    asyncio.run(run())

def by_pycurl(url):
    handle = pycurl.Curl()
    handle.setopt(pycurl.URL, url)
    handle.setopt(pycurl.POSTFIELDS, "x=1")
    handle.setopt(pycurl.WRITEFUNCTION, lambda data: None)
    twice(handle.perform)

def command(*words):
    return lambda url: subprocess.run([*words, url], check=True, timeout=60)

kept = "on one connection"
clients = [("requests", by_requests, kept), ("httpx", by_httpx, kept), ("aiohttp", by_aiohttp, kept),
           ("pycurl", by_pycurl, kept)]
if shutil.which("node"):
    clients += [("Node's fetch", command("node", f"{folder}/fetch.mjs"), "on two connections"),
                ("Node's http with keepAlive", command("node", f"{folder}/agent.mjs"), kept)]
if shutil.which("java"):
    clients += [("java.net.http", command("java", f"{folder}/Twice.java", "modern"), kept),
                ("HttpURLConnection", command("java", f"{folder}/Twice.java", "classic"), kept)]

def connections(run):
    # The server keeps the connection: only the header asks the client to leave it.
    server = Server(lambda request: answer(200, "Keep-Alive: timeout=2"))
    run(server.url)
    first, second = (post.connection for post in server.posts)
    return kept if first == second else "on two connections"

with ThreadPoolExecutor(4) as pool:
    for (name, _, recorded), seen in zip(clients, pool.map(connections, [run for _, run, _ in clients])):
        check(f"{name}, two POSTs", seen, recorded)
conclude()
PYTHON
conclude
