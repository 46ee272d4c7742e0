#!/usr/bin/env python3
"""service.py PROGRAM [OPTION...]: what one leaves running: metrics, new files, a sandbox, and a start without root."""
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from link import PORT, SERVER, Link, check, connections, expect, records, sh, stop

FETCH = "import sys, urllib.request; sys.stdout.write(urllib.request.urlopen(sys.argv[1], timeout=5).read().decode())"


def soon(condition, what, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        check(time.monotonic() < end, "never happened:", what)
        time.sleep(0.02)


def page(link, url):
    return link.inside(link.left, sys.executable, "-c", FETCH, url).stdout


def metric(text, name):
    match = re.search(rf"^{re.escape(name)} (\S+)$", text, re.M)
    check(match, "no", name, "in", text)
    return float(match.group(1))


def metrics_are_told(link, program, folder):
    out = os.path.join(folder, "m.json")
    finwait = link.listen(program, "-o", f"json={out}", "--metrics", "0", "--msl", "100ms")
    url = re.search(r"metrics at (http://127\.0\.0\.1:\d+/metrics)", finwait.said).group(1)
    link.talk("burst", SERVER, PORT, 20)
    soon(lambda: metric(page(link, url), 'finwait_endings_total{ending="graceful"}') == 20, "twenty endings")
    text = page(link, url)
    check(metric(text, 'finwait_openings_total{opening="three-way"}') == 20, text)
    check(metric(text, "finwait_handshake_duration_seconds_count") == 20 == metric(text, "finwait_close_duration_seconds_count"), text)
    check(metric(text, "finwait_packets_received_total") >= 200, text)
    check(metric(text, "process_resident_memory_bytes") > 1 << 20, text)
    if shutil.which("promtool"):
        tool = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=30)
        check(tool.returncode == 0, tool.stdout, tool.stderr)
    check(stop(finwait)[0] == 0)


def nothing_is_kept(link, program, folder):
    os.chmod(folder, 0o777)
    out = os.path.join(folder, "s.json")
    finwait = link.start(link.left, program, "-i", "l0", "-o", f"json={out}", "--metrics", "0")
    expect(finwait.stderr, "listening on")
    tasks = f"/proc/{finwait.pid}/task"
    soon(lambda: len(os.listdir(tasks)) >= 3, "the capture, the output, the metrics")
    for task in os.listdir(tasks):
        with open(os.path.join(tasks, task, "status")) as f:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in f)
        for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            check(int(status[name], 16) == 0, task, name, status[name])
        check(status["NoNewPrivs"] == "1" and status["Seccomp"] == "2", task, status)
        check("0" not in status["Uid"].split() and "0" not in status["Gid"].split() and not status["Groups"].split(), task, status)
    check(os.stat(out).st_uid != 0, "the file belongs to who writes it")
    check(stop(finwait)[0] == 0)


def files_change_and_are_opened_anew(link, program, folder):
    plain = os.path.join(folder, "conn.log")
    finwait = link.listen(program, "-o", f"zeek={plain}", "--msl", "100ms")
    link.talk("burst", SERVER, PORT, 10)
    soon(lambda: os.path.getsize(plain) > 0, "a line")
    os.rename(plain, plain + ".old")
    finwait.send_signal(signal.SIGHUP)
    soon(lambda: os.path.exists(plain), "a new file")
    link.talk("burst", SERVER, PORT, 10)
    check(stop(finwait)[0] == 0)
    count = 0
    for path in (plain, plain + ".old"):
        lines = open(path).read().splitlines()
        check(lines[0].startswith("#separator") and lines[-1].startswith("#close"), path, lines)
        count += sum(1 for line in lines if not line.startswith("#"))
    check(count == 20, count)

    finwait = link.listen(program, "-o", f"json={folder}/%H%M%S.jsonl", "--rotate-every", "1s", "--rotate-size", "20K", "--msl", "100ms")
    for _ in range(3):
        link.talk("burst", SERVER, PORT, 30)
        time.sleep(0.6)
    check(stop(finwait)[0] == 0)
    paths = glob.glob(f"{folder}/*.jsonl*")
    check(len(paths) > 3, paths)
    found = [record for path in paths for record in records(path)]
    check(len(connections(found)) == 90, len(connections(found)))
    check(len({record["id"] for record in connections(found)}) == 90, "each once")
    check(all(os.path.getsize(path) <= 20480 for path in paths))


def once_it_listens_a_hangup_is_no_end(link, program, folder):
    for _ in range(10):
        finwait = link.listen(program, "-o", f"json={folder}/out")
        finwait.send_signal(signal.SIGHUP)
        time.sleep(0.01)
        check(stop(finwait)[0] == 0, finwait.returncode)


def a_full_disk_does_not_stop_it(link, program, folder):
    small = os.path.join(folder, "small")
    os.mkdir(small)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small], capture_output=True).returncode != 0:
        return
    try:
        out = os.path.join(small, "x.json")
        finwait = link.listen(program, "-o", f"json={out}", "--msl", "100ms")
        link.talk("burst", SERVER, PORT, 100)
        expect(finwait.stderr, "No space left on device; it is tried again")
        check(open(out).read().endswith("\n"), "whole lines")
        check(subprocess.run(["mount", "-o", "remount,size=16m", small]).returncode == 0)
        expect(finwait.stderr, "is written again, after")
        status, _, err = stop(finwait)
        check(status == 0, status, err)
        check(len(connections(records(out))) == 100)
    finally:
        subprocess.run(["umount", "-l", small])


def fill_standard_error(process):
    """To the last byte; then come more lines of counters."""
    pipe = os.open(f"/proc/{process.pid}/fd/2", os.O_WRONLY | os.O_NONBLOCK)
    for size in (4096, 1):
        try:
            while True:
                os.write(pipe, b"\n" * size)
        except BlockingIOError:
            pass
    os.close(pipe)
    for _ in range(10):
        process.send_signal(signal.SIGUSR1)
        time.sleep(0.05)


def nobody_need_read_standard_error(link, program, folder):
    out = os.path.join(folder, "conn.log")
    finwait = link.listen(program, "-o", f"zeek={out}", "--msl", "100ms")
    fill_standard_error(finwait)
    os.rename(out, out + ".old")
    finwait.send_signal(signal.SIGHUP)
    soon(lambda: os.path.exists(out), "a new file")
    link.talk("burst", SERVER, PORT, 20)
    soon(lambda: open(out).read().count(f"\t{PORT}\t") == 20, "twenty lines")
    status, _, err = stop(finwait)
    lines = err.lstrip("\n").splitlines()
    check(status == 0 and lines and all(" packets received, " in line for line in lines), status, lines)


def it_ends_though_nobody_reads_why(link, program, folder):
    sh("ip", "-n", link.left, "link", "add", "l9", "up", "type", "veth", "peer", "name", "r9")
    finwait = link.listen(program, "-o", f"json={folder}/out", interface="l9")
    fill_standard_error(finwait)
    sh("ip", "-n", link.left, "link", "del", "l9")
    check(finwait.wait(timeout=20) == 1, "the interface is gone:", finwait.returncode)


def a_killed_process_leaves_whole_lines(link, program, folder):
    out = os.path.join(folder, "killed.json")
    finwait = link.listen(program, "-o", f"json={out}", "--msl", "100ms")
    link.talk("burst", SERVER, PORT, 50)
    soon(lambda: os.path.getsize(out) > 0, "a line")
    finwait.kill()
    finwait.wait(timeout=10)
    check(open(out).read().endswith("\n") and records(out))


def a_file_capability_is_enough(link, program, folder):
    if not shutil.which("setcap") or not shutil.which("setpriv"):
        return
    copy = os.path.join(folder, "finwait")
    shutil.copy(program, copy)
    if subprocess.run(["setcap", "cap_net_raw+ep", copy], capture_output=True).returncode != 0:
        return
    os.chmod(folder, 0o777)
    out = os.path.join(folder, "caps.json")
    finwait = link.start(link.left, "setpriv", "--reuid", "4711", "--regid", "4711", "--clear-groups", copy, "-i", "l0", "-o", f"json={out}")
    expect(finwait.stderr, "listening on")
    link.talk("burst", SERVER, PORT, 5)
    status, _, err = stop(finwait)
    check(status == 0, status, err)
    check(len(connections(records(out))) == 5 and os.stat(out).st_uid == 4711)


def main():
    program = os.path.abspath(sys.argv[1])
    link = Link(sys.argv[2:])
    server = link.server()
    for test in (metrics_are_told, nothing_is_kept, files_change_and_are_opened_anew, once_it_listens_a_hangup_is_no_end,
                 a_full_disk_does_not_stop_it, nobody_need_read_standard_error, it_ends_though_nobody_reads_why,
                 a_killed_process_leaves_whole_lines, a_file_capability_is_enough):
        with tempfile.TemporaryDirectory() as folder:
            test(link, program, folder)
        print(f"{test.__name__}: as it should be")
    server.kill()


if __name__ == "__main__":
    main()
