"""What the rows of the benchmark share: its folder, the bodies that are sent, the servers, and what is printed."""

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
    """A PNG of the maximum size in bytes, 1024 x 1024 by its header; it is never decoded."""
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
        # Even: two turns, in opposite orders, count as one.
        self.rounds, self.seconds = (2, 1) if options.quick else (8, 3)
        self.small = self.file("small.json", body("https://example.com/person.jpg", "https://example.com/garment.jpg"))
        text = base64.b64encode(picture()).decode()
        self.large_size = len(body(text, text))
        self.large = self.file("large.json", body(text, text))
        # The gateways in front of each stub, also those that were stopped.
        self.served = defaultdict(list)
        # CPU for one request by the rows' name, for the profile by stage.
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
        """A gateway of this build; and in a list, if there is one, of the other build."""
        against = self.options.against
        others = [self.gateway(f"{name}-against", upstream, against, **more)] if against else []
        for other in others:
            other.ratios = self.table(OTHER_BUILD)
        return self.gateway(name, upstream, **more), others

    def table(self, name):
        """The table that compares the gateway with those of that name."""
        return self.ratios.setdefault(name, Ratios(name))

    def compare(self, what, ours, servers, results):
        """Adds what rounds of the servers came to beside `ours`, for each that has a table."""
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
        """A load of creates with URLs."""
        return Load("create.lua", PATH, connections, self.small)

    def finished_task(self, gateway):
        """The path of a task that the gateway knows to be finished."""
        path = self.task(gateway)
        wait_until(lambda: http(gateway.port, path)[1]["data"]["task_status"] == "succeed", 10, "the task is finished")
        return path

    def task(self, gateway):
        with open(self.small, "rb") as file:
            status, answer = http(gateway.port, PATH, file.read())
        if status != 200 or answer["code"] != 0:
            raise Failure(f"a create was answered {status} {answer}")
        return f"{PATH}/{answer['data']['task_id']}"

    def check_books(self, stub):
        """Every create that the stub got is in a gateway's store, once, with the id that the stub gave it."""
        gateways = self.served[stub]
        for gateway in gateways:
            if gateway.has_ended():
                raise Failure(f"{gateway.name} ended:\n{gateway.tail()}")
        books = {}

        def agree():
            columns = "count(*), count(DISTINCT upstream_id), count(upstream_id)"
            rows = [gateway.count(columns) for gateway in gateways]
            stored, different, accepted = (sum(column) for column in zip(*rows))
            books.update({"at Kling": sum(ours and status == 200 for status, _, ours in stub.creates()),
                          "stored": stored, "accepted": accepted, "different": different})
            return len(set(books.values())) == 1

        # Creates whose clients have left are on their way for a moment.
        wait_until(agree, 10, books)
        at_kling = books["at Kling"]
        print(f"  {at_kling} creates at Kling, each in a store once")
