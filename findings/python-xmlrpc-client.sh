#!/usr/bin/env bash
# Python's xmlrpc.client repeats a call on its own when a connection, even a new one, breaks before the answer.
#
# Python's other clients do not repeat a POST: urllib, http.client, and requests, httpx and urllib3 with their defaults.
# One would expect the same of xmlrpc.client, where every call is a POST that may do anything. It repeats the call once,
# on another connection, without telling the caller.
# Recorded with Python 3.11.
. "$(dirname "$0")/lib/common.sh"
need python3 python3
python3 --version

cat >"$folder/call.py" <<'PYTHON'
import os, urllib.request, xmlrpc.client, sys

if sys.argv[1] == "xmlrpc":
    xmlrpc.client.ServerProxy(os.environ["URL"]).order("shirt")
else:
    urllib.request.urlopen(os.environ["URL"], b"x=1")
PYTHON

# The server's answer is not XML-RPC, so the second call ends in a parser error.
for how in fin rst; do
    run $how 1 python3 "$folder/call.py" xmlrpc
    expect "xmlrpc.client, first connection ends by $how" 2
    run $how 1 python3 "$folder/call.py" urllib
    expect "urllib.request, first connection ends by $how" 1
done
conclude
