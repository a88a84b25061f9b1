#!/usr/bin/env python3
"""Keeps files and functions small. `make lint` runs it after it has checked the formatting.

In formatted code, a closing brace has the indentation of its declaration, so the indentation shows where a body
ends.
"""

import re
import sys
from pathlib import Path

FILE_LINES = {"Sources": 300, "Tests": 360}
BODY_LINES = 50

DECLARATION = re.compile(
    r"^( *)(?:@[\w.]+(?:\([^)]*\))? +)*"
    r"(?:(?:public|package|internal|fileprivate|private|open|static|class|final|override|mutating|nonmutating|"
    r"consuming|borrowing|nonisolated|required|convenience|indirect|prefix|postfix|infix)(?:\(\w+\))? +)*"
    r"(?:func +(?P<name>`[^`]+`|[^\s(<]+)|(?P<special>init|deinit|subscript)\b|var +(?P<variable>\w+))"
)


def indentation(line):
    return len(line) - len(line.lstrip(" "))


def opening(lines, start, indent):
    """Returns the line on which the declaration's body begins; None without a body or if the body is on one line."""
    for index in range(start, len(lines)):
        line = lines[index].rstrip()
        if index > start and line.strip() and indentation(line) <= indent and line.lstrip()[0] not in ")-{}w":
            return None
        if line.endswith("{") or re.search(r"\{ (\w+, )*\w+ in$|\{ \([^)]*\) in$|\{ \[[^\]]*\].* in$", line):
            return index
        if line.endswith("}"):
            return None
    return None


def bodies(lines):
    """Yields every declaration with a body of several lines: its line, its name, and the length of the body."""
    for start, line in enumerate(lines):
        match = DECLARATION.match(line)
        if not match:
            continue
        indent = len(match[1])
        first = opening(lines, start, indent)
        if first is None:
            continue
        for end in range(first + 1, len(lines)):
            if lines[end].startswith(" " * indent + "}"):
                name = match["name"] or match["special"] or match["variable"]
                yield start + 1, name, end - first - 1
                break


def problems(root):
    """Yields a message for each file and body that is too long."""
    for path in sorted(file for folder in FILE_LINES for file in (root / folder).rglob("*.swift")):
        name = path.relative_to(root).as_posix()
        lines = path.read_text(encoding="utf-8").splitlines()
        allowed = FILE_LINES[name.partition("/")[0]]
        if len(lines) > allowed:
            yield f"{name} has {len(lines)} lines, more than {allowed}: split it by ideas"
        for line, function, count in bodies(lines):
            if count > BODY_LINES:
                yield f"{name}:{line}: the body of {function} has {count} lines, more than {BODY_LINES}: split it"


def main():
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2]
    found = list(problems(root))
    for problem in found:
        print(problem, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
