#!/usr/bin/env python3
"""live_rate.py [--senders N] [--rounds N] [--readers LIST] BUILD FILE [RATE...]

What finwait, tcpdump -w /dev/null and bare ring readers make of the frames of FILE on a virtual link between two network namespaces of its own.

For each rate (frames per second of each sender; 0: as fast as it can) it sends for some seconds to each reader by itself, in turn, as many
times as there are rounds, and prints each time: frames per second sent, received, dropped, and CPU time of the reader per frame. In the end,
for each rate and reader: the medians, and how many of the rounds were without loss. A reader is tcpdump, ring:N (N rings and nothing else),
finwait:N (N threads), ring:xdp (AF_XDP and nothing else) or finwait-xdp:N (AF_XDP and N threads). All have the same room together. Several senders are several processors that receive: the link has queues for them.
Needs root, iproute2 and tcpdump; touches no interface that it did not make.
"""
import argparse
import json
import os
import re
import signal
import statistics
import subprocess
import time

SECONDS = 4
BUFFER_KIB = 32768
NAMES = [f"fwrate{os.getpid()}{end}" for end in "ab"]
QUEUES = ("numtxqueues", "4", "numrxqueues", "4")


def run(*words, **more):
    return subprocess.run(words, check=True, capture_output=True, text=True, **more).stdout


def inside(which, *words):
    return ["ip", "netns", "exec", NAMES[which], *words]


def make_link():
    for name in NAMES:
        run("ip", "netns", "add", name)
    run("ip", "link", "add", "rate0", "netns", NAMES[0], *QUEUES, "type", "veth", "peer", "name", "rate1", "netns", NAMES[1], *QUEUES)
    for which in (0, 1):
        run(*inside(which, "sh", "-c", "for f in /proc/sys/net/ipv6/conf/rate*/disable_ipv6; do echo 1 >$f; done; true"))
        run("ip", "-n", NAMES[which], "link", "set", f"rate{which}", "up", "arp", "off")


def cpu_of(pid):
    """In the program, and in all: the latter has what the kernel did meanwhile on the same processor, for this process or not."""
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    user, system = (int(field) / os.sysconf("SC_CLK_TCK") for field in fields[11:13])
    return user, user + system


def command(reader, build):
    kind, _, number = reader.partition(":")
    if kind == "tcpdump":
        return ["tcpdump", "-n", "-i", "rate1", "-B", str(BUFFER_KIB), "-w", "/dev/null"]
    if kind == "ring":
        return [f"{build}/tools/live_bench", "read", "rate1", str(SECONDS + 600), str(BUFFER_KIB), number or "1"]
    method = ["--capture-method", "xdp"] if kind == "finwait-xdp" else []
    return [f"{build}/finwait", "-i", "rate1", "-B", str(BUFFER_KIB), "-t", number or "1", *method, "-o", "json=/dev/null"]


def send(build, path, rate, senders):
    count = int((rate or 1_000_000) * SECONDS)
    words = inside(0, f"{build}/tools/live_bench", "send", "rate0", path, str(rate), str(count))
    all_of_them = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(senders)]
    said = [json.loads(process.communicate()[0]) for process in all_of_them]
    return sum(one["sent"] for one in said), sum(one["rate"] for one in said)


def measure(reader, build, path, rate, senders):
    # exec in the namespace replaces `ip`, so the process is the reader itself.
    process = subprocess.Popen(inside(1, *command(reader, build)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while "listening" not in process.stderr.readline():
        pass
    before = cpu_of(process.pid)
    sent, rate = send(build, path, rate, senders)
    for _ in range(100):  # what waits in the ring
        used = cpu_of(process.pid)
        time.sleep(0.2)
        if cpu_of(process.pid)[1] - used[1] < 0.02:
            break
    user, used = (now - then for now, then in zip(cpu_of(process.pid), before))
    process.send_signal(signal.SIGINT)
    dropped = dropped_by(reader, process.communicate(timeout=60)[1])
    each = 1e9 / max(sent - dropped, 1)
    return {"rate": rate, "sent": sent, "dropped": dropped, "ns": used * each, "user": user * each}


def dropped_by(reader, err):
    if reader == "tcpdump":
        return int(re.search(r"(\d+) packets? dropped by kernel", err).group(1))
    found = re.search(r"([\d,]+) of [\d,]+ packets were dropped", err)
    return int(found.group(1).replace(",", "")) if found else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--senders", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--readers", default="ring:1,ring:4,ring:xdp,tcpdump,finwait:1,finwait:2,finwait:4,finwait-xdp:1")
    parser.add_argument("build")
    parser.add_argument("file")
    parser.add_argument("rates", nargs="*", type=float)
    options = parser.parse_args()
    build, path = os.path.abspath(options.build), os.path.abspath(options.file)
    found = {}
    try:
        make_link()
        for rate in options.rates or [200e3, 400e3, 600e3, 800e3, 0]:
            for reader in options.readers.split(",") * options.rounds:
                r = measure(reader, build, path, rate, options.senders)
                found.setdefault((rate, reader), []).append(r)
                print(f"{reader:13} sent {r['rate']:>10,.0f}/s  dropped {r['dropped']:>9,} of {r['sent']:>9,}  "
                      f"{r['ns']:6.0f} ns of CPU a frame, {r['user']:6.0f} of it in the program", flush=True)
        print(f"medians of {options.rounds}:")
        for (rate, reader), all_of_them in found.items():
            median = {what: statistics.median(r[what] for r in all_of_them) for what in ("rate", "ns")}
            share = statistics.median(r["dropped"] / r["sent"] for r in all_of_them)
            whole = sum(r["dropped"] == 0 for r in all_of_them)
            print(f"asked {rate:>9,.0f}  {reader:13} sent {median['rate']:>10,.0f}/s  dropped {share:7.3%}  {median['ns']:6.0f} ns of CPU a frame  "
                  f"without loss {whole} of {len(all_of_them)}")
    finally:
        for name in NAMES:
            subprocess.run(["ip", "netns", "del", name], capture_output=True)


if __name__ == "__main__":
    main()
