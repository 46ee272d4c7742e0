#!/usr/bin/env python3
"""Captures of hosts in trouble, with known numbers: one for each kind of finding about a host, and some that must give none.

usage: make_troubles.py FOLDER

Writes FOLDER/NAME.pcap for each and FOLDER/truth.json: for each name a list of findings, {"kind", "ip", "port", "numbers"}; an empty list means that
nothing must be found (isn-quality aside). Numbers of initial sequence numbers are what a keyed hash gives, where nothing else is said. All
random numbers come from one seed.
"""
import hashlib
import json
import os
import random
import struct
import sys

FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
MS = 10**6
SECOND = 10**9
START = 1_700_000_000 * SECOND
LISTENER = "10.0.0.1"


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def address(text):
    return bytes(int(part) for part in text.split("."))


class Capture:
    def __init__(self):
        self.frames = []
        self.ids = 0

    def segment(self, at, source, target, flags, seq, ack=0, payload=0, options=b""):
        """One segment of (ip, port) to (ip, port), `at` nanoseconds after the start."""
        tcp = struct.pack(">HHIIBBHHH", source[1], target[1], seq % 2**32, ack % 2**32, (20 + len(options)) << 2, flags, 65535, 0, 0) + options
        data = tcp + bytes(payload)
        self.ids += 1
        head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(data), self.ids % 65535 + 1, 0, 64, 6, 0, address(source[0]), address(target[0]))
        head = head[:10] + struct.pack(">H", checksum(head)) + head[12:]
        pseudo = head[12:20] + struct.pack(">BBH", 0, 6, len(data))
        total = checksum(pseudo + data + (b"\0" if len(data) % 2 else b""))
        data = data[:16] + struct.pack(">H", total) + data[18:]
        self.frames.append((START + at, len(self.frames), bytes(12) + b"\x08\0" + head + data))

    def write(self, path):
        with open(path, "wb") as file:
            file.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1))
            for time, _, data in sorted(self.frames):
                file.write(struct.pack("<IIII", time // SECOND, time % SECOND, len(data), len(data)) + data)


def number(a, b, salt=0):
    """An initial sequence number that nobody can guess."""
    return int.from_bytes(hashlib.sha256(f"{a}{b}{salt}".encode()).digest()[:4], "big")


RICH = bytes([2, 4, 5, 180, 4, 2, 1, 3, 3, 7, 1, 1])  # what an operating system's own SYN brings
BARE = bytes([2, 4, 5, 180])


class Connection:
    """A conversation from its SYN on; each step takes a millisecond."""

    def __init__(self, capture, at, client, server, isn=None):
        self.c, self.at, self.client, self.server = capture, at, client, server
        self.a = number(client, server)
        self.b = number(server, client) if isn is None else isn

    def send(self, from_client, flags, payload=0, lost=False, after=MS):
        """Moves the sender's number, whether the capture has the segment or lost it."""
        self.at += after
        one, two = (self.client, self.server) if from_client else (self.server, self.client)
        seq, ack = (self.a, self.b) if from_client else (self.b, self.a)
        if not lost:
            self.c.segment(self.at, one, two, flags, seq, ack if flags & ACK else 0, payload, RICH if flags & SYN else b"")
        step = payload + (1 if flags & (SYN | FIN) else 0)
        self.a, self.b = (self.a + step, self.b) if from_client else (self.a, self.b + step)
        return self

    def open(self):
        return self.send(True, SYN, after=0).send(False, SYN | ACK).send(True, ACK)

    def talk(self, size=200):
        return self.send(True, ACK | PSH, size).send(False, ACK | PSH, size).send(True, ACK)

    def half_close(self, by_client):
        return self.send(by_client, FIN | ACK).send(not by_client, ACK)

    def close(self, by_client):
        return self.half_close(by_client).send(not by_client, FIN | ACK).send(by_client, ACK)

    def repeat_syn_ack(self, after):
        self.at += after
        self.c.segment(self.at, self.server, self.client, SYN | ACK, self.b - 1, self.a, 0, RICH)
        return self


def ordinary(capture, count, until, server=(LISTENER, 80), first=0):
    """Connections with data that end well: the server closes, so nobody's ports are held."""
    for n in range(count):
        client = (f"10.1.{(first + n) // 250}.{(first + n) % 250 + 1}", 40000 + n % 20000)
        Connection(capture, until * n // max(count, 1), client, server).open().talk().close(False)


def syn_flood(cookies):
    capture = Capture()
    ordinary(capture, 40, 30 * SECOND)
    for n in range(3000):  # 100 a second
        connection = Connection(capture, n * 10 * MS, (f"172.16.{n // 250}.{n % 250 + 1}", 1024 + n), (LISTENER, 80))
        connection.send(True, SYN, after=0).send(False, SYN | ACK)
        if not cookies:
            connection.repeat_syn_ack(SECOND).repeat_syn_ack(2 * SECOND)
    ordinary(capture, 1, 0, ("10.0.0.9", 9), 900)
    Connection(capture, 60 * SECOND, ("10.1.9.9", 5000), (LISTENER, 80)).open().talk().close(False)
    return capture, [{"kind": "syn-flood", "ip": LISTENER, "port": 80,
                      "numbers": {"half_open": 3000, "half_open_at_once": 3000, "per_second": 100, "share": 3000 / 3041, "syn_cookies": int(cookies)}}]


def accept_queue_overflow():
    capture = Capture()
    ordinary(capture, 120, 30 * SECOND)
    for n in range(80):  # for 24 s of the 30
        connection = Connection(capture, n * 300 * MS, (f"10.2.0.{n + 1}", 41000 + n), (LISTENER, 80)).open()
        connection.repeat_syn_ack(SECOND).send(True, ACK).talk().close(False)
    return capture, [{"kind": "accept-queue-overflow", "ip": LISTENER, "port": 80, "numbers": {"connections": 80, "share": 80 / (80 + 96)}}]


def scan(technique, vertical):
    capture = Capture()
    rng = random.Random(1)
    ordinary(capture, 40, 30 * SECOND)
    refused = answered = 0
    for n in range(500):
        me = ("10.9.9.9", 30000 + n)
        target = (LISTENER, 1000 + n) if vertical else (f"10.5.{n // 250}.{n % 250 + 1}", 445)
        at = n * 20 * MS + rng.randrange(MS)
        isn = number(me, target)
        flags = {"syn": SYN, "connect": SYN, "fin": FIN, "null": 0, "xmas": FIN | PSH | URG}[technique]
        capture.segment(at, me, target, flags, isn, 0, 0, {"syn": BARE, "connect": RICH}.get(technique, b""))
        if technique in ("syn", "connect") and n % 50 == 25:
            b = number(target, me)
            answered += 1
            capture.segment(at + MS, target, me, SYN | ACK, b, isn + 1, 0, RICH)
            if technique == "connect":
                capture.segment(at + 2 * MS, me, target, ACK, isn + 1, b + 1)
                capture.segment(at + 3 * MS, me, target, RST | ACK, isn + 1, b + 1)
            else:
                capture.segment(at + 2 * MS, me, target, RST, isn + 1)
        elif n % 2 == 0:
            refused += 1
            capture.segment(at + MS, target, me, RST | ACK, 0, isn + (1 if flags & (SYN | FIN) else 0))
    numbers = {"ports" if vertical else "hosts": 500, "probes": 500}
    if technique in ("syn", "connect"):
        numbers.update(refused=refused, answered=answered)
    word = {"syn": "SYN", "connect": "connect", "fin": "FIN", "null": "null", "xmas": "Xmas"}[technique]
    return capture, [{"kind": "port-scan", "ip": "10.9.9.9", "numbers": numbers, "text": f"by {word}"}]


def time_wait_pressure():
    capture = Capture()
    for n in range(20000):  # 500 a second, each held 60 s; Linux's range of 28 232 ports
        Connection(capture, n * 2 * MS, ("10.3.0.1", 32768 + n * 7 % 28232), (LISTENER, 80)).open().talk().close(True)
    return capture, [{"kind": "time-wait-pressure", "ip": "10.3.0.1", "numbers": {
        "held_at_once": 20000, "range": 28232, "share": 20000 / 28232, "per_second": 500, "seconds_until_exhausted": 28232 / 500 - 40}}]


def leak(close_wait):
    capture = Capture()
    ordinary(capture, 100, 600 * SECOND, first=500)
    for n in range(120):  # 12 a minute
        client = (f"10.4.0.{n + 1}" if close_wait else "10.4.0.1", 42000 + n)
        server = (LISTENER, 80) if close_wait else (f"10.6.0.{n + 1}", 80)
        Connection(capture, n * 5 * SECOND, client, server).open().talk().half_close(True)
    Connection(capture, 800 * SECOND, ("10.1.9.9", 5000), (LISTENER, 80)).open().talk().close(False)
    where = {"ip": LISTENER, "port": 80} if close_wait else {"ip": "10.4.0.1"}
    return capture, [{"kind": "close-wait-leak" if close_wait else "fin-wait-2-leak", **where, "numbers": {"stuck": 120, "ever": 120, "per_minute": 12}}]


def reset_rate():
    capture = Capture()
    ordinary(capture, 100, 60 * SECOND)
    for n in range(150):  # 200 a minute
        Connection(capture, n * 300 * MS, (f"10.7.0.{n + 1}", 43000 + n), (LISTENER, 80)).open().talk().send(False, RST | ACK)
    return capture, [{"kind": "reset-rate", "ip": LISTENER, "port": 80, "numbers": {"resets": 150, "connections": 250, "share": 0.6, "per_minute": 200}}]


def retransmission_rate():
    capture = Capture()
    for n in range(50):  # the listener sends SYN-ACK, 20 segments and its FIN's ACK and FIN; 4 of them twice
        connection = Connection(capture, n * SECOND, (f"10.8.0.{n + 1}", 44000 + n), (LISTENER, 80)).open().send(True, ACK | PSH, 100)
        for k in range(20):
            connection.send(False, ACK | PSH, 1000)
            if k % 5 == 0:
                capture.segment(connection.at + 300 * MS, connection.server, connection.client, ACK | PSH, connection.b - 1000, connection.a, 1000)
                connection.at += 300 * MS
            connection.send(True, ACK)
        connection.close(False)
    return capture, [{"kind": "retransmission-rate", "ip": LISTENER, "port": 80,
                      "numbers": {"retransmitted": 200, "segments": 50 * 27, "share": 200 / (50 * 27), "connections": 50}}]


def isn_repeated():
    capture = Capture()
    for n in range(64):  # one of eight numbers, drawn anew each time
        connection = Connection(capture, n * SECOND, (f"10.10.0.{n + 1}", 45000 + n), (LISTENER, 80), number("pool", n * n * 31 % 61 % 8))
        connection.open().talk().close(False)
    return capture, [{"kind": ("isn-repeated", "isn-predictable"), "ip": LISTENER, "port": 80, "numbers": {}}]


def isn_predictable():
    capture = Capture()
    for n in range(64):
        Connection(capture, n * SECOND, (f"10.10.0.{n + 1}", 45000 + n), (LISTENER, 80), n * 64000).open().talk().close(False)
    return capture, [{"kind": "isn-predictable", "ip": LISTENER, "port": 80, "numbers": {}}]


def capture_loss():
    capture = Capture()
    for n in range(100):  # of 20 segments of 1000 bytes one is acknowledged and not there
        connection = Connection(capture, n * 100 * MS, (f"10.11.0.{n + 1}", 46000 + n), (LISTENER, 80)).open()
        for k in range(20):
            connection.send(False, ACK | PSH, 1000, lost=k == 7).send(True, ACK)
        connection.close(False)
    return capture, [{"kind": "capture-loss", "numbers": {"missing_bytes": 100000, "share": 0.05, "connections": 100}}]


def clean():
    capture = Capture()
    ordinary(capture, 2000, 300 * SECOND)
    return capture, []


def below_thresholds():
    """A little of everything that has innocent causes."""
    capture = Capture()
    ordinary(capture, 2000, 300 * SECOND)
    for n in range(60):
        at, client = n * 5 * SECOND, (f"10.12.0.{n + 1}", 47000 + n)
        connection = Connection(capture, at, client, (LISTENER, 80))
        if n % 4 == 0:  # clients that vanish
            connection.send(True, SYN, after=0).send(False, SYN | ACK).repeat_syn_ack(SECOND)
        elif n % 4 == 1:  # clients that abort
            connection.open().talk().send(True, RST | ACK)
        elif n % 4 == 2 and n < 30:  # clients that half-close for good
            connection.open().talk().half_close(True)
        else:  # one that tries a service that is down, again and again
            capture.segment(at, ("10.12.0.250", 48000 + n), (LISTENER, 81), SYN, number(at, n), 0, 0, RICH)
            capture.segment(at + MS, (LISTENER, 81), ("10.12.0.250", 48000 + n), RST | ACK, 0, number(at, n) + 1)
    return capture, []


TROUBLES = {
    "syn-flood": lambda: syn_flood(False),
    "syn-flood-cookies": lambda: syn_flood(True),
    "accept-queue-overflow": accept_queue_overflow,
    **{f"{way}-scan-{technique}": lambda technique=technique, way=way: scan(technique, way == "vertical")
       for technique in ("syn", "connect", "fin", "null", "xmas") for way in ("vertical", "horizontal")},
    "time-wait-pressure": time_wait_pressure,
    "close-wait-leak": lambda: leak(True),
    "fin-wait-2-leak": lambda: leak(False),
    "reset-rate": reset_rate,
    "retransmission-rate": retransmission_rate,
    "isn-repeated": isn_repeated,
    "isn-predictable": isn_predictable,
    "capture-loss": capture_loss,
    "clean": clean,
    "below-thresholds": below_thresholds,
}


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    os.makedirs(sys.argv[1], exist_ok=True)
    truth = {}
    for name, make in TROUBLES.items():
        capture, truth[name] = make()
        capture.write(os.path.join(sys.argv[1], name + ".pcap"))
    with open(os.path.join(sys.argv[1], "truth.json"), "w", encoding="utf-8") as file:
        json.dump(truth, file, indent=1)


if __name__ == "__main__":
    main()
