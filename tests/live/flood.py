#!/usr/bin/env python3
"""flood.py PROGRAM GENERATOR SENDER: SYNs from invented addresses beside real connections, live, with too little memory for them. Memory stays
within its bound, what was given up is counted, and real connections open and end as their generator knows."""
import json
import os
import subprocess
import sys
import tempfile
import time

from link import Link, check, connections, records, sh, stop

MEMORY = 128  # MiB
CONNECTIONS, FLOOD, RATE = 1_500, 100_000, 50_000


def main():
    program, generator, sender = map(os.path.abspath, sys.argv[1:4])
    link = Link()
    with tempfile.TemporaryDirectory() as folder:
        capture, fates, truth, out = (os.path.join(folder, name) for name in ("flood.pcap", "fates", "truth", "flood.json"))
        sh(generator, "--profile", "flood", "--output", capture, "--fates", fates, "--truth", truth, "--flood", str(FLOOD), "--flood-answer", "none",
           "--connections", str(CONNECTIONS), "--packets", str(14 * CONNECTIONS), "--concurrent", "100", "--rate", str(RATE))
        with open(truth) as file:
            packets = json.load(file)["packets"]
        # Half-open ones of the flood are no news: they fill nothing but the disk.
        finwait = link.listen(program, "-o", f"json={out}", "--memory", f"{MEMORY}M", "-B", "16384", "--counters", "0", "--only",
                              "graceful,half-closed,reset,refused,aborted,open", interface="r0", where=link.right)
        sent = json.loads(link.inside(link.left, sender, "send", "l0", capture, str(RATE), str(packets)).stdout)
        time.sleep(1.5)
        status, _, err = stop(finwait)
        check(status == 0, status, err)
        told = {}
        found = records(out)
        for record in connections(found):
            a, b = record["originator"], record["responder"]
            told.setdefault((a["ip"], str(a["port"]), b["ip"], str(b["port"])), []).append((record["opening"], record["ending"]))
        with open(fates) as file:
            expected = {tuple(ends): (opening, ending) for *ends, opening, ending in map(str.split, file)
                        if ending not in ("unanswered", "half-open")}  # those differ in nothing from the flood
    summary = found[-1]
    frames, peak = summary["frames"], summary["performance"]["peak_memory"]
    check(frames["received"] == sent["sent"] == frames["read"] + frames["dropped_by_kernel"], sent, frames)
    check(sum(summary["evicted"].values()) > FLOOD / 2, summary["evicted"])
    check(peak <= MEMORY << 20, "memory", peak)
    if frames["dropped_by_kernel"] != 0:
        print("too busy a machine: frames were dropped, so connections are not compared:", frames)
        return
    wrong = [(ends, fate, told.get(ends)) for ends, fate in expected.items() if fate not in told.get(ends, [])]
    check(len(wrong) <= len(expected) / 1000, len(wrong), "of", len(expected), wrong[:5])


if __name__ == "__main__":
    main()
