#!/usr/bin/env python3
"""record_kernel.py [FOLDER]: captures of what the Linux kernel really does, for pcaps/.

Makes two network namespaces joined by a veth pair, runs short TCP scenarios between them with ordinary sockets, and records one capture a
scenario. Needs root, ip, tc and tcpdump. Touches nothing outside its namespaces and removes them at the end, whatever happens.
"""
import ctypes
import os
import signal
import socket
import struct
import subprocess
import sys
import time

LEFT, RIGHT = f"finwait-l{os.getpid()}", f"finwait-r{os.getpid()}"
CLIENT, SERVER, NOBODY = "192.0.2.1", "192.0.2.2", "192.0.2.77"
CLONE_NEWNET = 0x40000000


def sh(*command, check=True):
    return subprocess.run(command, check=check, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE if check else subprocess.DEVNULL)


def namespaces():
    """Returns whether the way between them takes ten milliseconds: without it, nothing crosses."""
    delayed = False
    for name in (LEFT, RIGHT):
        sh("ip", "netns", "add", name)
    sh("ip", "link", "add", "fw0", "netns", LEFT, "type", "veth", "peer", "name", "fw1", "netns", RIGHT)
    for name, device, address in ((LEFT, "fw0", CLIENT), (RIGHT, "fw1", SERVER)):
        sh("ip", "-n", name, "addr", "add", address + "/24", "dev", device)
        sh("ip", "-n", name, "link", "set", device, "up")
        sh("ip", "-n", name, "link", "set", "lo", "up")
        # Segments as they would be on a wire, and right checksums.
        sh("ip", "netns", "exec", name, "ethtool", "-K", device, "tx", "off", "tso", "off", "gso", "off", "gro", "off", check=False)
        delayed = sh("ip", "netns", "exec", name, "tc", "qdisc", "add", "dev", device, "root", "netem", "delay", "10ms", check=False).returncode == 0
    # Somebody who is there for ARP, but never answers: a black hole.
    sh("ip", "-n", LEFT, "neigh", "add", NOBODY, "lladdr", "02:00:00:00:00:77", "dev", "fw0")
    return delayed


def remove():
    for name in (LEFT, RIGHT):
        sh("ip", "netns", "del", name, check=False)


def enter(name):
    """This process moves into a namespace. Sockets keep the one they were made in."""
    with open(f"/run/netns/{name}", "rb") as f:
        if ctypes.CDLL(None, use_errno=True).setns(f.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")


def tcp(name, address=None, port=0):
    enter(name)
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if address:
        s.bind((address, port))
    s.settimeout(10)
    return s


def listener(port):
    s = tcp(RIGHT, SERVER, port)
    s.listen(8)
    return s


def pair(port):
    """A client and the server's accepted socket."""
    waiting = listener(port)
    client = tcp(LEFT, CLIENT)
    client.connect((SERVER, port))
    server, _ = waiting.accept()
    waiting.close()
    return client, server


def linger_reset(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


def normal_close():
    c, s = pair(8001)
    c.sendall(b"GET / HTTP/1.0\r\n\r\n")
    s.recv(100)
    s.sendall(b"x" * 5000)
    got = 0
    while got < 5000:
        got += len(c.recv(5000))
    c.close()
    while s.recv(100):
        pass
    s.close()


def half_close():
    c, s = pair(8002)
    c.sendall(b"all I have to say")
    c.shutdown(socket.SHUT_WR)
    while s.recv(100):
        pass
    for _ in range(5):
        time.sleep(0.4)
        s.sendall(b"y" * 300)
        c.recv(300)
    s.close()
    c.recv(1)
    c.close()


def simultaneous_close():
    c, s = pair(8003)
    c.shutdown(socket.SHUT_WR)
    s.shutdown(socket.SHUT_WR)
    time.sleep(0.2)
    c.close()
    s.close()


def reset():
    c, s = pair(8004)
    c.sendall(b"hello")
    s.recv(10)
    linger_reset(c)
    time.sleep(0.1)
    s.close()


def closed_with_pending_data():
    c, s = pair(8005)
    c.sendall(b"never read")
    time.sleep(0.1)
    s.close()
    time.sleep(0.1)
    c.close()


def refused():
    c = tcp(LEFT, CLIENT)
    try:
        c.connect((SERVER, 8006))
    except ConnectionRefusedError:
        pass
    c.close()


def black_hole():
    c = tcp(LEFT, CLIENT)
    c.settimeout(4)
    try:
        c.connect((NOBODY, 8007))
    except OSError:
        pass
    c.close()


def simultaneous_open():
    a, b = tcp(LEFT, CLIENT, 8008), tcp(RIGHT, SERVER, 8009)
    for s in (a, b):
        s.setblocking(False)
    a.connect_ex((SERVER, 8009))
    b.connect_ex((CLIENT, 8008))
    time.sleep(0.3)
    for s in (a, b):
        s.close()


SCENARIOS = [normal_close, half_close, reset, closed_with_pending_data, refused, black_hole]
CROSSINGS = [simultaneous_close, simultaneous_open]


def record(scenario, folder):
    path = os.path.join(folder, f"kernel_{scenario.__name__}.pcap")
    tap = subprocess.Popen(["ip", "netns", "exec", LEFT, "tcpdump", "-i", "fw0", "-s", "128", "--immediate-mode", "-Z", "root", "-U", "-w", path, "tcp or icmp"],
                           stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    tap.stderr.readline()  # "listening on ..."
    try:
        scenario()
        time.sleep(0.5)
    finally:
        tap.send_signal(signal.SIGINT)
        tap.wait()
        enter(LEFT)
    print(path, os.path.getsize(path), "bytes")


def main():
    if os.geteuid() != 0:
        sys.exit("record_kernel.py: needs root to make network namespaces")
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "pcaps")
    folder = os.path.abspath(folder)
    try:
        delayed = namespaces()
        if not delayed:
            print("no tc netem here: nothing will cross, left out:", *(s.__name__ for s in CROSSINGS))
        for scenario in SCENARIOS + (CROSSINGS if delayed else []):
            record(scenario, folder)
    except subprocess.CalledProcessError as e:
        sys.exit(f"record_kernel.py: {' '.join(e.cmd)}: {e.stderr.decode().strip()}")
    finally:
        remove()


if __name__ == "__main__":
    main()
