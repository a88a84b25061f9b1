#!/usr/bin/env bash
# JWT libraries sign any exp: a local time as if it were UTC, texts, and milliseconds. They do not agree on a text.
#
# One would expect a library to refuse an exp that is not a number of seconds, as RFC 7519 wants it. All four sign it as
# it is. A datetime without a zone, as datetime.now() returns, is taken for UTC: in New York a token for 30 minutes has
# already expired, and in Tokyo it lives 9 hours longer. A float stays a float. A text with digits is valid for PyJWT
# and python-jose, and invalid for joserfc and Authlib. Milliseconds, JavaScript's Date.now(), are a time tens of
# thousands of years ahead, and valid for all four. All send typ: JWT, which nobody asked for.
# Recorded with PyJWT 2.15.1, joserfc 1.8.0, Authlib 1.9.10 and python-jose 3.5.0.
. "$(dirname "$0")/lib/common.sh"
need python3 python3-venv
venv PyJWT==2.15.1 joserfc==1.8.0 Authlib==1.9.10 python-jose==3.5.0
versions PyJWT joserfc Authlib python-jose

cat >"$folder/expiry.py" <<'PYTHON'
import base64, json, sys, time, warnings
from datetime import datetime, timedelta
import joserfc.jwk, joserfc.jwt, jose.jwt, jwt
from findings import check, conclude
with warnings.catch_warnings(action="ignore"):
    import authlib.jose

secret = "0123456789abcdef0123456789abcdef"
key = joserfc.jwk.OctKey.import_key(secret)
signs = {
    "PyJWT": lambda claims: jwt.encode(claims, secret, "HS256"),
    "joserfc": lambda claims: joserfc.jwt.encode({"alg": "HS256"}, claims, key),
    "Authlib": lambda claims: authlib.jose.jwt.encode({"alg": "HS256"}, claims, secret).decode(),
    "python-jose": lambda claims: jose.jwt.encode(claims, secret, "HS256"),
}
validates = {
    "PyJWT": lambda token: jwt.decode(token, secret, ["HS256"]),
    "joserfc": lambda token: joserfc.jwt.JWTClaimsRegistry().validate(joserfc.jwt.decode(token, key).claims),
    "Authlib": lambda token: authlib.jose.jwt.decode(token, secret).validate(),
    "python-jose": lambda token: jose.jwt.decode(token, secret, "HS256"),
}

def parts(token):
    return [json.loads(base64.urlsafe_b64decode(part + "==")) for part in token.split(".")[:2]]

def verdict(library, token):
    try:
        validates[library](token)
        return "valid"
    except Exception as error:
        return "expired" if "expired" in str(error).lower() else "invalid"

now = int(time.time())
for library, sign in signs.items():
    local = sign({"exp": datetime.now() + timedelta(minutes=30)})
    if sys.argv[1] != "0":
        ahead = round((parts(local)[1]["exp"] - now) / 60)
        check(f"{library}, datetime.now() + 30 min at UTC{sys.argv[1]}: minutes ahead", ahead,
              30 + 60 * int(sys.argv[1]))
        continue
    check(f"{library}, typ", parts(local)[0].get("typ"), "JWT")
    check(f"{library}, a float", parts(sign({"exp": now + 1000.25}))[1]["exp"], now + 1000.25)
    text = sign({"exp": str(now + 1000)})
    check(f"{library}, a text", (parts(text)[1]["exp"], verdict(library, text)),
          (str(now + 1000), "valid" if library in ("PyJWT", "python-jose") else "invalid"))
    check(f"{library}, milliseconds, a day ago", verdict(library, sign({"exp": (now - 86400) * 1000})), "valid")
conclude()
PYTHON

TZ=UTC python 0 <"$folder/expiry.py"
TZ=EST5 python -5 <"$folder/expiry.py"
TZ=JST-9 python +9 <"$folder/expiry.py"
conclude
