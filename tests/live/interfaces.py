#!/usr/bin/env python3
"""interfaces.py PROGRAM [OPTION...]: interfaces that misbehave, several of them, VLANs, super-segments, and who may not capture."""
import json
import os
import pwd
import subprocess
import sys
import tempfile
import time

from link import CLIENT, PORT, SERVER, Link, check, connections, expect, finished, records, sh, stop

BIG = 3_000_000


def goes_down_and_comes_back(link, program, folder):
    out = os.path.join(folder, "flap.json")
    finwait = link.listen(program, "-o", f"json={out}", "tcp")
    link.talk("burst", SERVER, PORT, 5)
    sh("ip", "-n", link.right, "link", "set", "r0", "mtu", "9000")
    sh("ip", "-n", link.left, "link", "set", "l0", "mtu", "9000")
    expect(finwait.stderr, "l0: its MTU changed from 1500 to 9000")
    for _ in range(2):
        sh("ip", "-n", link.left, "link", "set", "l0", "down")
        expect(finwait.stderr, "l0: is down")
        sh("ip", "-n", link.left, "link", "set", "l0", "up")
        expect(finwait.stderr, "l0: is up again")
    sh("ip", "-n", link.left, "neigh", "replace", SERVER, "lladdr", link.hardware(link.right, "r0"), "dev", "l0", "nud", "permanent")
    sh("ip", "-n", link.left, "route", "replace", "10.78.0.0/24", "via", SERVER)
    link.talk("burst", SERVER, PORT, 5)
    time.sleep(0.2)
    status, _, err = stop(finwait)
    check(status == 0, status, err)
    check([c["ending"] for c in connections(records(out))] == ["graceful"] * 10)


def super_segments_are_whole(link, program, folder):
    out = os.path.join(folder, "big.json")
    finwait = link.listen(program, "-o", f"json={out}")
    check(link.talk("big", SERVER, PORT, BIG) == BIG)
    time.sleep(0.2)
    check(stop(finwait)[0] == 0)
    found = records(out)
    big = connections(found)[0]
    check(big["responder"]["payload_bytes"] - big["responder"]["retransmitted_bytes"] == BIG, big["responder"])
    sent = big["responder"]
    truly = sent["retransmitted_segments"] or sent["out_of_order"]  # processors of a busy machine overtake each other on a virtual link too
    check(sent["missing_bytes"] == 0 and (truly or not [a for a in big["anomalies"] if a["kind"] != "half-close"]), big)
    check(big["responder"]["packets"] < BIG / 9000, "segments larger than the MTU")
    check(found[-1]["frames"]["malformed"] == found[-1]["frames"]["truncated"] == 0, found[-1]["frames"])


def vlan_tags_are_seen(link, program, folder):
    out, chosen = os.path.join(folder, "vlan.json"), os.path.join(folder, "chosen.json")
    right = {"where": link.right, "interface": "r0"}
    everything = link.listen(program, "-o", f"json={out}", "dst", "port", "9", "or", "vlan", **right)
    tagged = link.listen(program, "-o", f"json={chosen}", "vlan", "7", "and", "tcp", **right)
    others = link.listen(program, "-o", f"json={chosen}.others", "tcp", "dst", "port", "9", **right)  # as in a file: what has a tag is none
    link.talk("frame", SERVER, 9, "l0")
    link.talk("frame", SERVER, 9, "l0", 7)
    link.talk("frame", SERVER, 9, "l0", 8)
    time.sleep(0.2)
    check(stop(everything)[0] == stop(tagged)[0] == stop(others)[0] == 0)
    check(sorted(c.get("vlan", []) for c in connections(records(out))) == [[], [7], [8]], records(out))
    check([c["vlan"] for c in connections(records(chosen))] == [[7]])
    check([c.get("vlan", []) for c in connections(records(chosen + ".others"))] == [[]])


def loopback_shows_each_packet_once(link, program, folder):
    for interface in ("lo", "any"):
        out = os.path.join(folder, f"{interface}.json")
        finwait = link.listen(program, "-o", f"json={out}", "tcp", where=link.right, interface=interface)
        script = os.path.join(os.path.dirname(__file__), "talk.py")
        link.inside(link.right, sys.executable, script, "burst", SERVER, str(PORT), "1")
        time.sleep(0.2)
        check(stop(finwait)[0] == 0)
        (only,) = connections(records(out))
        check(only["ending"] == "graceful" and only["originator"]["syn"] == 1 and not only["anomalies"], interface, only)


def several_are_one(link, program, folder):
    """Two links of one host: what comes on either is in one output, in the order of time."""
    out = os.path.join(folder, "several.json")
    sh("ip", "link", "add", "l1", "netns", link.left, "type", "veth", "peer", "name", "r1", "netns", link.right)
    for name, interface, address in ((link.left, "l1", "10.80.0.1"), (link.right, "r1", "10.80.0.2")):
        sh("ip", "-n", name, "addr", "add", f"{address}/24", "dev", interface)
        sh("ip", "-n", name, "link", "set", interface, "up")
    finwait = link.listen(program, "-i", "l1", "-o", f"json={out}", "tcp")
    for _ in range(10):
        link.talk("reach", "10.80.0.2", 1)
        link.talk("reach", SERVER, 1)
    time.sleep(0.3)
    sh("ip", "-n", link.left, "link", "del", "l1")
    expect(finwait.stderr, "l1: the interface is gone; going on with the others")
    link.talk("reach", SERVER, 1)
    time.sleep(0.3)
    status, _, err = stop(finwait)
    check(status == 1 and "l1: the interface is gone" in err, status, err)
    found = records(out)
    got = [c["responder"]["ip"] for c in sorted(connections(found), key=lambda c: c["start"])]
    check(got == ["10.80.0.2", SERVER] * 10 + [SERVER], got)
    check(found[-1]["capture"]["interfaces"] == ["l0", "l1"] and found[-1]["capture"]["time_went_back"] == 0, found[-1]["capture"])


def who_may_not_is_told_what_to_do(link, program, folder):
    nobody = pwd.getpwnam("nobody").pw_uid
    told = subprocess.run(["setpriv", f"--reuid={nobody}", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all", program, "-i", "lo"],
                          capture_output=True, text=True, timeout=20)
    if "ermission denied" in told.stderr and "finwait:" not in told.stderr:
        print("who_may_not_is_told_what_to_do: left out, the program is not to be reached by others")
        return
    check(told.returncode == 1 and told.stderr.startswith("finwait: lo: no permission to capture: run as root"), told.stderr)
    check("sudo setcap cap_net_raw+ep " in told.stderr and told.stderr.count("\n") == 1, told.stderr)


def what_is_not_there_is_told(link, program, folder):
    for words, line in ((["-i", "nosuch0"], "finwait: nosuch0: no such interface; finwait -D lists them\n"),
                        (["-i", "any", "-i", "lo"], "finwait: any: has every interface already; leave the others out\n")):
        told = subprocess.run(["ip", "netns", "exec", link.left, program, *words], capture_output=True, text=True, timeout=20)
        check(told.returncode == 1 and told.stderr == line, told)


def vanishes(link, program, folder):
    out = os.path.join(folder, "gone.json")
    finwait = link.listen(program, "-o", f"json={out}", "tcp")
    link.talk("burst", SERVER, PORT, 3)
    sh("ip", "-n", link.left, "link", "del", "l0")
    status, _, err = finished(finwait)
    check(status == 1 and err.count("finwait: l0: the interface is gone\n") == 1, status, err)
    check([c["ending"] for c in connections(records(out))] == ["graceful"] * 3)


TESTS = (goes_down_and_comes_back, super_segments_are_whole, vlan_tags_are_seen, loopback_shows_each_packet_once, several_are_one,
         who_may_not_is_told_what_to_do, what_is_not_there_is_told, vanishes)


def main():
    program = os.path.abspath(sys.argv[1])
    link = Link(sys.argv[2:])
    server = link.server()
    with tempfile.TemporaryDirectory() as folder:
        for test in TESTS:
            test(link, program, folder)
            print(f"{test.__name__}: as it should be", flush=True)
    server.kill()


if __name__ == "__main__":
    main()
