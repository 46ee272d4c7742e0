#!/usr/bin/env python3
"""Damages captures and sees whether finwait bears it: mutate_captures.py PROGRAM CAPTURE... [--copies N] [--seed N] [--seconds S] [--memory MIB].

Each copy is one of the captures with one to eight faults: bytes changed, a stretch cut out, put in or repeated, the end cut off, a length
that lies. finwait must end by itself within the time, with exit status 0 or 1, never by a signal or out of memory. A copy that fails is kept
and named; then the exit status is 1. The same seed makes the same copies. The memory limit is on address space: leave it out (0) for a
sanitized build. Not part of the test run.
"""
import argparse
import concurrent.futures
import pathlib
import random
import resource
import subprocess
import sys
import tempfile

LONGEST = 1 << 20  # bytes of a capture that are taken
LIES = (0, 1, 3, 4, 7, 8, 11, 12, 0x7F, 0x80, 0xFF, 0xFFFF, 0x10000, 0x3FFFF, 0x40000, 0x40001, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF0, 0xFFFFFFFF)


def change(data, dice):
    for _ in range(dice.randint(1, 16)):
        data[dice.randrange(len(data))] = dice.randrange(256)


def flip(data, dice):
    data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)


def cut(data, dice):
    start = dice.randrange(len(data))
    del data[start:start + dice.randint(1, 64)]


def insert(data, dice):
    start = dice.randrange(len(data))
    data[start:start] = dice.randbytes(dice.randint(1, 64))


def repeat(data, dice):
    start = dice.randrange(len(data))
    data[start:start] = data[start:start + dice.randint(1, 4096)]


def cut_off(data, dice):
    del data[dice.randrange(len(data)):]


def lie(data, dice):
    """A word, near the beginning as often as not, where the lengths of headers and blocks stand."""
    start = dice.randrange(min(len(data), 256)) if dice.random() < 0.5 else dice.randrange(len(data))
    start &= ~3
    width = dice.choice((2, 4))
    value = dice.choice(LIES) & ((1 << 8 * width) - 1)
    data[start:start + width] = value.to_bytes(width, dice.choice(("little", "big")))


FAULTS = (change, flip, cut, insert, repeat, cut_off, lie, lie)


def damaged(original, seed):
    dice = random.Random(seed)
    data = bytearray(original)
    for _ in range(dice.randint(1, 8)):
        if data:
            dice.choice(FAULTS)(data, dice)
    return bytes(data)


def fault_of(args, path):
    """What is wrong with the run on one file; empty if nothing."""
    def limit():
        if args.memory:
            resource.setrlimit(resource.RLIMIT_AS, (args.memory << 20, args.memory << 20))
    command = [args.program, "-r", str(path), "--max-connections", "4096", "-o", "json", "-w", "/dev/null"]
    try:
        run = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=args.seconds,
                             preexec_fn=limit, check=False)
    except subprocess.TimeoutExpired:
        return f"not done after {args.seconds} s"
    said = run.stderr.decode(errors="replace").strip()
    if run.returncode not in (0, 1) or "not enough memory" in said or "Sanitizer" in said or "runtime error" in said:
        return f"exit status {run.returncode}: {said[-400:]}"
    if run.returncode == 1 and not said:
        return "exit status 1 without a word"
    return ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("captures", nargs="+", type=pathlib.Path)
    parser.add_argument("--copies", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--memory", type=int, default=2048, help="MiB of address space; 0: no limit")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    originals = [path.read_bytes()[:LONGEST] for path in args.captures]
    folder = pathlib.Path(tempfile.mkdtemp(prefix="finwait_damaged_"))

    def attempt(number):
        which = number % len(originals)
        path = folder / f"{number}_{args.captures[which].name}"
        path.write_bytes(damaged(originals[which], f"{args.seed} {number}"))
        fault = fault_of(args, path)
        if not fault:
            path.unlink()
        return path, fault

    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        failures = [(path, fault) for path, fault in pool.map(attempt, range(args.copies)) if fault]
    for path, fault in failures:
        print(f"{path}: {fault}")
    print(f"{args.copies} damaged copies of {len(originals)} captures, seed {args.seed}: {len(failures)} failed")
    if not failures:
        folder.rmdir()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
