#!/usr/bin/env python3
"""Do to a capture what captures suffer: lose, repeat and swap packets, keep one direction, cut head, tail or payload.

usage: surgery.py OPERATION[:VALUE]... IN.pcap OUT.pcap

  drop:P          lose each packet with probability P (0.01 is 1 %)
  burst:P         lose the same share in bursts of ten on average
  duplicate:P     write a packet twice with probability P, 20 microseconds apart
  swap:P          exchange a packet with the next one with probability P (stamps stay in order)
  direction:low   keep only the packets of the lower address (or: high)
  head:S, tail:S  cut the first or the last S seconds
  snap:N          keep N bytes of each packet
  seed:N          of the random numbers; default 1

Reads and writes classic pcap with Ethernet frames, either byte order, micro- or nanoseconds. Prints the share of the TCP payload that was
lost.
"""
import random
import struct
import sys

MAGIC = {0xA1B2C3D4: 10**6, 0xA1B23C4D: 10**9}


class Packet:
    __slots__ = ("time", "data", "length")

    def __init__(self, time, data, length):
        self.time, self.data, self.length = time, data, length


def read(path):
    """(header, packets); times in nanoseconds."""
    with open(path, "rb") as file:
        raw = file.read()
    order = "<" if struct.unpack("<I", raw[:4])[0] in MAGIC else ">"
    unit = MAGIC.get(struct.unpack(order + "I", raw[:4])[0])
    if unit is None:
        raise ValueError(f"{path} is not a classic pcap file")
    packets, at = [], 24
    while at + 16 <= len(raw):
        seconds, fraction, captured, length = struct.unpack(order + "IIII", raw[at:at + 16])
        packets.append(Packet(seconds * 10**9 + fraction * (10**9 // unit), raw[at + 16:at + 16 + captured], length))
        at += 16 + captured
    return struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, struct.unpack(order + "I", raw[20:24])[0]), packets


def write(path, header, packets):
    with open(path, "wb") as file:
        file.write(header)
        for packet in packets:
            seconds, nanoseconds = divmod(packet.time, 10**9)
            file.write(struct.pack("<IIII", seconds, nanoseconds, len(packet.data), packet.length))
            file.write(packet.data)


def ip_of(packet):
    """Offset and version of the IP header; (0, 0) if it is none."""
    at = 14
    kind = packet.data[12:14]
    while kind in (b"\x81\x00", b"\x88\xa8"):
        kind = packet.data[at + 2:at + 4]
        at += 4
    version = {b"\x08\x00": 4, b"\x86\xdd": 6}.get(kind, 0)
    return (at, version) if version else (0, 0)


def payload(packet):
    """Bytes of TCP payload on the wire; 0 if it is no TCP."""
    at, version = ip_of(packet)
    data = packet.data
    if version == 4 and data[at + 9] == 6:
        size = (data[at] & 15) * 4
        total = struct.unpack(">H", data[at + 2:at + 4])[0]
    elif version == 6 and data[at + 6] == 6:
        size = 40
        total = struct.unpack(">H", data[at + 4:at + 6])[0] + 40
    else:
        return 0
    return max(0, total - size - (data[at + size + 12] >> 4) * 4)


def from_low(packet):
    at, version = ip_of(packet)
    if version == 4:
        return packet.data[at + 12:at + 16] < packet.data[at + 16:at + 20]
    return packet.data[at + 8:at + 24] < packet.data[at + 24:at + 40]


def drop(packets, share, rng):
    return [packet for packet in packets if rng.random() >= share]


def burst(packets, share, rng, mean=10):
    """Gilbert's two states: bad ones last `mean` packets, so that `share` of all is lost."""
    kept, bad = [], False
    enter = share / (mean * (1 - share))
    for packet in packets:
        bad = rng.random() >= 1 / mean if bad else rng.random() < enter
        if not bad:
            kept.append(packet)
    return kept


def duplicate(packets, share, rng):
    out = []
    for packet in packets:
        out.append(packet)
        if rng.random() < share:
            out.append(Packet(packet.time + 20_000, packet.data, packet.length))
    return sorted(out, key=lambda packet: packet.time)


def swap(packets, share, rng):
    out = [Packet(packet.time, packet.data, packet.length) for packet in packets]
    n = 0
    while n + 1 < len(out):
        if rng.random() < share:
            out[n], out[n + 1] = out[n + 1], out[n]
            out[n].time, out[n + 1].time = out[n + 1].time, out[n].time
            n += 1
        n += 1
    return out


def operate(packets, operations):
    """Packets after operations [(name, value)]."""
    rng = random.Random(int(dict(operations).get("seed", 1)))
    for name, value in operations:
        if name == "drop":
            packets = drop(packets, float(value), rng)
        elif name == "burst":
            packets = burst(packets, float(value), rng)
        elif name == "duplicate":
            packets = duplicate(packets, float(value), rng)
        elif name == "swap":
            packets = swap(packets, float(value), rng)
        elif name == "direction":
            packets = [packet for packet in packets if from_low(packet) == (value == "low")]
        elif name == "head":
            packets = [packet for packet in packets if packet.time >= packets[0].time + float(value) * 1e9]
        elif name == "tail":
            packets = [packet for packet in packets if packet.time <= packets[-1].time - float(value) * 1e9]
        elif name == "snap":
            packets = [Packet(packet.time, packet.data[:int(value)], packet.length) for packet in packets]
        elif name != "seed":
            raise ValueError(f"no such operation: {name}")
    return packets


def lost_share(before, after):
    whole = sum(payload(packet) for packet in before)
    return 1 - sum(payload(packet) for packet in after) / whole if whole else 0.0


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    header, packets = read(sys.argv[-2])
    try:
        after = operate(packets, [tuple(word.split(":", 1)) for word in sys.argv[1:-2]])
    except ValueError as error:
        sys.exit(f"surgery.py: {error}")
    write(sys.argv[-1], header, after)
    print(f"{len(packets)} packets, {len(after)} after; {100 * lost_share(packets, after):.3f} % of the payload lost")


if __name__ == "__main__":
    main()
