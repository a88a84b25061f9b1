#!/usr/bin/env bash
# Python's xmlrpc.client makes a call twice when the connection breaks before an answer, even a new one.
#
# Python's other clients leave a POST alone: urllib, http.client, and requests, httpx and urllib3 as they come. One would
# guess the same of the client of a protocol whose every call is a POST that may do anything. It calls once more, on
# another connection, and tells nobody.
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
