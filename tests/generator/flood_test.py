#!/usr/bin/env python3
"""finwait in a flood of SYNs from invented addresses: flood_test.py FINWAIT_GEN FINWAIT

Real connections all along the flood, and too little memory for it, whatever comes of the SYNs: nothing, SYN-ACKs, RSTs, or half of them.
Memory stays within its bound, what was given up is counted, and at least 999 of 1000 real connections open and end as their generator knows.
A real SYN that nobody answers, or whose SYN-ACK is the last that is seen, differs in nothing from the flood: those may be given up.

FINWAIT_FLOOD=5000000 in the environment is the full size: that many SYNs beside 10,000 connections, in 256 MiB.
"""
import json
import os
import subprocess
import sys
import tempfile

from checks import check, conclude

GENERATOR, FINWAIT = sys.argv[1:3]
FLOOD = int(os.environ.get("FINWAIT_FLOOD", "200000"))
FULL = FLOOD >= 5_000_000
CONNECTIONS, CONCURRENT, MEMORY = (10_000, 10_000, 256) if FULL else (2_000, 500, 96)
SHARE = 0.999


def flood(folder, answer):
    capture, fates, out = (os.path.join(folder, name) for name in ("flood.pcap", "fates", "flood.json"))
    subprocess.run([GENERATOR, "--profile", "flood", "--output", capture, "--fates", fates, "--flood", str(FLOOD), "--flood-answer", answer,
                    "--connections", str(CONNECTIONS), "--packets", str(14 * CONNECTIONS), "--concurrent", str(CONCURRENT)], check=True)
    subprocess.run([FINWAIT, "-r", capture, "--memory", f"{MEMORY}M", "-o", f"json={out}"], check=True)
    expected = {}
    with open(fates) as file:
        for line in file:
            *ends, opening, ending = line.split()
            if ending not in ("unanswered", "half-open"):
                expected[tuple(ends)] = (opening, ending)
    told, summary = {}, None
    with open(out) as file:
        for line in file:
            # Only real ones are looked at closer: their clients are in 10.0.0.0/12.
            if '"originator":{"ip":"10.' not in line and '"responder":{"ip":"10.' not in line and '"type":"summary"' not in line:
                continue
            record = json.loads(line)
            if record["type"] == "summary":
                summary = record
            elif record["type"] == "connection":
                a, b = record["originator"], record["responder"]
                told.setdefault((a["ip"], str(a["port"]), b["ip"], str(b["port"])), []).append((record["opening"], record["ending"]))
    return expected, told, summary


def main():
    for answer in ("none", "syn-ack", "reset", "half"):
        with tempfile.TemporaryDirectory() as folder:
            expected, told, summary = flood(folder, answer)
        right = sum(truth in told.get(key, []) for key, truth in expected.items())
        evicted = sum(summary["evicted"].values())
        peak = summary["performance"]["peak_memory"]
        print(f"answer {answer}: {right} of {len(expected)} real connections are right, {evicted} evicted, {peak / 2**20:.0f} of {MEMORY} MiB, "
              f"{summary['performance']['threads']} threads, {summary['performance']['seconds']:.1f} s")
        check(right >= SHARE * len(expected), answer, [(key, truth, told.get(key)) for key, truth in expected.items() if truth not in told.get(key, [])][:5])
        check(len(expected) > 0.9 * CONNECTIONS, answer, "connections", len(expected))
        check(evicted > FLOOD / 2, answer, "evicted", summary["evicted"])
        check(summary["frames"]["table_full"] == 0, answer, summary["frames"])
        check(peak <= MEMORY << 20, answer, "memory", peak)


main()
conclude()
