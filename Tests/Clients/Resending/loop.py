"""Tries up to three times, with pauses, while the connection breaks or the status is 500 or more."""

import os
import sys
import time
import urllib.error
import urllib.request

opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
headers = {"Authorization": "Bearer " + os.environ["KEY"], "Content-Type": "application/json"}
for attempt in range(3):
    request = urllib.request.Request(
        os.environ["GATEWAY"] + os.environ["CREATE"], os.environ["BODY"].encode(), headers)
    try:
        print(opener.open(request, timeout=60).read().decode())
        sys.exit(0)
    except urllib.error.HTTPError as error:
        if error.code < 500:
            sys.exit(f"{error.code}: {error.read()}")
    except OSError as error:
        print(error, file=sys.stderr)
    time.sleep(1)
sys.exit(1)
