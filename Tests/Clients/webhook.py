"""A receiver of callbacks that believes what two libraries believe, Standard Webhooks' own and Svix's.

Expects SECRET. Says where it listens, then the status that each message tells, and ends with the task.
"""

import json
import os
from http.server import BaseHTTPRequestHandler, HTTPServer

import svix.webhooks
from standardwebhooks import Webhook, WebhookVerificationError

# They differ in what `verify` returns: the decoded body, or nothing.
LIBRARIES = (Webhook, svix.webhooks.Webhook)
SECRET, OTHER = os.environ["SECRET"], "whsec_" + "A" * 32


class Receiver(BaseHTTPRequestHandler):
    status = None

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        for library in LIBRARIES:
            library(SECRET).verify(body, dict(self.headers))
            for forged, secret in ((body + b" ", SECRET), (body, OTHER)):
                try:
                    library(secret).verify(forged, dict(self.headers))
                    raise SystemExit("a forgery was believed")
                except WebhookVerificationError:
                    pass
        task = json.loads(body)
        self.send_response(204)
        self.end_headers()
        Receiver.status = task["task_status"]
        print(Receiver.status, flush=True)


server = HTTPServer(("127.0.0.1", 0), Receiver)
print(f"http://127.0.0.1:{server.server_address[1]}/", flush=True)
while Receiver.status not in ("succeed", "failed"):
    server.handle_request()
