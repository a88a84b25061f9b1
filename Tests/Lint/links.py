#!/usr/bin/env python3
"""Checks the links in every tracked Markdown file, offline: run by `make lint`.

A relative link must lead to a tracked file or folder, and its fragment to a heading of that file. Links to other hosts
are not followed.
"""

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

FENCE = re.compile(r"^ *(```+|~~~+)")
CODE = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)")
HEADING = re.compile(r"^#{1,6} +(.*?)[ #]*$")
ANCHOR = re.compile(r"<a +(?:id|name)=\"([^\"]+)\"")
TARGET = r"<([^>]*)>|([^\s()]*(?:\([^\s()]*\)[^\s()]*)*)"
INLINE = re.compile(rf"\]\((?:{TARGET})(?: +\"[^\"]*\")?\)")
DEFINITION = re.compile(r"^ {0,3}\[([^\]^][^\]]*)\]: *<?([^\s>]+)")
REFERENCE = re.compile(r"\[([^\]\[]+)\]\[([^\]]*)\]")
ELSEWHERE = re.compile(r"^(?:[a-z][a-z0-9+.-]*:|//)", re.IGNORECASE)


def prose(text):
    """Yields the lines outside of fenced code, with their numbers."""
    fence = None
    for number, line in enumerate(text.splitlines(), 1):
        match = FENCE.match(line)
        if fence is None and match:
            fence = match[1]
        elif fence is None:
            yield number, line
        elif match and match[1].startswith(fence) and not line.strip(" `~"):
            fence = None


def anchors(text):
    """Returns the fragments that a code host generates for the headings of a file."""
    found = {}
    for _, line in prose(text):
        for name in ANCHOR.findall(line):
            found[name] = 1
        match = HEADING.match(line)
        if not match:
            continue
        title = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", match[1]).lower()
        name = re.sub(r"[^\w\- ]", "", title).replace(" ", "-")
        count = found.get(name, 0)
        found[name] = count + 1
        if count:
            found[f"{name}-{count}"] = 1
    return set(found)


def links(text):
    """Yields the target of each link with its line; None as the target of an undefined reference."""
    lines = [(number, CODE.sub("", line)) for number, line in prose(text)]
    defined = {match[1].lower() for _, line in lines if (match := DEFINITION.match(line))}
    for number, line in lines:
        if match := DEFINITION.match(line):
            yield number, match[2], match[1]
        for match in INLINE.finditer(line):
            yield number, match[1] or match[2], match[0]
        for match in REFERENCE.finditer(line):
            if (match[2] or match[1]).lower() not in defined:
                yield number, None, match[0]


def problem(root, name, target, tracked, texts):
    """Returns what is wrong with a link in the file `name`; None if it works."""
    path, _, fragment = unquote(target).partition("#")
    if path.startswith("/"):
        return f"{target} is absolute: make it relative to {name}"
    file = (root / name).parent.joinpath(path).resolve() if path else root / name
    if not file.is_relative_to(root):
        return f"{target} leads out of the repository"
    inside = file.relative_to(root).as_posix()
    if inside not in tracked:
        return f"{target} leads to nothing: there is no tracked {inside}"
    if fragment and inside in texts and fragment not in anchors(texts[inside]):
        return f"{target} leads to no heading: {inside} has no #{fragment}"
    return None


def sources(root):
    """Returns the names of all tracked files; without git, of all files except build products."""
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, check=True, capture_output=True, text=True).stdout
        names = listed.split("\0")
    except (OSError, subprocess.CalledProcessError):
        names = [path.relative_to(root).as_posix() for path in root.rglob("*")]
        names = [name for name in names if not re.match(r"\.(build|git/|swiftpm|venv)", name)]
    return [name for name in names if name and (root / name).is_file()]


def problems(root):
    """Yields a message for each broken link."""
    files = sources(root)
    tracked = set(files) | {folder.as_posix() for name in files for folder in Path(name).parents}
    texts = {name: (root / name).read_text(encoding="utf-8") for name in files if name.endswith(".md")}
    for name, text in sorted(texts.items()):
        for line, target, written in links(text):
            if target is None:
                yield f"{name}:{line}: {written} refers to a link that is not defined"
            elif not ELSEWHERE.match(target) and (wrong := problem(root, name, target, tracked, texts)):
                yield f"{name}:{line}: {wrong}"


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2]).resolve()
    found = list(problems(root))
    for each in found:
        print(each, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
