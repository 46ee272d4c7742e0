#!/usr/bin/env python3
"""Hosts in trouble: what tools/make_troubles.py put into its captures is found, with its numbers within 5 %, and nothing else is.

usage: troubles.py FINWAIT MAKE_TROUBLES
"""
import json
import os
import subprocess
import sys
import tempfile

WITHIN = 0.05


def findings(finwait, capture):
    run = subprocess.run([finwait, "-r", capture, "-o", "json"], stdout=subprocess.PIPE, check=True, text=True)
    hosts = [o for o in map(json.loads, run.stdout.splitlines()) if o["type"] == "host"]
    return [o for o in hosts if o["kind"] != "isn-quality"]


def kinds(expected):
    return (expected["kind"],) if isinstance(expected["kind"], str) else expected["kind"]


def differences(expected, found):
    """What is wrong with a finding; empty if nothing is."""
    wrong = [f"{key} is {found.get(key)}" for key in ("ip", "port") if key in expected and found.get(key) != expected[key]]
    for name, value in expected["numbers"].items():
        is_value = found.get("numbers", {}).get(name)
        if is_value is None or abs(is_value - value) > WITHIN * max(abs(value), 1e-9):
            wrong.append(f"{name} is {is_value}, not {value:g}")
    if expected.get("text", "") not in found["text"]:
        wrong.append(f"'{expected['text']}' is missing in: {found['text']}")
    return wrong


def judge(name, truth, found):
    wrong = []
    for expected in truth:
        same_kind = [o for o in found if o["kind"] in kinds(expected)]
        if not same_kind:
            wrong.append(f"{name}: no {expected['kind']}")
            continue
        best = min((differences(expected, o) for o in same_kind), key=len)
        wrong += [f"{name}: {expected['kind']}: {text}" for text in best]
    allowed = {kind for expected in truth for kind in kinds(expected)}
    wrong += [f"{name}: found besides: {o['kind']} {o.get('ip')}: {o['text']}" for o in found if o["kind"] not in allowed]
    return wrong


def main():
    finwait, make = sys.argv[1:3]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, make, folder], check=True)
        with open(os.path.join(folder, "truth.json"), encoding="utf-8") as file:
            truth = json.load(file)
        wrong = []
        for name, expected in truth.items():
            wrong += judge(name, expected, findings(finwait, os.path.join(folder, name + ".pcap")))
    print("\n".join(wrong) or f"{len(truth)} captures: all as expected")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
