#!/usr/bin/env bash
# openapi-python-client leaves out an operation if one enum in its body mixes integers and texts, and succeeds.
#
# OpenAPI 3.1 is JSON Schema, in which an enum may mix types, and a service that accepts 2 and "2" says so. One would
# expect a generator to make a union of it, or to fail. This one warns, drops the body, and with the only body the whole
# operation, and exits with 0. Beside a form, the function is there and cannot send JSON. Written as anyOf of two enums,
# the same values are kept.
# Recorded with openapi-python-client 0.29.1.
. "$(dirname "$0")/lib/common.sh"
need python3 python3-venv
venv openapi-python-client==0.29.1
versions openapi-python-client

python "$folder" <<'PYTHON'
import glob, json, subprocess, sys
from findings import check, conclude

folder = sys.argv[1]

def generated(number, *others):
    """How the program ends, whether it warns, and which bodies the operation can send."""
    document = {
        "openapi": "3.1.0", "info": {"title": "Edits", "version": "1"},
        "paths": {"/edits": {"post": {
            "operationId": "edit",
            "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Edit"}},
                                        **{other: {"schema": {"type": "object"}} for other in others}}},
            "responses": {"200": {"description": "done"}}}}},
        "components": {"schemas": {"Edit": {"type": "object", "properties": {"n": number}}}},
    }
    with open(f"{folder}/openapi.json", "w") as file:
        json.dump(document, file)
    run = subprocess.run(
        [f"{folder}/venv/bin/openapi-python-client", "generate", "--path", f"{folder}/openapi.json",
         "--output-path", f"{folder}/client", "--overwrite", "--meta", "none"], capture_output=True, text=True)
    operations = "".join(open(name).read() for name in glob.glob(f"{folder}/client/api/*/edit.py"))
    kinds = [kind for kind in ("json", "multipart") if f'["Content-Type"] = "' in operations and kind in operations]
    return run.returncode, "WARNING" in run.stdout + run.stderr, kinds

what, form = "exit status, warning, bodies", "multipart/form-data"
mixed, union = {"enum": [1, 2, "1", "2"]}, {"anyOf": [{"enum": [1, 2]}, {"enum": ["1", "2"]}]}
check(f"enum [1, 2], {what}", generated({"enum": [1, 2]}), (0, False, ["json"]))
check(f'enum [1, 2, "1", "2"], {what}', generated(mixed), (0, True, []))
check(f"the same beside a form, {what}", generated(mixed, form), (0, True, ["multipart"]))
check(f"anyOf of an enum of integers and one of texts, {what}", generated(union), (0, False, ["json"]))
conclude()
PYTHON
conclude
