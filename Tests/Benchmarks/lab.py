"""What the measurements share: the folder, the bodies that are sent, the servers, and the results."""

import base64
import json
import os
import struct
import zlib
from collections import defaultdict

import peers
from load import Load
from report import Ratios, Targets
from stack import PATH, Failure, Gateway, Peer, Stub, http, wait_until

OTHER_BUILD = "the other build"
PICTURE = 10 * 1024 * 1024


def picture():
    """Returns a PNG of the maximum size in bytes. Its header says 1024 x 1024; it is never decoded."""
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1024, 1024, 8, 2, 0, 0, 0))
    end = chunk(b"IEND", b"")
    room = PICTURE - len(start) - len(end) - 12
    return start + chunk(b"IDAT", bytes(range(256)) * (room // 256) + bytes(room % 256)) + end


def body(human, cloth):
    return json.dumps({"model_name": "kolors-virtual-try-on-v1-5", "human_image": human, "cloth_image": cloth}).encode()


class Lab:
    def __init__(self, options, folder, stack):
        self.options, self.folder, self.stack = options, folder, stack
        self.targets = Targets()
        self.ratios = {}
        # Lines to print at the end.
        self.notes = []
        # The number of rounds is even, because two turns in opposite orders count as one.
        self.rounds, self.seconds = (2, 1) if options.quick else (8, 3)
        self.small = self.file("small.json", body("https://example.com/person.jpg", "https://example.com/garment.jpg"))
        text = base64.b64encode(picture()).decode()
        self.large_size = len(body(text, text))
        self.large = self.file("large.json", body(text, text))
        # All gateways that were ever in front of each stub.
        self.served = defaultdict(list)
        # The CPU time of one request, by kind, for the profile by stage.
        self.cpu = {}

    def file(self, name, content):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def start(self, kind, *arguments, **more):
        server = kind(*arguments, **more)
        self.stack.callback(server.stop)
        return server

    def gateway(self, name, upstream, binary=None, **more):
        server = self.start(Gateway, name, self.folder, binary or self.options.binary, upstream.port, **more)
        self.served[upstream].append(server)
        return server

    def both(self, name, upstream, **more):
        """Starts a gateway of this build, and one of the other build if there is one. Returns the first,
        and a list with the second."""
        against = self.options.against
        others = [self.gateway(f"{name}-against", upstream, against, **more)] if against else []
        for other in others:
            other.ratios = self.table(OTHER_BUILD)
        return self.gateway(name, upstream, **more), others

    def table(self, name):
        """Returns the table that compares this build with the servers of that name."""
        return self.ratios.setdefault(name, Ratios(name))

    def compare(self, what, ours, servers, results):
        """Adds the results of each server to its table, beside `ours`. Skips servers without a table."""
        for server, rounds in zip(servers, results):
            if server.ratios:
                server.ratios.add_rounds(what, rounds, ours)

    def start_servers(self):
        self.stub = self.start(Stub, "stub", self.folder, reads_bodies=False)
        self.nginx = self.start(Peer, "nginx", self.folder, self.stub.port, streams_bodies=False)
        kinds = peers.KINDS if self.options.peers else ()
        self.proxies = [self.start(kind, self.folder, self.stub.port) for kind in kinds]
        self.main, self.others = self.both("gateway", self.stub)
        for proxy in [self.nginx, *self.proxies] if kinds else ():
            proxy.ratios = self.table(proxy.name)

    def create(self, connections):
        """Returns a load of creates with URLs."""
        return Load("create.lua", PATH, connections, self.small)

    def finished_task(self, gateway):
        """Creates a task, waits until the gateway knows that it is finished, and returns its path."""
        path = self.task(gateway)
        wait_until(lambda: http(gateway.port, path)[1]["data"]["task_status"] == "succeed", 10, "the task is finished")
        return path

    def task(self, gateway):
        with open(self.small, "rb") as file:
            status, answer = http(gateway.port, PATH, file.read())
        if status != 200 or answer["code"] != 0:
            raise Failure(f"a create was answered {status} {answer}")
        return f"{PATH}/{answer['data']['task_id']}"

    def check_creates(self, stub):
        """Checks that each create that the stub got is in a gateway's store, once, under the stub's id."""
        gateways = self.served[stub]
        for gateway in gateways:
            if gateway.has_ended():
                raise Failure(f"{gateway.name} ended:\n{gateway.tail()}")
        counts = {}

        def agree():
            columns = "count(*), count(DISTINCT upstream_id), count(upstream_id)"
            rows = [gateway.count(columns) for gateway in gateways]
            stored, different, accepted = (sum(column) for column in zip(*rows))
            counts.update({"at Kling": sum(ours and status == 200 for status, _, ours in stub.creates()),
                          "stored": stored, "accepted": accepted, "different": different})
            return len(set(counts.values())) == 1

        # Creates whose clients have left may still be in flight for a moment.
        wait_until(agree, 10, counts)
        at_kling = counts["at Kling"]
        print(f"  {at_kling} creates at Kling, each in a store once")
