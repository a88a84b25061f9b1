#!/usr/bin/env bash
# OpenAI's Python SDK obeys a Retry-After of up to 60 or 120 s. Up to 2.51 it comes back sooner when asked to wait
# longer; from 2.52 on, it does not come back at all.
#
# One would expect that a server that asks for more patience gets more. With Retry-After: 121, an SDK before 2.52 sends
# the request again after less than a second, as if nothing had been said, and a later one raises at once: its caller
# sees an error after one try. Two Retry-After lines, as a proxy makes that adds its own, count as none. The waits are
# not slept through: the script records what the SDK passes to time.sleep.
# Recorded with openai 1.47.0, 2.51.0, 2.52.0 and 3.57.0.
. "$(dirname "$0")/lib/common.sh"
need python3 python3-venv
venv openai==3.57.0 httpx==0.27.2 distro==1.9.0 tqdm==4.67.1
for version in 1.47.0 2.51.0 2.52.0; do overlay $version openai==$version; done

for version in 1.47.0 2.51.0 2.52.0 3.57.0; do
    PYTHONPATH="$folder/$version" python <<'PYTHON'
import time
import openai
from findings import Server, answer, check, conclude

waits = []
time.sleep = waits.append
version = openai.__version__
major, minor = (int(part) for part in version.split(".")[:2])
is_new = (major, minor) >= (2, 52)

def seen(*fields):
    """What the SDK does after a 429 with these lines."""
    waits.clear()
    server = Server(lambda request: answer(429, *fields))
    try:
        openai.OpenAI(base_url=server.url, api_key="any").images.edit(prompt="", image=("a.png", b"a", "image/png"))
    except openai.RateLimitError:
        pass
    if not waits:
        return f"{len(server.posts)} POST, then an error"
    text = "less than 2 s" if waits[0] < 2 and waits[0] != 1.5 else f"{waits[0]:g} s"
    return f"{len(server.posts)} POSTs, the second after {text}"

ignored, error = "3 POSTs, the second after less than 2 s", "1 POST, then an error"
for fields, recorded in (
    (["Retry-After: 60"], "3 POSTs, the second after 60 s"),
    (["Retry-After: 61"], "3 POSTs, the second after 61 s" if is_new else ignored),
    (["Retry-After: 120"], "3 POSTs, the second after 120 s" if is_new else ignored),
    (["Retry-After: 121"], error if is_new else ignored),
    (["Retry-After: 30", "Retry-After: 30"], ignored),
    (["Retry-After: 30", "retry-after-ms: 1500"], "3 POSTs, the second after 1.5 s"),
):
    check(f"openai {version}, {' and '.join(fields)}", seen(*fields), recorded)
conclude()
PYTHON
done
conclude
