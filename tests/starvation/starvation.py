#!/usr/bin/env python3
"""Lets the k-th allocation of the program fail, for many k: starvation.py FINWAIT_STARVED [--all] [--sample N] [--only CASE]

Each case is run once as it is, which counts its allocations, and then with one of them failing, and again with all from that one on. Each
time the program has to end by itself within seconds, in one of two ways: with exit status 1 and one line on standard error that names
memory, or as if nothing had happened, with the same output (a buffer that it can do without). The sample is the same every time.
"""
import argparse
import concurrent.futures
import gzip
import os
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile

PCAPS = pathlib.Path(__file__).resolve().parents[2] / "pcaps"
SECONDS = 60


def fragments():
    """A pcap (raw IP) of a SYN in two fragments, and its answer."""
    tcp = struct.pack("!HHIIBBHHH", 40000, 80, 1000, 0, 0xA0, 2, 8192, 0, 0) + bytes(20)
    answer = struct.pack("!HHIIBBHHH", 80, 40000, 7000, 1001, 0x50, 0x14, 0, 0, 0)
    ends = (b"\x0a\0\0\1", b"\x0a\0\0\2")

    def packet(payload, source, field):
        return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 9, field, 64, 6, 0) + ends[source] + ends[1 - source] + payload
    packets = (packet(tcp[:24], 0, 0x2000), packet(tcp[24:], 0, 3), packet(answer, 1, 0))
    return struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101) + b"".join(
        struct.pack("<IIII", 1, n, len(p), len(p)) + p for n, p in enumerate(packets))


def as_zstd(data):
    """A frame with a window of 128 KiB and one raw block."""
    return b"\x28\xb5\x2f\xfd\x00\x38" + (len(data) << 3 | 1).to_bytes(3, "little") + data


def as_lz4(data):
    """A frame with one block that is not compressed."""
    return b"\x04\x22\x4d\x18\x60\x40\x82" + struct.pack("<I", len(data) | 1 << 31) + data + bytes(4)


def make_cases(folder):
    small = PCAPS / "kernel_half_close.pcap"
    made = {"c.pcap.gz": gzip.compress(small.read_bytes(), mtime=0), "c.pcap.zst": as_zstd(small.read_bytes()),
            "c.pcap.lz4": as_lz4(small.read_bytes()), "f.pcap": fragments(), "filter": b"tcp and not port 1"}
    for name, data in made.items():
        (folder / name).write_bytes(data)
    rotated = folder / "rotated"
    rotated.mkdir()
    for name in ("kernel_reset.pcap", "kernel_normal_close.pcap", "README.md"):
        shutil.copy(PCAPS / name, rotated)
    gz, zstd, lz4, fragmented = (str(folder / name) for name in made if name != "filter")
    cases = {
        "summary": [str(PCAPS / "reset.pcapng"), "-v", "--stats"],
        "json": [str(small), "-o", "json", "tcp or icmp"],
        "events": [str(small), "-o", "events"],
        "zeek": [gz, "-o", "zeek", "--local-nets", "10.0.0.0/8"],
        "eve": [zstd, "-o", "eve"],
        "zeek-json": [lz4, "-o", "zeek-json"],
        "fragments": [fragmented, "-o", "json"],
        "folder": [str(rotated), "-v"],
        "threads": [fragmented, "-t", "3", "-o", "json"],
        "write": [str(PCAPS / "reset.pcapng"), "-w", "OUT", "-o", "json"],
        "explain": [str(small), "--explain", "1"],
        "reopened": [str(PCAPS / "reuse.pcapng"), "-o", "events"],
        "only": [str(small), "--only", "three-way,syn-ack-retransmitted", "--idle", "5m"],
        "filter file": [str(small), "-F", str(folder / "filter")],
    }
    cases = {name: ["-r"] + words for name, words in cases.items()}
    cases["describe"] = ["--describe", "syn-ack-retransmitted"]
    return cases


class Case:
    def __init__(self, program, folder, name, words):
        self.program, self.folder, self.name, self.words = program, folder, name, words
        self.usual, self.count = self.run_usual()

    def run(self, mark, environment):
        """Exit status, standard output, standard error and what -w wrote."""
        out = self.folder / f"{self.name}_{mark}.pcapng"
        words = [str(out) if word == "OUT" else word for word in self.words]
        command = [self.program, "-q", "--seed", "1", "--max-connections", "1024", *words]
        environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0", **environment}
        run = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=SECONDS,
                             env=environment, check=False)
        written = out.read_bytes() if out.exists() else b""
        out.unlink(missing_ok=True)
        return run.returncode, [without_machine(run.stdout), without_machine(run.stderr), written]

    def run_usual(self):
        counted = self.folder / f"{self.name}.count"
        status, said = self.run("usual", {"FINWAIT_COUNT_ALLOCATIONS": str(counted)})
        if status != 0:
            raise SystemExit(f"{self.name}: fails with all the memory it wants: {said[1].decode(errors='replace')}")
        return said, int(counted.read_text())

    def fault(self, which, from_there):
        """What is wrong when the allocation `which` fails; empty if nothing."""
        environment = {"FINWAIT_FAILING_ALLOCATION": str(which)}
        if from_there:
            environment["FINWAIT_FAILING_FROM_THERE"] = "1"
        try:
            status, said = self.run(f"{which}_{from_there}", environment)
        except subprocess.TimeoutExpired:
            return f"not done after {SECONDS} s"
        complaint = said[1].decode(errors="replace")
        if status == 0 and said == self.usual:
            return ""
        named = "memory" in complaint.lower()
        if status == 1 and named and complaint.count("\n") == 1 and complaint.startswith("finwait: "):
            return ""
        return f"exit status {status}, said {complaint.strip()[-300:]!r}"


def without_machine(said):
    """What depends on the machine's clock and memory is taken out."""
    lines = []
    for line in said.splitlines(keepends=True):
        at = line.find(b'"performance"')
        lines.append(line[:at] if at >= 0 else b"" if b" packets/s" in line or b"eak memory" in line or b"MiB" in line else line)
    return b"".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--all", action="store_true", help="every allocation instead of a sample")
    parser.add_argument("--sample", type=int, default=150, help="how many of each case")
    parser.add_argument("--only", help="one case")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    failures = runs = 0
    with tempfile.TemporaryDirectory(prefix="finwait_starved_") as name, concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        folder = pathlib.Path(name)
        for label, words in make_cases(folder).items():
            if args.only and label != args.only:
                continue
            case = Case(args.program, folder, label, words)
            every = range(1, case.count + 1)
            chosen = every if args.all else sorted(random.Random(label).sample(every, min(args.sample, case.count)))
            trials = [(which, from_there) for which in chosen for from_there in (False, True)]
            faults = list(pool.map(lambda trial: case.fault(*trial), trials))
            runs += len(trials)
            for (which, from_there), fault in zip(trials, faults):
                if fault:
                    failures += 1
                    print(f"{label}: allocation {which} of {case.count}{' and all after it' if from_there else ''}: {fault}")
            print(f"{label}: {case.count} allocations, {len(trials)} runs")
    print(f"{runs} runs, {failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
