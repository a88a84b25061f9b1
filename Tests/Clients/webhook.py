"""A receiver of callbacks that believes what the standardwebhooks library believes.

Expects SECRET. Says where it listens, then the status that each message tells, and ends with the task.
"""

import json
import os
from http.server import BaseHTTPRequestHandler, HTTPServer

from standardwebhooks import Webhook, WebhookVerificationError

WEBHOOK = Webhook(os.environ["SECRET"])


class Receiver(BaseHTTPRequestHandler):
    status = None

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        task = WEBHOOK.verify(body, dict(self.headers))
        assert task == json.loads(body), task
        for forged, key in ((body + b" ", WEBHOOK), (body, Webhook("whsec_" + "A" * 32))):
            try:
                key.verify(forged, dict(self.headers))
                raise SystemExit("a forgery was believed")
            except WebhookVerificationError:
                pass
        self.send_response(204)
        self.end_headers()
        Receiver.status = task["task_status"]
        print(Receiver.status, flush=True)


server = HTTPServer(("127.0.0.1", 0), Receiver)
print(f"http://127.0.0.1:{server.server_address[1]}/", flush=True)
while Receiver.status not in ("succeed", "failed"):
    server.handle_request()
