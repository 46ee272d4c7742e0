#!/usr/bin/env python3
"""loss.py PROGRAM [OPTION...]: a ring that is too small for a program that was held up. Every packet is analysed or counted, and findings of that time
say that the capture may have caused them."""
import os
import re
import signal
import sys
import tempfile
import time

from link import PORT, SERVER, Link, check, connections, records, stop


def number(text):
    return int(text.replace(",", ""))


def main():
    program = os.path.abspath(sys.argv[1])
    link = Link(sys.argv[2:])
    rings = int(sys.argv[3]) if sys.argv[2:3] == ["-t"] else 1  # the link has queues for four
    room = 64 * rings
    server = link.server()
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "loss.json")
        finwait = link.listen(program, "-B", str(room), "--stats", "-o", f"json={out}", "-o", "summary", "tcp", "port", str(PORT))
        link.talk("burst", SERVER, PORT, 20)
        time.sleep(0.3)
        finwait.send_signal(signal.SIGSTOP)
        link.talk("ask", SERVER, PORT, 1000)
        finwait.send_signal(signal.SIGCONT)
        time.sleep(1.5)
        link.talk("burst", SERVER, PORT, 20)
        time.sleep(0.3)
        status, screen, err = stop(finwait)
        check(status == 0, status, err)
        found = records(out)
    frames = found[-1]["frames"]
    check(frames["dropped_by_kernel"] > 0 and frames["freezes"] > 0, frames)
    check(frames["received"] == frames["read"] + frames["dropped_by_kernel"], frames)
    told = re.search(rf"([\d,]+) of ([\d,]+) packets were dropped for want of room: give more of it \(-B {4 * room}\), more threads \(-t {2 * rings}\),"
                     r" or a filter", err)
    check(told and number(told.group(1)) == frames["dropped_by_kernel"], err)
    each = re.findall(r"ring \d of l0: received ([\d,]+), dropped by the kernel ([\d,]+), freezes ([\d,]+)", err)
    check(len(each) == (rings if rings > 1 else 0), err)
    sums = tuple(sum(map(number, column)) for column in zip(*each))
    check(not each or sums == (frames["received"], frames["dropped_by_kernel"], frames["freezes"]), err, frames)
    segments = list(map(number, re.findall(r"thread \d: ([\d,]+) segments", err)))
    check(len(segments) == len(each) and sum(segments) in (0, frames["tcp"]) and all(segments), err, frames)
    check("dropped for want of room in the ring" in screen, screen)
    doubtful = [a for c in connections(found) for a in c["anomalies"] if a["kind"] != "connection-refused"]
    check(doubtful and all("capture" in a["origin"] for a in doubtful), [a for a in doubtful if "capture" not in a["origin"]][:3])
    whole = [c for c in connections(found) if c["ending"] == "graceful"]
    check(len(whole) >= 40 and not whole[0]["anomalies"] and not whole[-1]["anomalies"])
    server.kill()


if __name__ == "__main__":
    main()
