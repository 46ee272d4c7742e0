#!/usr/bin/env python3
"""Compare what finwait prints for the captures in pcaps/ with the outputs stored here.

usage: golden.py [--update] FINWAIT

Each stored file NAME.FORMAT holds the output for pcaps/NAME in that format; what depends on the machine (`performance`) is taken out.
With --update the stored files are written anew.
"""
import difflib
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
PROJECT = os.path.dirname(os.path.dirname(HERE))

# capture, ending of the stored file, arguments
CASES = [(capture, ending, arguments)
         for capture in ("kernel_half_close.pcap", "kernel_reset.pcap")
         for ending, arguments in (("json", ["-o", "json"]), ("events", ["-o", "events"]), ("summary", []))]
CASES += [("tour.pcap", "json", ["-o", "json"]), ("tour.pcap", "summary", ["-v"])]
CASES += [(capture, "explain", ["--explain", "1"])
          for capture in ("kernel_normal_close.pcap", "kernel_half_close.pcap", "kernel_refused.pcap", "kernel_closed_with_pending_data.pcap")]
# a stray, a RST that proves forged later, an attempt inside another connection
CASES += [("tour.pcap", f"explain-{which}", ["--explain", which]) for which in ("444", "599", "607")]


def without_performance(text):
    lines = []
    for line in text.splitlines(keepends=True):
        if line.startswith('{"type":"summary"'):
            summary = json.loads(line)
            del summary["performance"]
            line = json.dumps(summary) + "\n"
        lines.append(line)
    return lines


def run(finwait, capture, arguments):
    # The capture is named relative to the project, so that the output is the same everywhere.
    process = subprocess.run([finwait, "-q", "-r", "pcaps/" + capture, *arguments], cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    if process.returncode != 0 or process.stderr:
        raise RuntimeError(f"{capture} {arguments}: exit {process.returncode}: {process.stderr.decode(errors='replace')}")
    return without_performance(process.stdout.decode())


def main():
    update = "--update" in sys.argv
    finwait = os.path.abspath(sys.argv[-1])
    failed = 0
    for capture, ending, arguments in CASES:
        stored = os.path.join(HERE, f"{capture}.{ending}")
        lines = run(finwait, capture, arguments)
        if update:
            open(stored, "w").writelines(lines)
            continue
        wanted = open(stored).readlines() if os.path.exists(stored) else []
        if lines != wanted:
            failed += 1
            sys.stdout.writelines(difflib.unified_diff(wanted, lines, stored, "finwait now", n=1))
    print("written" if update else f"{len(CASES)} outputs, {failed} differ")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
