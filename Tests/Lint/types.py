#!/usr/bin/env python3
"""Keeps types small, even if they are spread over several files: at most 40 members and 15 stored properties. Also
keeps the median source file at 120 lines or less.

A type's members are its functions, initializers, subscripts and properties, including those of its extensions in the
same module.
"""

import re
import statistics
import sys
from collections import Counter
from pathlib import Path

STORED, MEMBERS, MEDIAN = 15, 40, 120

MODIFIERS = (
    r"(?:@[\w.]+(?:\([^)]*\))? +|(?:public|package|internal|fileprivate|private|open)(?:\(set\))? +|"
    r"(?:static|class|final|override|mutating|nonmutating|consuming|borrowing|required|convenience|indirect|weak|"
    r"unowned|lazy|unsafe|nonisolated(?:\(unsafe\))?) +)*")
TYPE = re.compile(rf"^( *){MODIFIERS}(struct|class|enum|actor|protocol|extension) +([\w.]+)")
PROPERTY = re.compile(rf"^({MODIFIERS})(let|var) +(.*)$")
FUNCTION = re.compile(rf"^{MODIFIERS}(?:func|init|subscript|deinit)\b")
COMPUTED = re.compile(r"\{(?! *(?:didSet|willSet))")


def properties(line):
    """Returns how many properties a line declares, and how many of them are stored."""
    match = PROPERTY.match(line)
    if not match:
        return 0, 0
    modifiers, keyword, rest = match.groups()
    count = rest.split(")")[0].count(",") + 1 if rest.startswith("(") else 1
    is_computed = keyword == "var" and COMPUTED.search(rest.split("=")[0])
    return count, 0 if "static " in modifiers or is_computed else count


def measure(root):
    """Returns the number of stored properties and of members of each type."""
    stored, members = Counter(), Counter()
    for path in sorted((root / "Sources").rglob("*.swift")):
        module = path.relative_to(root / "Sources").parts[0]
        types = []
        for line in path.read_text(encoding="utf-8").splitlines():
            text = line.strip()
            indent = len(line) - len(line.lstrip(" "))
            while types and text and indent <= types[-1][0] and not text.startswith(")"):
                types.pop()
            match = TYPE.match(line)
            if match and not text.endswith("}"):
                outer = types[-1][1] + "." if types and match[2] != "extension" else ""
                types.append((indent, outer + match[3]))
            elif types and indent == types[-1][0] + 4:
                name = f"{module}.{types[-1][1]}"
                declared, kept = properties(text)
                members[name] += declared + bool(FUNCTION.match(text))
                stored[name] += kept
    return stored, members


def problems(root):
    stored, members = measure(root)
    for name in sorted(members):
        if stored[name] > STORED:
            yield f"{name} has {stored[name]} stored properties, more than {STORED}: give some a type of their own"
        if members[name] > MEMBERS:
            yield f"{name} has {members[name]} members, more than {MEMBERS}: divide it by what its parts do"
    lines = [path.read_text(encoding="utf-8").count("\n") for path in (root / "Sources").rglob("*.swift")]
    if statistics.median(lines) > MEDIAN:
        yield f"the median source file has {statistics.median(lines):.0f} lines, more than {MEDIAN}"


def main():
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2]
    found = list(problems(root))
    for problem in found:
        print(problem, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
