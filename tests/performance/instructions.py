#!/usr/bin/env python3
"""Instructions a packet of the whole program, counted by callgrind on captures made here, against the figures recorded.

A figure that moved by more than 2 % fails, up or down: a change that is meant to move it records it anew (--record) and says in its message
why. Exit status 77: nothing to compare with here.
"""

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile

TOLERANCE = 0.02
SKIPPED = 77
CAPTURES = {
    "wide": "--profile wide --packets 200000 --concurrent 2000 --seed 1",
    "small64": "--profile small64 --packets 200000 --concurrent 10000 --seed 1",
    "flood": "--profile flood --packets 50000 --flood 100000 --concurrent 2000 --seed 1",
}
RUNS = [("wide", "summary"), ("wide", "json"), ("small64", "summary"), ("flood", "summary")]
HEADER = """# Instructions a packet, the start of the program included: capture, output, figure. Made by
#   cmake --build build/release --target record_instructions
# and compared by the test performance.instructions_a_packet.
"""


def environment(compiler):
    return f"{compiler}, {' '.join(platform.libc_ver())}, {platform.machine()}"


def read_recorded(path):
    made_with, figures = "", {}
    with open(path) as file:
        for line in file:
            if line.startswith("with: "):
                made_with = line[len("with: "):].strip()
            elif not line.startswith("#") and line.strip():
                capture, output, figure = line.split()
                figures[capture, output] = float(figure)
    return made_with, figures


def instructions(program, capture, output):
    """All instructions of a run; the seed keys the hash, without which table and counts differ a little from run to run."""
    run = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, "-t", "1", "-r", capture, "-o", f"{output}=/dev/null",
         "--seed", "1", "--max-connections", "100000"],
        stderr=subprocess.PIPE, text=True)
    found = re.search(r"Collected : (\d+)", run.stderr)
    if run.returncode != 0 or not found:
        sys.exit(f"{program} under callgrind ended with {run.returncode}:\n{run.stderr}")
    return int(found.group(1))


def measure(generator, program):
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        packets = {}
        for name, options in CAPTURES.items():
            truth = os.path.join(folder, name + ".json")
            subprocess.run([generator, "--output", os.path.join(folder, name + ".pcap"), "--truth", truth, *options.split()], check=True)
            with open(truth) as file:
                packets[name] = json.load(file)["packets"]
        for name, output in RUNS:
            figures[name, output] = instructions(program, os.path.join(folder, name + ".pcap"), output) / packets[name]
    return figures


def compare(figures, recorded):
    moved = 0
    for key, figure in figures.items():
        before = recorded.get(key)
        change = figure / before - 1 if before else 1.0
        moved += abs(change) > TOLERANCE
        print(f"{key[0]:8} {key[1]:8} {figure:8.1f} instructions a packet, recorded {before}: {100 * change:+.1f} %")
    if moved:
        print("More than 2 % away. If the change is meant to: cmake --build build/release --target record_instructions, and say why.")
    return 1 if moved else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("generator", "program", "compiler", "recorded"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--record", action="store_true")
    given = parser.parse_args()
    here = environment(given.compiler)
    if not shutil.which("valgrind"):
        print("valgrind is not installed")
        return SKIPPED
    if given.record:
        with open(given.recorded, "w") as file:
            file.write(HEADER + f"with: {here}\n")
            for (capture, output), figure in measure(given.generator, given.program).items():
                file.write(f"{capture} {output} {figure:.1f}\n")
        return 0
    made_with, recorded = read_recorded(given.recorded)
    if made_with != here:
        print(f"the figures are those of {made_with}; this is {here}")
        return SKIPPED
    return compare(measure(given.generator, given.program), recorded)


sys.exit(main())
