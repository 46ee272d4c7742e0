#!/usr/bin/env python3
"""options_test.py PROGRAM SOURCE: the man page and the completions name exactly the options that the program's --help names."""
import pathlib
import re
import subprocess
import sys


def long_options(text):
    return set(re.findall(r"(?<![\w-])--([a-z][a-z-]*[a-z])", text))


def main():
    program, source = sys.argv[1], pathlib.Path(sys.argv[2])
    help_text = subprocess.run([program, "--help"], capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL).stdout
    # The page is mdoc: `.It Fl r , Fl -read Ar FILE`.
    items = "\n".join(line for line in (source / "docs/finwait.1").read_text().splitlines() if line.startswith(".It Fl"))
    told = long_options(help_text)
    named = {
        "docs/finwait.1": set(re.findall(r"Fl -([a-z-]+)", items)),
        "tools/completions/finwait.bash": long_options((source / "tools/completions/finwait.bash").read_text()),
        "tools/completions/_finwait": long_options((source / "tools/completions/_finwait").read_text()),
    }
    faults = [] if told else ["--help names no option"]
    for where, options in named.items():
        faults += [f"{where} lacks --{option}" for option in sorted(told - options)]
        faults += [f"{where} has --{option}, which the program does not" for option in sorted(options - told)]
    print("\n".join(faults) if faults else f"{len(told)} options, the same everywhere")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
