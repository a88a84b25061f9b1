"""A receiver of callbacks that verifies them with two libraries: that of Standard Webhooks, and Svix's.

Expects SECRET. Prints its URL and then the status in each message, and ends when the task has ended.
"""

import json
import os
from http.server import BaseHTTPRequestHandler, HTTPServer

import svix.webhooks
from standardwebhooks import Webhook, WebhookVerificationError

# Their `verify` functions return different things: the decoded body, or nothing.
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
                    raise SystemExit("a forgery was accepted")
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
