#!/usr/bin/env python3
"""capture.py PROGRAM [OPTION...]: what the program says live is what it says of the file that tcpdump wrote at the same time, and what the
kernel says.
"""
import collections
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

from alike import differences, key, wait_until_settled
from link import CLIENT, NOWHERE, PORT, SERVER, Link, check, connections, expect, records, sh, stop

ASKED = 500


def live_equals_file(link, program, folder):
    live, file, dump = (os.path.join(folder, name) for name in ("live.json", "file.json", "dump.pcap"))
    tcpdump = link.tcpdump(dump)
    finwait = link.listen(program, "-o", f"json={live}")
    link.talk("reach", NOWHERE, PORT)
    made = link.talk("ask", SERVER, PORT, ASKED)
    time.sleep(1.5)
    link.talk("reach", SERVER, 1)  # the last frame: both know how far time went
    time.sleep(0.2)
    status, _, err = stop(finwait)
    check(status == 0, status, err)
    wait_until_settled(dump)
    said = stop(tcpdump)[2]
    check("\n0 packets dropped by kernel" in said, "tcpdump itself has lost frames, the file is no measure:", said)
    subprocess.run([program, "-r", dump, "-o", f"json={file}"], check=True, timeout=60)
    ours, theirs = records(live), records(file)
    by_key = {key(record): record for record in connections(theirs)}
    check(len(by_key) == len(connections(theirs)) == len(connections(ours)) == ASKED + 2, len(connections(ours)), len(by_key))
    faults = [f"{key(record)}{line}" for record in connections(ours) for line in differences(record, by_key[key(record)])]
    check(not faults, f"{len(faults)} differences:", "\n".join(faults[:20]))
    endings = collections.Counter((c["opening"], c["ending"]) for c in connections(ours))
    # The client's own counts; besides: one attempt at each end of it.
    check(endings["three-way", "graceful"] == made["polite"] + made["half_closed"], endings, made)
    check(endings["three-way", "reset"] + endings["three-way", "reset-after-fin"] == made["reset_by_server"] + made["reset_by_client"], endings)
    check(endings["refused", "refused"] == made["refused"] + 1, endings)
    check(sum(1 for c in connections(ours) if c["opening"] == "unanswered" or c["ending"] == "open") == 1, endings)
    frames = ours[-1]["frames"]
    check(frames["received"] == frames["read"] and frames["dropped_by_kernel"] == frames["freezes"] == 0, frames)
    check(frames["read"] == sum(frames[f] for f in ("tcp", "other_ip", "not_ip", "fragment", "truncated", "malformed", "filtered", "table_full")))


def what_is_in_a_tunnel_equals_the_file(link, program, folder):
    """Each end of the tunnel has ports of its own, so the directions of what is inside come on different rings of a group."""
    live, file, dump = (os.path.join(folder, name) for name in ("tunnel.json", "tunnel-file.json", "tunnel.pcap"))
    inner = "10.81.0.2"
    for name, interface, here, there, address in ((link.left, "l0", CLIENT, SERVER, "10.81.0.1"), (link.right, "r0", SERVER, CLIENT, inner)):
        made = sh("ip", "-n", name, "link", "add", "t0", "type", "vxlan", "id", "5", "dev", interface, "local", here, "remote", there,
                  "dstport", "4789", check=False)
        if made.returncode != 0:
            return print("what_is_in_a_tunnel_equals_the_file: left out, the kernel has no VXLAN")
        sh("ip", "-n", name, "addr", "add", f"{address}/24", "dev", "t0")
        sh("ip", "-n", name, "link", "set", "t0", "up")
    server = link.server(inner)
    tcpdump = link.tcpdump(dump)
    finwait = link.listen(program, "--stats", "-o", f"json={live}", "udp")
    made = link.talk("ask", inner, PORT, ASKED)
    time.sleep(1.5)
    status, _, err = stop(finwait)
    check(status == 0, status, err)
    wait_until_settled(dump)
    said = stop(tcpdump)[2]
    check("\n0 packets dropped by kernel" in said, "tcpdump itself has lost frames, the file is no measure:", said)
    subprocess.run([program, "-r", dump, "-o", f"json={file}", "udp"], check=True, timeout=60)
    ours, theirs = connections(records(live)), connections(records(file))
    by_key = {key(record): record for record in theirs}
    check(len(ours) == len(theirs) == sum(made.values()) == ASKED, len(ours), len(theirs), made)
    faults = [f"{key(record)}{line}" for record in ours for line in differences(record, by_key[key(record)])]
    check(not faults, f"{len(faults)} differences:", "\n".join(faults[:20]))
    rings = [int(n.replace(",", "")) for n in re.findall(r"ring \d of l0: received ([\d,]+)", err)]
    check(not rings or sum(n > ASKED / 10 for n in rings) > 1, "on several rings:", rings)
    server.kill()
    for name in (link.left, link.right):
        sh("ip", "-n", name, "link", "del", "t0")


def kernel_states(link):
    """How many sockets of each namespace are in each state, as ss tells; TIME-WAIT of the left end is no socket any more but still there."""
    count = collections.Counter()
    for name in (link.left, link.right):
        for line in link.inside(name, "ss", "-H", "-t", "-a", "-n").stdout.splitlines():
            state = line.split()[0]
            if state != "LISTEN":
                count[{"ESTAB": "ESTABLISHED"}.get(state, state)] += 1
    return count


def our_states(finwait):
    finwait.send_signal(signal.SIGUSR1)
    line = expect(finwait.stderr, "packets received")
    return collections.Counter({state: int(n.replace(",", "")) for state, n in re.findall(r"([A-Z][A-Z0-9-]+) ([\d,]+)", line)})


def states_equal_the_kernels(link, program, folder):
    finwait = link.listen(program, "-o", "json=/dev/null")
    talker = link.start(link.left, sys.executable, os.path.join(os.path.dirname(__file__), "talk.py"), "hold", SERVER, str(PORT), "40",
                        stdin=subprocess.PIPE)
    expect(talker.stdout, "holding")
    time.sleep(0.3)
    kernel, ours = kernel_states(link), our_states(finwait)
    check(ours["ESTABLISHED"] == kernel["ESTABLISHED"] == 80, ours, kernel)
    talker.stdin.close()
    talker.wait(timeout=5)
    time.sleep(0.3)
    kernel, ours = kernel_states(link), our_states(finwait)
    check(ours["ESTABLISHED"] == kernel["ESTABLISHED"] == 0, ours, kernel)
    # Those of the connections before are in the kernel's count too.
    check(ours["TIME-WAIT"] == 40 and kernel["TIME-WAIT"] >= 40, ours, kernel)
    check(stop(finwait)[0] == 0)


def time_goes_on_by_itself(link, program, folder):
    out = os.path.join(folder, "tick.json")
    finwait = link.listen(program, "--syn-timeout", "1s", "-o", f"json={out}", "dst", NOWHERE)
    link.talk("reach", NOWHERE, PORT)
    end = time.monotonic() + 6
    while not (found := connections(records(out))) and time.monotonic() < end:
        time.sleep(0.1)
    check([c["opening"] for c in found] == ["unanswered"], "told before anything else arrives:", found)
    check(stop(finwait)[0] == 0)


def open_connections_are_written(link, program, folder):
    out = os.path.join(folder, "open.json")
    finwait = link.listen(program, "-o", f"json={out}", "tcp", "port", str(PORT))
    talker = link.start(link.left, sys.executable, os.path.join(os.path.dirname(__file__), "talk.py"), "hold", SERVER, str(PORT), "25",
                        stdin=subprocess.PIPE)
    expect(talker.stdout, "holding")
    status, _, err = stop(finwait, signal.SIGTERM)
    check(status == 0, status, err)
    check([c["ending"] for c in connections(records(out))] == ["open"] * 25)
    talker.stdin.close()
    talker.wait(timeout=5)


def selected_packets_are_written(link, program, folder):
    out, chosen = os.path.join(folder, "chosen.json"), os.path.join(folder, "chosen.pcapng")
    finwait = link.listen(program, "--only", "reset,reset-after-fin", "-w", chosen, "-o", f"json={out}", "-o", "summary")
    made = link.talk("ask", SERVER, PORT, 50)
    time.sleep(0.3)
    status, _, err = stop(finwait)
    check(status == 0 and "held" not in err, status, err)
    again = subprocess.run([program, "-r", chosen, "-o", "json"], check=True, timeout=60, capture_output=True, text=True).stdout
    ours, theirs = connections(records(out)), connections(map(json.loads, again.splitlines()))
    check(len(ours) == len(theirs) == made["reset_by_server"] + made["reset_by_client"], len(ours), len(theirs))
    by_key = {key(record): record for record in theirs}
    faults = [f"{key(record)}{line}" for record in ours for line in differences(record, by_key[key(record)])]
    check(not faults, "\n".join(faults[:20]))
    with open(chosen, "rb") as f:
        check(f.read().count(b"reset-established: ") > 0, "the findings stand beside their packets")


def main():
    program = os.path.abspath(sys.argv[1])
    link = Link(sys.argv[2:])
    server = link.server()
    with tempfile.TemporaryDirectory() as folder:
        for test in (live_equals_file, what_is_in_a_tunnel_equals_the_file, states_equal_the_kernels, time_goes_on_by_itself,
                     open_connections_are_written, selected_packets_are_written):
            test(link, program, folder)
            print(f"{test.__name__}: as it should be")
    server.kill()


if __name__ == "__main__":
    main()
