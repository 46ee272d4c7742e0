"""Two network namespaces with a virtual link between them, and the program listening on one end of it.

Nothing outside the namespaces is touched, and they are gone when the test is over. Without the privilege to make them the test is skipped.
"""
import atexit
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time

SKIPPED = 77
CLIENT, SERVER = "10.77.0.1", "10.77.0.2"
NOWHERE = "10.78.0.1"  # routed, and answered by nobody
PORT = 8080
TALK = os.path.join(os.path.dirname(__file__), "talk.py")
QUEUES = ("numtxqueues", "4", "numrxqueues", "4")


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def sh(*words, check=True):
    return subprocess.run(words, check=check, capture_output=True, text=True, timeout=20)


class Link:
    """`left` and `right` are the namespaces' names; the ends of the link are called l0 and r0, and have queues for several rings. `options`
    are given to the program whenever it listens.

    Whoever talks over the link does so on one processor: frames that two processors hand over at the same moment may stand in one order in one
    listener's memory and in another in the next's, and then what is said of them differs too (an ACK before or after the RST it crossed)."""

    def __init__(self, options=()):
        self.options = list(options)
        self.on_one_processor = ("taskset", "--cpu-list", str(min(os.sched_getaffinity(0))))
        if os.geteuid() != 0 or shutil.which("ip") is None:
            skip("needs root and iproute2 for network namespaces")
        self.left, self.right = f"fwlive{os.getpid()}l", f"fwlive{os.getpid()}r"
        atexit.register(self.remove)
        for name in (self.left, self.right):
            if sh("ip", "netns", "add", name, check=False).returncode != 0:
                skip("no network namespaces here")
        if sh("ip", "link", "add", "l0", "netns", self.left, *QUEUES, "type", "veth", "peer", "name", "r0", "netns", self.right, *QUEUES,
              check=False).returncode != 0:
            skip("no virtual links here")
        for name, interface, address in ((self.left, "l0", CLIENT), (self.right, "r0", SERVER)):
            # No addresses of IPv6: their multicast would move the clock when nothing else does.
            self.inside(name, "sh", "-c", "for f in all default l0 r0; do echo 1 >/proc/sys/net/ipv6/conf/$f/disable_ipv6; done 2>/dev/null; true")
            sh("ip", "-n", name, "addr", "add", f"{address}/24", "dev", interface)
            sh("ip", "-n", name, "link", "set", interface, "up")
            sh("ip", "-n", name, "link", "set", "lo", "up")
        sh("ip", "-n", self.left, "route", "add", "10.78.0.0/24", "via", SERVER)
        sh("ip", "-n", self.left, "neigh", "replace", SERVER, "lladdr", self.hardware(self.right, "r0"), "dev", "l0", "nud", "permanent")
        sh("ip", "-n", self.right, "neigh", "replace", CLIENT, "lladdr", self.hardware(self.left, "l0"), "dev", "r0", "nud", "permanent")

    @staticmethod
    def hardware(name, interface):
        return json.loads(sh("ip", "-n", name, "-j", "link", "show", interface).stdout)[0]["address"]

    @staticmethod
    def inside(name, *words):
        return sh("ip", "netns", "exec", name, *words)

    def remove(self):
        for name in (self.left, self.right):
            sh("ip", "netns", "del", name, check=False)

    def start(self, name, *words, **more):
        """A process in a namespace, ended with the test."""
        process = subprocess.Popen(["ip", "netns", "exec", name, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)
        atexit.register(process.kill)
        return process

    def server(self, address=SERVER):
        process = self.start(self.right, *self.on_one_processor, sys.executable, TALK, "serve", address, str(PORT))
        expect(process.stdout, "serving")
        return process

    def talk(self, *words):
        """Makes connections from the left; returns what talk.py counted."""
        out = sh("ip", "netns", "exec", self.left, *self.on_one_processor, sys.executable, TALK, *map(str, words)).stdout
        return json.loads(out) if out.strip() else None

    def listen(self, program, *words, where=None, interface="l0"):
        # The folders of tests belong to root alone; capabilities and system calls are given up all the same.
        process = self.start(where or self.left, program, "-i", interface, "--user", "root", *self.options, *words)
        process.said = expect(process.stderr, "listening on")
        return process

    def tcpdump(self, path, *words):
        if shutil.which("tcpdump") is None:
            skip("needs tcpdump")
        # Not in immediate mode: then libpcap's ring has one place for each frame, as large as the largest, and 16 MiB are 64 frames.
        process = self.start(self.left, "tcpdump", "-n", "-U", "-B", "16384", "--time-stamp-precision=nano", "-i", "l0", "-w", path, *words)
        expect(process.stderr, "listening on")
        return process


_read = {}  # by stream: what came and was not yet looked at


def expect(stream, words, seconds=10):
    """Reads until the words are there, up to the end of their line; returns what was read."""
    end = time.monotonic() + seconds
    text = _read.pop(stream, "")
    while words not in text or "\n" not in text[text.index(words):]:
        left = end - time.monotonic()
        more = os.read(stream.fileno(), 65536).decode() if left > 0 and select.select([stream], [], [], left)[0] else ""
        check(more, f"never said {words!r}, but: {text}")
        text += more
    cut = text.index("\n", text.index(words)) + 1
    _read[stream] = text[cut:]
    return text[:cut]


def stop(process, with_signal=signal.SIGINT, seconds=20):
    """Ends the process; returns status, standard output and the rest of standard error."""
    process.send_signal(with_signal)
    return finished(process, seconds)


def finished(process, seconds=20):
    """Waits for the end of the process; returns as stop() does."""
    before = _read.pop(process.stderr, "")
    out, err = process.communicate(timeout=seconds)
    return process.returncode, out, before + err


def records(path):
    with open(path) as f:
        return [json.loads(line) for line in f]


def connections(found):
    return [record for record in found if record["type"] == "connection"]


def check(true, *what):
    if not true:
        raise AssertionError(" ".join(str(w) for w in what))
