#!/usr/bin/env python3
"""screens.py PROGRAM SOURCE: what README.md shows of the program's output, line for line, is what the program says of the capture there."""
import os
import subprocess
import sys

SCREENS = (("pcaps/tour.pcap", ()), ("originator 10.0.17.1:40017", ("--explain", "118")))  # how each begins; the options after -r


def block(text, beginning):
    """The lines of the code block that begins so."""
    start = text.index(f"```\n{beginning}") + 4
    return text[start : text.index("```", start)].splitlines()


def main():
    program, source = sys.argv[1:]
    with open(os.path.join(source, "README.md"), encoding="utf-8") as f:
        text = f.read()
    for beginning, options in SCREENS:
        shown = block(text, beginning)
        command = [program, "-r", "pcaps/tour.pcap", *options]
        said = subprocess.run(command, cwd=source, capture_output=True, text=True, check=True, timeout=60).stdout.splitlines()
        rest = iter(said)  # some lines may be left out between two that are shown
        missing = [line for line in shown if line not in rest]
        if missing:
            sys.exit(f"README.md shows what {' '.join(command[1:])} does not say (or not in this order):\n" + "\n".join(missing[:5]))


if __name__ == "__main__":
    main()
