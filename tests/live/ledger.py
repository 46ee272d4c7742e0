"""What an output has told, held against what was made, while both go on: in memory that does not grow.

Files that the program has done with are read, counted and taken away. What cannot be right is kept, with its line and its frames.
"""
import datetime
import glob
import json
import os
import shutil
import struct
import subprocess
import tempfile

from link import PORT, check

MOST_ODD = 20  # then it is of no use to go on
EARLY = 0.5  # seconds: the kernel's stamp of a frame against this process's clock


class Frames:
    """The link's last minutes, beside the program: a ring of files. Without tcpdump there are none."""

    def __init__(self, link, folder):
        self.pattern = os.path.join(folder, "ring.pcap")
        self.process = None
        if shutil.which("tcpdump") is not None:
            self.process = link.tcpdump(self.pattern, "-Z", "root", "-s", "128", "-C", "10", "-W", "12", "tcp", "port", str(PORT))

    def keep(self, port, into):
        for n, path in enumerate(sorted(glob.glob(self.pattern + "*")) if self.process else ()):
            kept = f"{into}.{n}.pcap"
            subprocess.run(["tcpdump", "-r", path, "-w", kept, "port", str(port)], capture_output=True, timeout=60)
            if os.path.exists(kept) and os.path.getsize(kept) <= 24:  # the file's head alone
                os.remove(kept)


class Evidence:
    """A folder that stays, made when there is something to keep."""

    def __init__(self, frames):
        self.frames = frames
        self.found = []
        self.folder = None

    def add(self, what, text, port):
        self.folder = self.folder or tempfile.mkdtemp(prefix="soak-evidence-")
        name = os.path.join(self.folder, str(len(self.found)))
        with open(name + ".txt", "w") as f:
            f.write(f"{what}\n{text}\n")
        self.frames.keep(port, name)
        self.found.append(what)
        check(len(self.found) < MOST_ODD, "too much is wrong:", self.text())

    def text(self):
        return f"{'; '.join(self.found)}; kept in {self.folder}"


class Ledger:
    """The connections that were made and that one output has not told yet."""

    def __init__(self, name, evidence):
        self.name = name
        self.evidence = evidence
        self.told = 0
        self.missing = {}  # by port: (begin, end) of each time it was used

    def made(self, ports, begin, end):
        for port in ports:
            self.missing.setdefault(port, []).append((begin - EARLY, end))

    def tell(self, port, start, text):
        self.told += 1
        times = self.missing.get(port, [])
        fitting = next((time for time in times if time[0] <= start <= time[1]), None)
        if fitting is None:
            return self.evidence.add(f"{self.name} has a connection of port {port} at {start:.6f} that was not made then, or is told twice", text, port)
        times.remove(fitting)
        if not times:
            del self.missing[port]

    def close(self):
        for port, times in sorted(self.missing.items()):
            for begin, _ in times:
                self.evidence.add(f"{self.name} has no connection of port {port} after {begin + EARLY:.6f}", "", port)


def done_with(process, pattern):
    """The files that the program does not have open any more. They are listed before that is looked at: one that is made meanwhile is not among them."""
    paths = glob.glob(pattern)
    in_use = set()
    for number in os.listdir(f"/proc/{process.pid}/fd") if process.poll() is None else ():
        try:
            in_use.add(os.readlink(f"/proc/{process.pid}/fd/{number}"))
        except FileNotFoundError:
            pass
    return [path for path in paths if path not in in_use]


def take_json(path, ledger):
    with open(path) as f:
        for line in f:
            check(line.endswith("\n"), path, "is not whole")
            record = json.loads(line)
            if record["type"] == "summary":
                check(record["frames"]["dropped_by_kernel"] == 0, "dropped:", line)
            if record["type"] == "connection" and record["responder"]["port"] == PORT:
                if record["ending"] not in ("graceful", "open", "final-ack-missing", "closing"):
                    ledger.evidence.add(f"{ledger.name} has an odd ending", line, record["originator"]["port"])
                start = datetime.datetime.fromisoformat(record["start"][:26] + "+00:00").timestamp()
                ledger.tell(record["originator"]["port"], start, line)
            elif record["type"] == "connection":
                ledger.evidence.add(f"{ledger.name} has a connection that nobody made", line, record["originator"]["port"])


def take_zeek(path, ledger):
    line = first = None
    with open(path) as f:
        for line in f:
            first = first or line
            if not line.startswith("#"):
                words = line.split("\t")
                ledger.tell(int(words[3]), float(words[0]), line)
    # Empty: moved away before there was anything to tell.
    check(line is None or first.startswith("#separator") and line.startswith("#close") and line.endswith("\n"), path, "is not whole")


def take_events(path, counts):
    with open(path) as f:
        for line in f:
            check(line.endswith("\n"), path, "is not whole")
            event = json.loads(line)
            if event["type"] == "transition":
                counts[event["end"], event["to"]] += 1


def take_pcapng(path, counts):
    """Its blocks, each of the length that both its ends tell."""
    with open(path, "rb") as f:
        while head := f.read(8):
            kind, length = struct.unpack("<II", head)
            body = f.read(length - 8)
            check(len(body) == length - 8 and struct.unpack("<I", body[-4:])[0] == length, path, "is not whole")
            counts["packets"] += kind == 6
