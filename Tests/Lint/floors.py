#!/usr/bin/env python3
"""Checks the floors of the gateway's folders: a file may use only types of its own folder and of lower floors.

    floors.py [ROOT]

Prints the floors with their lines, then every use that goes up or sideways. A use is a capitalized name in the code of
one file that is a top-level type of exactly one other file. Comments and strings are ignored, and so are members that
an extension adds. A folder that is not in the table is an error, so that each new folder is placed deliberately.
"""

import re
import sys
from collections import Counter, defaultdict
from pathlib import Path

SOURCES = "Sources/Gateway"

# From the lowest floor to the highest. Folders of one floor do not use each other.
FLOORS = [
    ("Vocabulary", "Secrets", "DurableFiles", "Clock", "Background"),
    ("Authentication", "Assets", "Limits", "Logging", "Multipart", "Queue"),
    ("Accounts",),
    ("Callbacks", "HostedPictures", "Pictures", "Watching"),
    ("DataCopy", "Keys", "Routing"),
    ("Resends",),
    ("Admission",),
    ("Intake", "Observability", "Tasks"),
    ("Administration", "Alerts", "Engine", "Inbound", "Kling", "OpenAI", "Useapi"),
    ("AdminListener", "OpenAPI"),
    ("Gateway",),
]
FLOOR = {folder: number for number, folders in enumerate(FLOORS, 1) for folder in folders}

NOT_CODE = re.compile(
    r'"""[\s\S]*?"""|#"(?:[^"]|"(?!#))*"#|"(?:\\.|[^"\\\n])*"|/\*[\s\S]*?\*/|//[^\n]*')
MODIFIERS = r"(?:@\w+(?:\([^)]*\))? |public |package |internal |final |indirect |nonisolated |@unchecked )*"
TYPE = re.compile(rf"^{MODIFIERS}(?:struct|class|enum|protocol|actor|typealias) (\w+)", re.M)
NESTED = re.compile(r"^ +[\w@() ]*\b(?:struct|class|enum|protocol|actor|typealias) (\w+)", re.M)
NAME = re.compile(r"(?<![\w.])[A-Z]\w*")


def folder(path, sources):
    parts = path.relative_to(sources).parts
    return parts[0] if len(parts) > 1 else "Gateway"


def uses(texts):
    """Yields every use of a type of another file: the file that uses it, the type, and where it is declared."""
    declared = defaultdict(list)
    for path, text in texts.items():
        for name in TYPE.findall(text):
            declared[name].append(path)
    for path, text in sorted(texts.items()):
        own = set(TYPE.findall(text)) | set(NESTED.findall(text))
        for name in sorted(set(NAME.findall(text)) - own):
            if len(declared[name]) == 1 and declared[name][0] != path:
                yield path, name, declared[name][0]


def problems(sources, texts):
    for path in sorted(texts):
        if folder(path, sources) not in FLOOR:
            yield f"{path}: give the folder {folder(path, sources)} a place in FLOORS of Tests/Lint/floors.py"
            return
    for path, name, other in uses(texts):
        here, there = folder(path, sources), folder(other, sources)
        if here != there and FLOOR[there] >= FLOOR[here]:
            yield (f"{path}: {here} (floor {FLOOR[here]}) uses {name} of {there} (floor {FLOOR[there]}): "
                   "move one of them, or pass in what is needed")


def show(sources, texts):
    lines = Counter()
    for path in texts:
        lines[folder(path, sources)] += path.read_text(encoding="utf-8").count("\n")
    for number in range(len(FLOORS), 0, -1):
        print(f"{number:>3}  " + ", ".join(f"{name} {lines[name]}" for name in FLOORS[number - 1]))


def main():
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2]
    sources = root / SOURCES
    texts = {
        path: NOT_CODE.sub('""', path.read_text(encoding="utf-8")) for path in sorted(sources.rglob("*.swift"))}
    found = list(problems(sources, texts))
    if not found:
        show(sources, texts)
    for problem in found:
        print(problem.replace(f"{root}/", ""), file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
