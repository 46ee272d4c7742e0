#!/usr/bin/env python3
"""finwait where connections that end without a word would fill its room: silent_test.py FINWAIT_GEN FINWAIT

Some hundred connections at once, of which one in twelve falls silent for good: in the end there are more of these than there is room. They are
what is given up, so that every other connection is told as its generator knows it.
"""
import json
import os
import subprocess
import sys
import tempfile

from checks import check, conclude

GENERATOR, FINWAIT = sys.argv[1:3]
ROOM = 600
SILENT = ("open", "half-closed", "half-open", "unanswered")  # endings of which one is evicted instead, when its place is wanted


def main():
    with tempfile.TemporaryDirectory() as folder:
        capture, truth, out = (os.path.join(folder, name) for name in ("silent.pcap", "truth", "out"))
        subprocess.run([GENERATOR, "--profile", "wide", "--packets", "200000", "--connections", "10000", "--concurrent", "200", "--seed", "4",
                        "--output", capture, "--truth", truth], check=True)
        subprocess.run([FINWAIT, "-r", capture, "--max-connections", str(ROOM), "--seed", "1", "-o", f"json={out}"], check=True)
        with open(truth, encoding="utf-8") as file:
            expected = json.load(file)
        with open(out, encoding="utf-8") as file:
            told = json.loads(file.readlines()[-1])
    check(sum(expected["endings"].get(ending, 0) for ending in SILENT) > 2 * ROOM, "too few are silent", expected["endings"])
    check(told["connections"] == expected["connections"], told["connections"], expected["connections"])
    openings = {opening: count for opening, count in told["openings"].items() if count != 0}
    check(openings == expected["openings"], openings, expected["openings"])
    for ending, count in expected["endings"].items():
        if ending not in SILENT:
            check(told["endings"].get(ending) == count, ending, told["endings"].get(ending), count)


main()
conclude()
