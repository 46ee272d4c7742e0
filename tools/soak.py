#!/usr/bin/env python3
"""soak.py PROGRAM SECONDS [OPTION...]: leaves the program running on a virtual link of its own, and makes trouble.

Meanwhile: connections without a pause, the link's ends down and up, files moved away with SIGHUP, files changed by size and time, metrics asked
for, a standard error that nobody reads. Every connection must be in each output exactly once, every line be whole, nothing be dropped, memory
not grow. What is wrong is kept, with its frames, in a folder that is told. Files are counted and taken away as soon as the program has done with
them: neither disk nor memory limits how long it goes on. Needs root (it makes two network namespaces, which are gone afterwards) and exits 77
without.
"""
import collections
import fcntl
import itertools
import json
import glob
import os
import re
import signal
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "live"))
from ledger import Evidence, Frames, Ledger, done_with, take_events, take_json, take_pcapng, take_zeek  # noqa: E402
from link import PORT, SERVER, Link, check, finished, sh  # noqa: E402

BURST = 100
PORTS = 40000  # the first one of the connections' on this side
QUEUE = 32 << 20  # bytes of lines that may wait, for each output: memory that is touched as lines pass through
HELD = 192 << 20  # with -w
SLACK = 8 << 20
FETCH = "import sys, urllib.request; sys.stdout.write(urllib.request.urlopen(sys.argv[1], timeout=5).read().decode())"
ORDINARY = re.compile("finwait: (.*: is down; waiting for it|.*: is up again|.* packets received, .*|[0-9]+ lines were left out here.*)$")


def resident(pid):
    with open(f"/proc/{pid}/statm") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def flap(link, which):
    """Down and up again, and back when packets pass: what is lost in between is the link's loss, not the capture's."""
    name, interface = which
    sh("ip", "-n", name, "link", "set", interface, "down")
    time.sleep(0.05)
    sh("ip", "-n", name, "link", "set", interface, "up")
    end = time.monotonic() + 10
    while True:
        states = [json.loads(sh("ip", "-n", n, "-j", "link", "show", i).stdout)[0]["operstate"] for n, i in ((link.left, "l0"), (link.right, "r0"))]
        if states == ["UP", "UP"]:
            return
        check(time.monotonic() < end, "the link does not come back:", states)
        time.sleep(0.01)


class Run:
    """One process of the program: the files that are moved away from it, and what becomes of those it has done with."""

    def __init__(self, process, takers, moved=(), read=True, most=QUEUE):
        self.process = process
        self.most = most  # that its memory may grow by
        self.takers = takers  # by pattern of names
        self.moved = moved
        self.url = re.search(r"metrics at (\S+)", process.said).group(1)
        self.taken = 0  # bytes
        self.odd = []
        self.reader = threading.Thread(target=self.read, daemon=True) if read else None
        if read:
            self.reader.start()
        else:
            fcntl.fcntl(process.stderr, fcntl.F_SETPIPE_SZ, 4096)

    def read(self):
        self.odd += (line for line in self.process.stderr if not ORDINARY.match(line))

    def hang_up(self, turn):
        """Each file is made anew by the thread that writes it, which may be held up for a while on a busy machine."""
        for path in self.moved:
            os.rename(path, f"{path}.{turn}")
        self.process.send_signal(signal.SIGHUP)
        end = time.monotonic() + 10
        while not all(map(os.path.exists, self.moved)):
            check(self.process.poll() is None, "the program has ended:", self.process.returncode)
            if time.monotonic() > end:
                where = [open(name).read() for what in ("wchan", "syscall") for name in glob.glob(f"/proc/{self.process.pid}/task/*/{what}")]
                check(False, "no new file after SIGHUP; its threads are in", where)
            time.sleep(0.01)

    def take_files(self):
        for pattern, taker in self.takers.items():
            for path in done_with(self.process, pattern):
                self.taken += os.path.getsize(path)
                taker(path)
                os.remove(path)

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        if self.reader:
            self.process.wait(timeout=30)
            self.reader.join()
        else:
            self.odd += (line for line in finished(self.process, 30)[2].splitlines() if not ORDINARY.match(line))
        check(self.process.returncode == 0 and not self.odd, self.process.returncode, self.odd)
        self.take_files()


def trouble(link, runs, ledgers, seconds):
    """Returns how often each thing was done, and the processes' memory with the bytes taken by then, after each tenth of the time."""
    done = collections.Counter()
    ends = itertools.cycle(((link.right, "r0"), (link.left, "l0")))
    start = time.monotonic()
    curve = []
    for turn in itertools.count(1):
        begin = time.time()
        ports = link.talk("burst", SERVER, PORT, BURST)
        for ledger in ledgers:
            ledger.made(ports, begin, time.time())
        done["connections"] += BURST
        for run in runs:
            run.process.send_signal(signal.SIGUSR1)  # a line of counters
        if turn % 3 == 0:
            for run in runs:
                run.hang_up(turn)
            done["hangups"] += 1
        if turn % 4 == 0:
            time.sleep(0.2)  # the last segments of the burst
            flap(link, next(ends))
            done["flaps"] += 1
        if turn % 5 == 0:
            for run in runs:
                check("finwait_connections " in link.inside(link.left, sys.executable, "-c", FETCH, run.url).stdout, "no metrics")
            done["scrapes"] += 1
        for run in runs:
            run.take_files()
        passed = time.monotonic() - start
        if passed > (len(curve) + 1) * seconds / 10:
            curve.append(([resident(run.process.pid) for run in runs], sum(run.taken for run in runs)))
        if passed > seconds:
            return done, curve


def begin_runs(link, program, folder, ledgers, counts):
    common = ("--msl", "100ms", "--max-connections", "20000", "--metrics", "0")
    log, events, packets, rotated = (os.path.join(folder, name) for name in ("conn.log", "events", "packets", "%Y%m%d-%H%M%S.jsonl"))
    json_ledger, zeek_ledger = ledgers
    return (Run(link.listen(program, "-o", f"zeek={log}", *common), {log + "*": lambda path: take_zeek(path, zeek_ledger)}, [log], read=False),
            Run(link.listen(program, "-o", f"json={rotated}", "--rotate-every", "2s", "--rotate-size", "100K", *common),
                {os.path.join(folder, "*.jsonl*"): lambda path: take_json(path, json_ledger)}),
            Run(link.listen(program, "-o", f"events={events}", "-w", packets, "--memory", str(HELD), *common),
                {events + "*": lambda path: take_events(path, counts), packets + "*": lambda path: take_pcapng(path, counts)}, [events, packets], most=HELD))


def check_memory(runs, curve):
    """Pages that are used for the first time come with the bytes that pass."""
    (early, before), (late, after) = curve[len(curve) // 3], curve[-1]
    grown = [b - a for a, b in zip(early, late)]
    for run, growth in zip(runs, grown):
        check(growth <= SLACK + min(after - before, run.most), f"memory grew by {growth} bytes while {after - before} were written")
    return (f"memory grew by {'+'.join(str(growth >> 10) for growth in grown)} KiB after the first third of the time, while "
            f"{(after - before) >> 10} KiB were written, in MiB: " + " ".join("+".join(str(size >> 20) for size in sizes) for sizes, _ in curve))


def main():
    program, seconds = os.path.abspath(sys.argv[1]), float(sys.argv[2])
    link = Link(sys.argv[3:])
    # Each burst takes the ports of the one before, at about the time when their TIME-WAIT ends.
    link.inside(link.left, "sh", "-c", f"echo '{PORTS} {PORTS + 2 * BURST - 1}' >/proc/sys/net/ipv4/ip_local_port_range")
    server = link.server()
    counts = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        evidence = Evidence(Frames(link, folder))
        ledgers = [Ledger(name, evidence) for name in ("json", "zeek")]
        runs = begin_runs(link, program, folder, ledgers, counts)
        done, curve = trouble(link, runs, ledgers, seconds)
        for run in runs:
            run.end()
        for ledger in ledgers:
            ledger.close()
        made = done["connections"]
        if counts["originator", "SYN-SENT"] != made:
            evidence.add(f"events have {counts['originator', 'SYN-SENT']} SYNs of {made}", str(counts), 0)
        check(not evidence.found, evidence.text())
    server.kill()
    check(counts["packets"] > 0, "nothing is in the files of -w")
    memory = check_memory(runs, curve)
    print(", ".join(f"{count} {what}" for what, count in done.items()) + f"; {counts['packets']} packets written; {memory}; "
          f"this process {resident(os.getpid()) >> 20}")


if __name__ == "__main__":
    main()
