#!/usr/bin/env python3
"""finwait on generated captures: truth_test.py FINWAIT_GEN FINWAIT

Each profile, small and at several numbers of connections at once: packets, connections, openings and endings are those that the generator
wrote down. A flood far beyond the room for connections: what it evicts are its own half-open ones, so connections that were opened are all
there with their own endings. The same options give the same file.
"""

import json
import os
import subprocess
import sys
import tempfile

from checks import check, conclude

GENERATOR, FINWAIT = sys.argv[1:3]


def expect(what, got, wanted):
    check(got == wanted, f"{what}: {got}, the truth is {wanted}")


def generate(folder, options):
    capture, truth = os.path.join(folder, "c.pcap"), os.path.join(folder, "c.json")
    subprocess.run([GENERATOR, "--output", capture, "--truth", truth, *options.split()], check=True)
    with open(truth) as file:
        return capture, json.load(file)


def analyse(capture, options=""):
    run = subprocess.run([FINWAIT, "-r", capture, "-o", "json", *options.split()], check=True, capture_output=True, text=True)
    return json.loads(run.stdout.splitlines()[-1])


def nonzero(counts):
    return {name: n for name, n in counts.items() if n != 0}


def check_all_counts(folder, options):
    capture, truth = generate(folder, options)
    summary = analyse(capture)
    expect(options + ": frames", summary["frames"]["read"], truth["packets"])
    expect(options + ": tcp", summary["frames"]["tcp"], truth["packets"])
    expect(options + ": connections", summary["connections"], truth["connections"])
    expect(options + ": openings", nonzero(summary["openings"]), truth["openings"])
    expect(options + ": endings", nonzero(summary["endings"]), truth["endings"])


def check_flood_beyond_room(folder):
    options = "--profile flood --packets 60000 --flood 60000 --concurrent 500"
    capture, truth = generate(folder, options)
    summary = analyse(capture, "--max-connections 8000")
    if sum(summary["evicted"].values()) == 0:
        expect("flood beyond the room: evicted", 0, "more")
    expect("flood beyond the room: connections opened", summary["openings"]["three-way"], truth["openings"]["three-way"])
    for ending in ("graceful", "half-closed", "reset", "open"):
        expect("flood beyond the room: " + ending, summary["endings"][ending], truth["endings"][ending])


def check_same_again(folder):
    files = []
    for _ in range(2):
        capture, _ = generate(folder, "--profile wide --packets 20000 --seed 5")
        with open(capture, "rb") as file:
            files.append(file.read())
    expect("the same seed: the same capture", files[0] == files[1], True)


with tempfile.TemporaryDirectory() as folder:
    for options in (
        "--profile small64 --packets 60000 --concurrent 1",
        "--profile small64 --packets 60000 --concurrent 3000",
        "--profile wide --packets 80000 --concurrent 200",
        "--profile wide --packets 80000 --connections 20000 --concurrent 20000 --snaplen 65535",
        "--profile wide --packets 40000 --rate 1000 --seed 9",
        "--profile flood --packets 40000 --flood 30000",
    ):
        check_all_counts(folder, options)
    check_flood_beyond_room(folder)
    check_same_again(folder)
conclude()
