#!/usr/bin/env python3
"""live_rate.py BUILD FILE [RATE...]: what finwait, tcpdump -w /dev/null and a bare ring reader make of the frames of FILE on a virtual link.

For each rate (frames per second; 0: as fast as one sender can) it sends for some seconds between two network namespaces of its own and
prints, for each of the three by itself: frames per second sent, received, dropped, and CPU time of the reader per frame. All have the same
buffer. Needs root, iproute2 and tcpdump; touches no interface that it did not make.
"""
import json
import os
import re
import signal
import subprocess
import sys
import time

SECONDS = 4
BUFFER_KIB = 32768
NAMES = [f"fwrate{os.getpid()}{end}" for end in "ab"]


def run(*words, **more):
    return subprocess.run(words, check=True, capture_output=True, text=True, **more).stdout


def inside(which, *words):
    return ["ip", "netns", "exec", NAMES[which], *words]


def make_link():
    for name in NAMES:
        run("ip", "netns", "add", name)
    run("ip", "link", "add", "rate0", "netns", NAMES[0], "type", "veth", "peer", "name", "rate1", "netns", NAMES[1])
    for which in (0, 1):
        run("ip", "-n", NAMES[which], "link", "set", f"rate{which}", "up", "arp", "off")


def cpu_of(pid):
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(reader, build, path, rate):
    count = int((rate or 1_000_000) * SECONDS)
    commands = {
        "finwait": [f"{build}/finwait", "-i", "rate1", "-B", str(BUFFER_KIB), "-o", "json=/dev/null"],
        "tcpdump": ["tcpdump", "-n", "-i", "rate1", "-B", str(BUFFER_KIB), "-w", "/dev/null"],
        "ring": [f"{build}/tools/live_bench", "read", "rate1", str(SECONDS + 600), str(BUFFER_KIB)],
    }
    # exec in the namespace replaces `ip`, so the process is the reader itself.
    process = subprocess.Popen(inside(1, *commands[reader]), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while "listening" not in process.stderr.readline():
        pass
    before = cpu_of(process.pid)
    sent = json.loads(run(*inside(0, f"{build}/tools/live_bench", "send", "rate0", path, str(rate), str(count))))
    for _ in range(100):  # what waits in the ring
        used = cpu_of(process.pid) - before
        time.sleep(0.2)
        if cpu_of(process.pid) - before - used < 0.02:
            break
    used = cpu_of(process.pid) - before
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    dropped = dropped_by(reader, out, err)
    return {"reader": reader, "rate": sent["rate"], "sent": sent["sent"], "dropped": dropped, "ns": used / (sent["sent"] - dropped) * 1e9}


def dropped_by(reader, out, err):
    if reader == "tcpdump":
        return int(re.search(r"(\d+) packets? dropped by kernel", err).group(1))
    found = re.search(r"([\d,]+) of [\d,]+ packets were dropped", err)
    return int(found.group(1).replace(",", "")) if found else 0


def main():
    build, path = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    rates = [float(word) for word in sys.argv[3:]] or [200e3, 400e3, 600e3, 800e3, 0]
    try:
        make_link()
        for rate in rates:
            for reader in ("ring", "tcpdump", "finwait"):
                r = measure(reader, build, path, rate)
                print(f"{r['reader']:8} sent {r['rate']:>10,.0f}/s  dropped {r['dropped']:>9,} of {r['sent']:>9,}  "
                      f"{r['ns']:6.0f} ns of CPU a frame", flush=True)
    finally:
        for name in NAMES:
            subprocess.run(["ip", "netns", "del", name], capture_output=True)


if __name__ == "__main__":
    main()
