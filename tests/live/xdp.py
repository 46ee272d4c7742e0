#!/usr/bin/env python3
"""xdp.py PROGRAM: --capture-method xdp on an interface that receives nothing but a mirror of a link.

The link is between l0 and r0, as everywhere here. What l0 sends and receives is sent out of m0 as well, and m1 at the other end of that
receives it, on four queues, and has no address.
"""
import datetime
import os
import signal
import subprocess
import sys
import tempfile
import time

from link import PORT, SERVER, Link, check, connections, expect, finished, records, sh, skip, stop

XDP = ("--capture-method", "xdp")
SCRIPT = os.path.join(os.path.dirname(__file__), "mirror.py")
QUEUES = "4"


def script(link, where, *words):
    return link.inside(where, sys.executable, SCRIPT, *words)


def make_mirror(link):
    many = ("numrxqueues", QUEUES, "numtxqueues", QUEUES)
    sh("ip", "link", "add", "m0", "netns", link.left, *many, "type", "veth", "peer", "name", "m1", "netns", link.right, *many)
    for name, interface in ((link.left, "m0"), (link.right, "m1")):
        link.inside(name, "sh", "-c", f"echo 1 >/proc/sys/net/ipv6/conf/{interface}/disable_ipv6; true")
        sh("ip", "-n", name, "link", "set", interface, "up", "arp", "off")
    for name, interface in ((link.left, "l0"), (link.right, "r0")):
        sh("ip", "-n", name, "link", "set", interface, "gso_max_segs", "1")  # a mirror has frames, not super-segments


def mirror(link):
    process = link.start(link.left, sys.executable, SCRIPT, "copy", "l0", "m0")
    expect(process.stdout, "mirroring")
    return process


def listen(link, program, *words):
    return link.listen(program, *XDP, *words, where=link.right, interface="m1")


def skip_where_it_cannot_be(link, program):
    tried = subprocess.run(["ip", "netns", "exec", link.right, program, "-i", "nosuch0", *XDP], capture_output=True, text=True, timeout=20)
    if "built without libxdp" in tried.stderr:
        skip(tried.stderr.strip())
    process = link.start(link.right, program, "-i", "m1", *XDP, "--user", "root", "-o", "json=/dev/null", "-c", "1")
    time.sleep(0.5)
    if process.poll() is not None and "this kernel has no AF_XDP" in (said := process.stderr.read()):
        skip(said.strip())
    process.kill()
    process.wait()


def is_attached(link):
    return "xdp" in sh("ip", "-n", link.right, "link", "show", "m1").stdout


def alike(connection):
    """A connection without what differs between two captures of the same packets: their numbers and their times."""
    ends = [{k: v for k, v in connection[end].items() if not isinstance(v, float)} for end in ("originator", "responder")]
    return (connection["opening"], connection["ending"], connection["history"], connection["conn_state"], ends,
            sorted(anomaly["kind"] for anomaly in connection["anomalies"]))


def seconds(stamp):
    return datetime.datetime.fromisoformat(stamp[:26]).timestamp()  # to the microsecond


def pairs(found, other):
    def by_ports(records_of):
        return sorted(connections(records_of), key=lambda c: (c["originator"]["port"], c["start"]))

    check(len(connections(found)) == len(connections(other)), len(connections(found)), len(connections(other)))
    return list(zip(by_ports(found), by_ports(other)))


def sees_what_a_ring_sees(link, program, folder):
    """Also while the program is held up: the stamps are from when a packet came, not from when it was read."""
    out, ring = os.path.join(folder, "xdp.json"), os.path.join(folder, "ring.json")
    finwait = listen(link, program, "-o", f"json={out}", "tcp")
    other = link.listen(program, "-o", f"json={ring}", "tcp", interface="m0")
    copying = mirror(link)
    made = link.talk("ask", SERVER, PORT, 100)
    finwait.send_signal(signal.SIGSTOP)
    link.talk("burst", SERVER, PORT, 20)
    time.sleep(0.6)
    finwait.send_signal(signal.SIGCONT)
    time.sleep(1.5)
    check(stop(copying)[0] == 0)
    status, _, err = stop(finwait)
    check(status == 0 and stop(other)[0] == 0, status, err)
    found, expected = records(out), records(ring)
    check(len(connections(found)) == sum(made.values()) + 20, len(connections(found)), made)
    for one, same in pairs(found, expected):
        check(alike(one) == alike(same), alike(one), alike(same))
        check(abs(seconds(one["start"]) - seconds(same["start"])) < 0.1, one["start"], same["start"])
    for key in ("read", "tcp", "not_ip", "filtered"):
        check(found[-1]["frames"][key] == expected[-1]["frames"][key], key, found[-1]["frames"], expected[-1]["frames"])
    check(found[-1]["capture"]["time_went_back"] == 0, found[-1]["capture"])


def takes_packets_away_as_long_as_it_runs(link, program, folder):
    """However it ends: the kernel takes the program off with the process, which is nobody by then."""
    for number, ending in enumerate((signal.SIGINT, signal.SIGKILL)):
        out = os.path.join(folder, f"beside{number}.json")
        beside = link.listen(program, "-o", f"json={out}", where=link.right, interface="m1")
        process = link.start(link.right, program, "-i", "m1", *XDP, "-o", "json", "vlan", "and", "dst", "port", "9")
        expect(process.stderr, "listening on")
        check(is_attached(link))
        link.talk("frame", SERVER, 9, "m0", 1)
        link.talk("frame", SERVER, 10, "m0", 2)  # not selected, and taken all the same
        time.sleep(0.2)
        status, text, err = stop(process, ending)
        if ending == signal.SIGINT:
            check(status == 0 and text.count('"type":"connection"') == 1, status, text, err)
        check(not is_attached(link), ending)
        link.talk("frame", SERVER, 9, "m0", 3)
        time.sleep(0.2)
        check(stop(beside)[0] == 0)
        check([c["vlan"] for c in connections(records(out))] == [[3]], records(out))


def what_is_dropped_is_counted(link, program, folder):
    out = os.path.join(folder, "loss.json")
    finwait = listen(link, program, "-B", "128", "-o", f"json={out}", "tcp")
    copying = mirror(link)
    link.talk("burst", SERVER, PORT, 10)
    time.sleep(0.3)
    finwait.send_signal(signal.SIGSTOP)
    link.talk("ask", SERVER, PORT, 200)
    finwait.send_signal(signal.SIGCONT)
    time.sleep(1.5)
    link.talk("burst", SERVER, PORT, 10)
    time.sleep(0.3)
    sent = int(stop(copying)[1].split()[-1])
    status, _, err = stop(finwait)
    check(status == 0 and "packets were dropped for want of room: give more of it (-B 512)" in err, status, err)
    found = records(out)
    frames = found[-1]["frames"]
    check(frames["received"] == sent == frames["read"] + frames["dropped_by_kernel"], sent, frames)
    check(frames["dropped_by_kernel"] > 0 and frames["freezes"] > 0, frames)
    check(frames["dropped_by_interface"] == 0, "counted once, whatever the driver says", frames)
    doubtful = [a for c in connections(found) for a in c["anomalies"] if a["kind"] != "connection-refused"]
    check(doubtful and all("capture" in a["origin"] for a in doubtful), [a for a in doubtful if "capture" not in a["origin"]][:3])


def tags_in_the_frame_are_seen(link, program, folder):
    out = os.path.join(folder, "vlan.json")
    finwait = listen(link, program, "-o", f"json={out}")
    expect(finwait.stderr, "m1: VLAN tags that the device takes off are not seen by XDP: ethtool -K m1 rxvlan off")
    link.talk("frame", SERVER, 9, "m0")
    link.talk("frame", SERVER, 9, "m0", 7)
    time.sleep(0.2)
    check(stop(finwait)[0] == 0)
    check(sorted(c.get("vlan", []) for c in connections(records(out))) == [[], [7]], records(out))


def goes_down_and_comes_back(link, program, folder):
    out = os.path.join(folder, "flap.json")
    finwait = listen(link, program, "-o", f"json={out}")
    link.talk("frame", SERVER, 9, "m0", 1)
    for _ in range(2):
        sh("ip", "-n", link.right, "link", "set", "m1", "down")
        expect(finwait.stderr, "m1: is down; waiting for it")
        sh("ip", "-n", link.right, "link", "set", "m1", "up")
        expect(finwait.stderr, "m1: is up again")
    link.talk("frame", SERVER, 9, "m0", 2)
    time.sleep(0.2)
    status, _, err = stop(finwait)
    check(status == 0, status, err)
    check(sorted(c["vlan"] for c in connections(records(out))) == [[1], [2]], records(out))


def a_driver_that_cannot_is_passed_by(link, program, folder):
    """A virtual link refuses when its other end has more queues; then packets come the slower way. Of queues that come up later nobody reads."""
    out = os.path.join(folder, "slow.json")
    script(link, link.right, "queues", "m1", "1", QUEUES)
    finwait = listen(link, program, "-o", f"json={out}")
    expect(finwait.stderr, "m1: its driver cannot do XDP as it is set up")
    for tag in range(1, 5):
        link.talk("frame", SERVER, 9, "m0", tag)
    for name, interface in ((link.left, "m0"), (link.right, "m1")):
        sh("ip", "-n", name, "link", "set", interface, "mtu", "9000")
    script(link, link.left, "frame", "m0", "5000")
    expect(finwait.stderr, "m1: packets longer than 1792 bytes are dropped; turn offloads off")
    script(link, link.right, "queues", "m1", QUEUES, QUEUES)
    for tag in range(5, 70):
        link.talk("frame", SERVER, 9, "m0", tag)
    expect(finwait.stderr, "m1: packets come on a queue that was not there at the start")
    status, _, err = stop(finwait)
    for name, interface in ((link.left, "m0"), (link.right, "m1")):
        sh("ip", "-n", name, "link", "set", interface, "mtu", "1500")
    check(status == 0, status, err)
    found = records(out)
    seen = {c["vlan"][0] for c in connections(found)}
    check({1, 2, 3, 4} <= seen and len(seen) < 69, seen)
    frames = found[-1]["frames"]
    check(frames["received"] == 70 == frames["read"] + frames["dropped_by_kernel"], frames)


def is_refused_where_it_would_do_harm(link, program, folder):
    def refused(interface, line):
        told = subprocess.run(["ip", "netns", "exec", link.right, program, "-i", interface, *XDP], capture_output=True, text=True, timeout=20)
        check(told.returncode == 1 and told.stderr.startswith(f"finwait: {line}") and told.stderr.count("\n") == 1, told)

    away = "XDP would take its packets away from this host, which uses it"
    refused("r0", f"r0: {away} (it has an address)")
    refused("lo", "lo: XDP is for Ethernet")
    refused("any", "any: XDP takes the packets of interfaces that are named")
    refused("nosuch0", "nosuch0: no such interface")
    sh("ip", "-n", link.right, "link", "add", "v0", "link", "m1", "type", "macvlan", check=False)
    if sh("ip", "-n", link.right, "link", "show", "v0", check=False).returncode == 0:
        refused("m1", f"m1: {away} (it is part of v0)")
        sh("ip", "-n", link.right, "link", "del", "v0")
    first = listen(link, program, "-o", "json=/dev/null")
    refused("m1", "m1: another program has its packets by AF_XDP already")
    check(stop(first)[0] == 0)
    for name, interface in ((link.left, "m0"), (link.right, "m1")):
        sh("ip", "-n", name, "link", "set", interface, "mtu", "9000")
    refused("m1", "m1: its MTU is 9000, and XDP takes frames of an MTU up to 3822")
    for name, interface in ((link.left, "m0"), (link.right, "m1")):
        sh("ip", "-n", name, "link", "set", interface, "mtu", "1500")


def vanishes(link, program, folder):
    out = os.path.join(folder, "gone.json")
    finwait = listen(link, program, "-o", f"json={out}")
    link.talk("frame", SERVER, 9, "m0", 1)
    time.sleep(0.2)
    sh("ip", "-n", link.right, "link", "del", "m1")
    status, _, err = finished(finwait)
    check(status == 1 and err.count("finwait: m1: the interface is gone\n") == 1, status, err)
    check([c["vlan"] for c in connections(records(out))] == [[1]])


TESTS = (sees_what_a_ring_sees, takes_packets_away_as_long_as_it_runs, what_is_dropped_is_counted, tags_in_the_frame_are_seen,
         goes_down_and_comes_back, a_driver_that_cannot_is_passed_by, is_refused_where_it_would_do_harm, vanishes)


def main():
    program = os.path.abspath(sys.argv[1])
    link = Link(sys.argv[2:])
    make_mirror(link)
    skip_where_it_cannot_be(link, program)
    server = link.server()
    with tempfile.TemporaryDirectory() as folder:
        for test in TESTS:
            test(link, program, folder)
            print(f"{test.__name__}: as it should be", flush=True)
    server.kill()


if __name__ == "__main__":
    main()
