#!/usr/bin/env python3
"""soak.py PROGRAM SECONDS [OPTION...]: leaves the program running on a virtual link of its own, and makes trouble.

Meanwhile: connections without a pause, the link's ends down and up, log files moved away with SIGHUP, files changed by size and time, metrics asked
for. At the end: every connection is in each output exactly once, every line is whole, nothing was dropped, memory did not grow. Needs root (it
makes two network namespaces, which are gone afterwards) and exits 77 without.
"""
import collections
import glob
import itertools
import json
import os
import re
import signal
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "live"))
from link import PORT, SERVER, Link, check, connections, records, stop, sh  # noqa: E402

BURST = 100
QUEUE = 32 << 20  # bytes of lines that may wait, for each output: memory that is touched as lines pass through
SLACK = 8 << 20
FETCH = "import sys, urllib.request; sys.stdout.write(urllib.request.urlopen(sys.argv[1], timeout=5).read().decode())"


def resident(process):
    with open(f"/proc/{process.pid}/statm") as f:
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


def wait_for_file(path, process):
    """Made anew by the thread that writes it, which may be held up for a while on a busy machine."""
    end = time.monotonic() + 10
    while not os.path.exists(path):
        if process.poll() is not None:
            check(False, "the program has ended:", process.returncode, process.stderr.read())
        check(time.monotonic() < end, "no new file after SIGHUP; its threads wait in", [open(p).read() for p in glob.glob(f"/proc/{process.pid}/task/*/wchan")])
        time.sleep(0.05)


def written(folder):
    return sum(os.path.getsize(path) for path in glob.glob(os.path.join(folder, "*")))


def trouble(link, processes, folder, seconds):
    """The first of the processes has its file moved away. Returns how often each thing was done, and the processes' memory with the bytes written
    by then, after each tenth of the time."""
    urls = [re.search(r"metrics at (\S+)", process.said).group(1) for process in processes]
    done = collections.Counter()
    ends = itertools.cycle(((link.right, "r0"), (link.left, "l0")))
    start = time.monotonic()
    curve = []
    while (passed := time.monotonic() - start) < seconds:
        link.talk("burst", SERVER, PORT, BURST)
        done["connections"] += BURST
        turn = done["connections"] // BURST
        if turn % 3 == 0:
            os.rename(os.path.join(folder, "conn.log"), os.path.join(folder, f"conn.{turn}.log"))
            for process in processes:
                process.send_signal(signal.SIGHUP)
            wait_for_file(os.path.join(folder, "conn.log"), processes[0])
            done["hangups"] += 1
        if turn % 4 == 0:
            time.sleep(0.2)  # the last segments of the burst
            flap(link, next(ends))
            done["flaps"] += 1
        if turn % 5 == 0:
            for url in urls:
                check("finwait_connections " in link.inside(link.left, sys.executable, "-c", FETCH, url).stdout, "no metrics")
            done["scrapes"] += 1
        if passed > (len(curve) + 1) * seconds / 10:
            curve.append(([resident(process) for process in processes], written(folder)))
    curve.append(([resident(process) for process in processes], written(folder)))
    return done, curve


def check_outputs(folder, made):
    found = [record for path in glob.glob(os.path.join(folder, "*.jsonl*")) for record in records(path)]
    ours = [record for record in connections(found) if record["responder"]["port"] == PORT]
    check(len(ours) == len({record["uid"] for record in ours}) == made, "json:", len(ours), "of", made)
    check(all(record["ending"] in ("graceful", "open", "final-ack-missing", "closing") for record in ours), "odd endings")
    drops = [record["frames"]["dropped_by_kernel"] for record in found if record["type"] == "summary"]
    check(drops == [0], "dropped:", drops)
    lines = []
    for path in glob.glob(os.path.join(folder, "conn*.log")):
        with open(path) as f:
            text = f.read()
        # Empty: moved away before there was anything to tell.
        check(not text or text.startswith("#separator") and text.splitlines()[-1].startswith("#close") and text.endswith("\n"), path, "is not whole")
        lines += [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    uids = [line[1] for line in lines if line[5] == str(PORT)]
    check(len(uids) == len(set(uids)) == made, "zeek:", len(uids), "of", made)
    return len(glob.glob(os.path.join(folder, "*.jsonl*")))


def main():
    program, seconds = os.path.abspath(sys.argv[1]), float(sys.argv[2])
    link = Link(sys.argv[3:])
    server = link.server()
    with tempfile.TemporaryDirectory() as folder:
        common = ("--msl", "100ms", "--max-connections", "20000", "--metrics", "0")
        moved = link.listen(program, "-o", f"zeek={folder}/conn.log", *common)
        rotated = link.listen(program, "-o", f"json={folder}/%H%M%S.jsonl", "--rotate-every", "2s", "--rotate-size", "100K", *common)
        done, curve = trouble(link, (moved, rotated), folder, seconds)
        for process in (moved, rotated):
            status, _, err = stop(process, signal.SIGTERM)
            check(status == 0, status, err)
            check("dropped:" not in err and "lines of output" not in err, err)
        done["files"] = check_outputs(folder, done["connections"])
    server.kill()
    early, late = curve[len(curve) // 3], curve[-1]
    grown, passed = max(b - a for a, b in zip(early[0], late[0])), late[1] - early[1]
    check(grown <= SLACK + min(passed, QUEUE), f"memory grew by {grown} bytes while {passed} were written")
    print(", ".join(f"{count} {what}" for what, count in done.items()) +
          f"; memory grew by {grown >> 10} KiB after the first third of the time, while {passed >> 10} KiB were written, in MiB: " +
          " ".join("+".join(str(size >> 20) for size in sizes) for sizes, _ in curve))


if __name__ == "__main__":
    main()
