#!/usr/bin/env python3
"""loss.py PROGRAM: a ring that is too small for a program that was held up. Every packet is analysed or counted, and findings of that time
say that the capture may have caused them."""
import os
import re
import signal
import sys
import tempfile
import time

from link import PORT, SERVER, Link, check, connections, records, stop


def main():
    program = os.path.abspath(sys.argv[1])
    link = Link()
    server = link.server()
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "loss.json")
        finwait = link.listen(program, "-B", "64", "-o", f"json={out}", "-o", "summary", "tcp", "port", str(PORT))
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
    told = re.search(r"([\d,]+) of ([\d,]+) packets were dropped for want of room: give more of it \(-B 256\), or a filter", err)
    check(told and int(told.group(1).replace(",", "")) == frames["dropped_by_kernel"], err)
    check("dropped for want of room in the ring" in screen, screen)
    doubtful = [a for c in connections(found) for a in c["anomalies"] if a["kind"] != "connection-refused"]
    check(doubtful and all("capture" in a["origin"] for a in doubtful), [a for a in doubtful if "capture" not in a["origin"]][:3])
    whole = [c for c in connections(found) if c["ending"] == "graceful"]
    check(len(whole) >= 40 and not whole[0]["anomalies"] and not whole[-1]["anomalies"])
    server.kill()


if __name__ == "__main__":
    main()
