"""Runs all checks of schemathesis against the served OpenAPI document, with valid and with invalid data.

Expects GATEWAY and KEY. EXAMPLES is the number of random requests per operation, and WITHOUT a check to leave out.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

with tempfile.TemporaryDirectory() as folder:
    outcome = subprocess.run(
        [
            Path(sys.executable).with_name("st"), "run", f"{os.environ['GATEWAY']}/openapi.json",
            "--checks", "all", "--seed", "1", "--max-examples", os.environ.get("EXAMPLES", "2"), "--no-color",
            "--header", f"Authorization: Bearer {os.environ['KEY']}",
            *(["--exclude-checks", os.environ["WITHOUT"]] if "WITHOUT" in os.environ else []),
        ],
        cwd=folder)
sys.exit(outcome.returncode)
