#!/usr/bin/env bash
# OpenAI's Python SDK cannot send a picture from a pipe: it announces a body without the picture, and fails on it.
#
# The SDK takes "a file-like object", and reads a file from its start even if it was half read before. One would expect
# that a pipe works too, or is refused. The SDK sends a Content-Length that counts everything but the picture, and httpx
# then raises "Too much data for declared Content-Length", without a retry. The server sees a request that ends early.
# Recorded with openai 3.57.0.
. "$(dirname "$0")/lib/common.sh"
need python3 python3-venv
venv openai==3.57.0
versions openai

python "$folder/half.png" <<'PYTHON'
import os
import sys
import openai
from findings import Server, answer, check, conclude

picture = b"\x89PNG\r\n\x1a\n" + bytes(20_000)
server = Server(lambda request: answer(200, body=b'{"created": 1, "data": []}'))
client = openai.OpenAI(base_url=server.url, api_key="any")

def edit(file):
    server.clear()
    try:
        client.images.edit(prompt="", image=file)
        error = None
    except Exception as raised:
        error = str(raised.__cause__ or raised)
    return [(post.is_whole, picture in post.body) for post in server.posts], error

with open(sys.argv[1], "wb") as file:
    file.write(picture)
with open(sys.argv[1], "rb") as file:
    file.read(500)
    check("a file that was half read: POSTs (whole, with the picture), error", edit(file), ([(True, True)], None))

reading, writing = os.pipe()
with open(writing, "wb") as file:
    file.write(picture)
with open(reading, "rb") as file:
    posts, error = edit(file)
check("a pipe: POSTs that were whole", sum(is_whole for is_whole, _ in posts), 0)
check("a pipe: error", error, "Too much data for declared Content-Length")
conclude()
PYTHON
conclude
