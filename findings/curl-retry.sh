#!/usr/bin/env bash
# curl's --retry can send an empty POST, rounds Retry-After down, and does not go with -o /dev/null.
#
# One would expect that a retry sends what the first try sent. The body of -T - is read from a pipe, and the second POST
# is empty; --data-binary @- and -F x=@- are read into memory first, and are sent whole each time. Retry-After: 1.5 is 1
# s, 0 means the usual backoff of 1 s, and of two lines the last counts. With --retry-max-time shorter than Retry-After
# there is no retry at all. With -o /dev/null curl fails to truncate that file for the second try, exits with 23 and
# does not retry. --retry covers 408, 429, 500, 502, 503 and 504, but not 409 and 425.
# Recorded with curl 7.88.1 of Debian 12.
. "$(dirname "$0")/lib/common.sh"
need curl curl
need python3 python3
curl --version | head -n 1

python "$folder" <<'PYTHON'
import subprocess, sys, time
from findings import Server, answer, check, conclude

folder = sys.argv[1]

def seen(status, fields, *options, pipe=b"x=1"):
    """The bodies of the POSTs, the pauses between them, and the exit status."""
    server = Server(lambda request: answer(200) if len(server.posts) > 1 else answer(status, *fields))
    run = subprocess.run(["curl", "-sS", "--retry", "1", *options, server.url], input=pipe, capture_output=True)
    posts = server.requests
    pauses = [round(later.time - earlier.time, 1) for earlier, later in zip(posts, posts[1:])]
    return [len(post.body) for post in posts], pauses, run.returncode

def pause(*fields):
    _, pauses, _ = seen(429, fields, "-d", "x=1", "-o", f"{folder}/output")
    return round(pauses[0]) if pauses else None

for options, recorded in (
    (("-T", "-", "-X", "POST"), [3, 0]), (("--data-binary", "@-"), [3, 3]),
):
    check(f"{' '.join(options)}, bytes of each POST", seen(503, [], *options, "-o", f"{folder}/output")[0], recorded)
lengths, _, _ = seen(503, [], "-F", "x=@-", "-o", f"{folder}/output")
check("-F x=@-, both POSTs are equally long", len(lengths) == 2 and lengths[0] == lengths[1], True)

for fields, recorded in (
    (["Retry-After: 1.5"], 1), (["Retry-After: 0"], 1), (["Retry-After: 3", "Retry-After: 2"], 2),
):
    check(f"{' and '.join(fields)}, pause in seconds", pause(*fields), recorded)
_, pauses, status = seen(429, ["Retry-After: 30"], "-d", "x=1", "--retry-max-time", "5", "-f", "-o", f"{folder}/output")
check("Retry-After: 30 with --retry-max-time 5, pauses and exit status", (pauses, status), ([], 22))

lengths, _, status = seen(503, [], "-d", "x=1", "-o", "/dev/null")
check("-o /dev/null, POSTs and exit status", (len(lengths), status), (1, 23))
lengths, _, status = seen(503, [], "-d", "x=1")
check("without -o, POSTs and exit status", (len(lengths), status), (2, 0))
for status, recorded in ((409, 1), (425, 1), (408, 2), (500, 2), (504, 2)):
    lengths, _, _ = seen(status, [], "-d", "x=1", "-o", f"{folder}/output")
    check(f"{status}, POSTs", len(lengths), recorded)
conclude()
PYTHON
conclude
