#!/usr/bin/env python3
"""Checks the rules of the house: check.py RULE ROOT.

Rules: floors (a file includes its own folder and lower floors only), heads (every file says at its head what it is), words (no machine's
path, no note to self), lengths (a function fits on a screen), format (clang-format has nothing to change).
Prints one line a fault and exits 1; exits 77 if the tool that a rule needs is not installed. Changes nothing.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

SKIPPED = 77
LONGEST_FUNCTION = 70
CLANG_FORMAT_VERSION = "14"  # others lay out a few things differently

FLOORS = {"base": 0, "wire": 1, "capture": 2, "flow": 2, "tcp": 3, "hosts": 4, "report": 5, "engine": 6, "service": 7, "screen": 7, "app": 8}
# Headers of libraries that only some floors may know.
RESERVED = {
    r"pcap(/.*)?\.h": {"capture"},
    r"boost/program_options.*": {"app"},
    r"prometheus/.*|boost/(asio|beast)/.*": {"service"},
    r"seccomp\.h|cap-ng\.h": {"service"},
    r"(curses|ncurses|term)\.h|ncurses.*/.*": {"screen"},
}
CODE_FOLDERS = ("include", "src", "tests", "bench", "tools")
PLAIN_FOLDERS = CODE_FOLDERS + ("cmake", "docs", ".ci")
NOT_FOR_US = {
    r"(?<![\w.}~-])/(work|home|root|farm|mnt|media|Users)/\w": "a path of somebody's machine",
    r"\b(TODO|FIXME|XXX|HACK|WIP)\b": "a note to self: do it, or leave it out",
    r"(?i)\bissue #?\d": "a number in somebody's tracker: say the reason itself",
    r"(?i)\b(sub-?)?agents?\b": "about its writing: say what the project does",
}

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')


def files(root, folders, suffixes):
    """Files below the folders whose name ends so, as paths relative to the root, sorted."""
    found = []
    for folder in folders:
        for directory, inner, names in os.walk(root / folder):
            inner[:] = [name for name in inner if name not in ("__pycache__", "build")]
            found += [pathlib.Path(directory, name).relative_to(root) for name in names if name.endswith(suffixes)]
    return sorted(found)


def floor_of(path):
    """The floor a file stands on: include/finwait/FLOOR/..., src/FLOOR/...; None elsewhere."""
    parts = path.parts
    if parts[:2] == ("include", "finwait") and len(parts) > 3:
        return parts[2]
    if parts[0] == "src" and len(parts) > 2:
        return parts[1]
    return None


def included_floor(path, target):
    """The floor an #include leads to; None if it leads outside the project."""
    match = re.match(r"finwait/([^/]+)/", target)
    if match:
        return match.group(1)
    beside = pathlib.Path(os.path.normpath(path.parent / target))
    return floor_of(beside) if "/" in target and target.startswith("..") else None


def includes(root, path):
    for number, line in enumerate((root / path).read_text(errors="replace").splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1)


def check_floors(root):
    faults = []
    for path in files(root, ("include", "src"), (".h", ".cpp")):
        floor = floor_of(path)
        if floor not in FLOORS:
            faults.append(f"{path}: stands on no floor; floors are {', '.join(FLOORS)}")
            continue
        for number, target in includes(root, path):
            other = included_floor(path, target)
            if other is not None and other != floor and FLOORS.get(other, 99) >= FLOORS[floor]:
                faults.append(f"{path}:{number}: {floor} may not include {target}: it is not on a lower floor")
            for pattern, allowed in RESERVED.items():
                if re.fullmatch(pattern, target) and floor not in allowed:
                    faults.append(f"{path}:{number}: only {', '.join(sorted(allowed))} may include {target}")
    return faults


def head_line(text):
    """The first line that is neither empty nor an interpreter's."""
    for line in text.splitlines():
        if line.strip() and not line.startswith(("#!", "#compdef")):
            return line
    return ""


def described_by_header(path, head):
    """X.cpp and X_test.cpp that begin with their header X.h: what they are is said there."""
    name = path.stem.removesuffix("_test")
    return path.suffix == ".cpp" and re.fullmatch(rf'#include "(.*/)?{re.escape(name)}\.h"', head) is not None


def check_heads(root):
    begin = {".h": "//", ".cpp": "//", ".cmake": "#", ".txt": "#", ".py": '"""', ".sh": "#", ".trace": "#", ".bash": "#"}
    faults = []
    for path in files(root, PLAIN_FOLDERS, tuple(begin)):
        if path.suffix == ".txt" and path.name != "CMakeLists.txt":
            continue
        head = head_line((root / path).read_text(errors="replace"))
        if not head.startswith(begin[path.suffix]) and not described_by_header(path, head):
            faults.append(f"{path}:1: no head comment: what is it, what is always true of it, what does it deliberately not do?")
    return faults


def check_words(root):
    faults = []
    suffixes = (".h", ".cpp", ".cmake", ".txt", ".py", ".sh", ".trace", ".md", ".1", ".bash", ".json", "run", "test", "packages")
    top = [pathlib.Path(name) for name in sorted(os.listdir(root)) if name.endswith((".md", ".txt", ".json"))]
    for path in top + files(root, PLAIN_FOLDERS, suffixes):
        if path.parts[:2] == ("tests", "architecture"):  # has to name them
            continue
        for number, line in enumerate((root / path).read_text(errors="replace").splitlines(), 1):
            faults += [f"{path}:{number}: {why}: {line.strip()}" for pattern, why in NOT_FOR_US.items() if re.search(pattern, line)]
    return faults


def functions(root, paths):
    """Every function that ctags finds, as {path, name, line, end}."""
    out = subprocess.run(["ctags", "--languages=C++", "--langmap=C++:+.h", "--kinds-C++=f", "--fields=+ne", "--output-format=json", "-f", "-", "-L", "-"],
                         cwd=root, input="\n".join(map(str, paths)), capture_output=True, text=True, check=True).stdout
    return [tag for tag in map(json.loads, out.splitlines()) if tag.get("_type") == "tag" and "end" in tag]


def allowed_long(root):
    listed = root / "tests/architecture/long_functions.txt"
    lines = listed.read_text().splitlines() if listed.exists() else []
    return {tuple(line.split("#")[0].split()) for line in lines if line.split("#")[0].strip()}


def check_lengths(root):
    if not shutil.which("ctags") or "Universal" not in subprocess.run(["ctags", "--version"], capture_output=True, text=True).stdout:
        print("universal-ctags is not installed")
        sys.exit(SKIPPED)
    allowed = allowed_long(root)
    faults = []
    for tag in functions(root, files(root, CODE_FOLDERS, (".h", ".cpp"))):
        length = tag["end"] - tag["line"] + 1
        if length > LONGEST_FUNCTION and (tag["path"], tag["name"]) not in allowed:
            faults.append(f"{tag['path']}:{tag['line']}: {tag['name']} has {length} lines; a function fits on a screen ({LONGEST_FUNCTION})")
    return faults


def check_format(root):
    program = shutil.which("clang-format-" + CLANG_FORMAT_VERSION) or shutil.which("clang-format")
    if not program or f"version {CLANG_FORMAT_VERSION}." not in subprocess.run([program, "--version"], capture_output=True, text=True).stdout:
        print(f"clang-format {CLANG_FORMAT_VERSION} is not installed")
        sys.exit(SKIPPED)
    faults = []
    for path in files(root, CODE_FOLDERS, (".h", ".cpp")):
        result = subprocess.run([program, "--dry-run", "-Werror", "--style=file", str(path)], cwd=root, capture_output=True, text=True)
        if result.returncode != 0:
            first = (result.stderr.splitlines() or ["?"])[0]
            faults.append(f"{first}\n    clang-format -i {path}")
    return faults


CHECKS = {"floors": check_floors, "heads": check_heads, "words": check_words, "lengths": check_lengths, "format": check_format}


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in CHECKS:
        sys.exit(f"usage: check.py {'|'.join(CHECKS)} ROOT")
    faults = CHECKS[sys.argv[1]](pathlib.Path(sys.argv[2]).resolve())
    print("\n".join(faults) if faults else "nothing to say")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
