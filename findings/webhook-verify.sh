#!/usr/bin/env bash
# Two libraries verify Standard Webhooks in Python, with one name and different results: svix returns None.
#
# svix stands on standardwebhooks and offers the same Webhook(secret).verify(body, headers). One would expect the same
# result. standardwebhooks returns the decoded body, svix nothing: `task = Webhook(...).verify(...)` works with one
# only. svix reads webhook-* and svix-* headers, standardwebhooks only webhook-*. standardwebhooks also decodes the
# body, so an empty body with a right signature is a JSONDecodeError.
# Recorded with standardwebhooks 1.1.0 and svix 2.9.1.
. "$(dirname "$0")/lib/common.sh"
need python3 python3-venv
venv standardwebhooks==1.1.0 svix==2.9.1
versions standardwebhooks svix

python <<'PYTHON'
import base64, datetime
import standardwebhooks, svix.webhooks
from findings import check, conclude

secret = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()
now = datetime.datetime.now(datetime.timezone.utc)

def result(library, body=b'{"task_id": "1"}', names="webhook"):
    signature = library(secret).sign("msg_1", now, body.decode())
    headers = {f"{names}-id": "msg_1", f"{names}-timestamp": str(int(now.timestamp())), f"{names}-signature": signature}
    try:
        return library(secret).verify(body, headers)
    except Exception as error:
        return f"{type(error).__name__}: {error}"

first, second = standardwebhooks.Webhook, svix.webhooks.Webhook
check("standardwebhooks returns", result(first), {"task_id": "1"})
check("svix returns", result(second), None)
check("standardwebhooks, svix-* headers", result(first, names="svix"),
      "WebhookVerificationError: Missing required headers")
check("svix, svix-* headers", result(second, names="svix"), None)
check("standardwebhooks, empty body", result(first, b"").split(":")[0], "JSONDecodeError")
check("svix, empty body", result(second, b""), None)
conclude()
PYTHON
conclude
