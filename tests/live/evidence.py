#!/usr/bin/env python3
"""evidence.py PROGRAM: -w of a live capture changes its file as the other outputs do, and whoever reads it slowly does not stop the capture."""
import glob
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

from link import PORT, SERVER, Link, check, connections, records, stop


def again(program, *paths):
    """What finwait makes of captures."""
    words = [word for path in paths for word in ("-r", path)]
    out = subprocess.run([program, *words, "-o", "json"], check=True, timeout=60, capture_output=True, text=True).stdout
    return [json.loads(line) for line in out.splitlines()]


def packets(found):
    return sum(c[end]["packets"] for c in connections(found) for end in ("originator", "responder"))


def files_are_changed_and_each_is_whole(link, program, folder):
    out, written = os.path.join(folder, "all.json"), os.path.join(folder, "w.pcapng")
    finwait = link.listen(program, "-w", written, "--rotate-size", "20k", "--msl", "100ms", "-o", f"json={out}", "tcp")
    link.talk("burst", SERVER, PORT, 20)
    time.sleep(2.5)
    first = len(glob.glob(written + "*"))
    finwait.send_signal(signal.SIGHUP)
    time.sleep(0.3)
    link.talk("burst", SERVER, PORT, 20)
    time.sleep(0.3)
    status, _, err = stop(finwait)
    check(status == 0, status, err)
    files = glob.glob(written + "*")
    check(1 < first < len(files), first, files)
    check(all(os.path.getsize(path) <= 20 * 1024 for path in files), [os.path.getsize(path) for path in files])
    seen = [json.loads(line) for path in glob.glob(out + "*") for line in open(path)]
    each = [again(program, path) for path in files]
    check(sum(found[-1]["frames"]["read"] for found in each) == packets(seen) == packets(again(program, *files)), packets(seen))
    check(all(not found[-1]["capture"].get("damage") for found in each))


def a_reader_that_does_not_read_stops_nothing(link, program, folder):
    out, pipe = os.path.join(folder, "pipe.json"), os.path.join(folder, "pipe")
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    finwait = link.listen(program, "-w", pipe, "--msl", "100ms", "-o", f"json={out}", "tcp")
    link.talk("burst", SERVER, PORT, 60)
    time.sleep(2.5)
    early = len(connections(records(out)))  # more than a pipe holds of their packets waits meanwhile
    check(early == 60, early)
    status, _, err = stop(finwait)
    check(status == 1 and "packets are missing" in err, status, err)
    found = records(out)
    check(found[-1]["frames"]["dropped_by_kernel"] == 0 and found[-1]["frames"]["read"] >= 500, found[-1]["frames"])
    os.close(reader)


def main():
    program = os.path.abspath(sys.argv[1])
    link = Link(sys.argv[2:])
    server = link.server()
    with tempfile.TemporaryDirectory() as folder:
        for test in (files_are_changed_and_each_is_whole, a_reader_that_does_not_read_stops_nothing):
            test(link, program, folder)
            print(f"{test.__name__}: as it should be", flush=True)
    server.kill()


if __name__ == "__main__":
    main()
