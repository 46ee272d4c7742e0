"""The live screen in a real terminal (tmux's) over a link between two namespaces: screen.py PROGRAM [OPTION...].

Every page shows the traffic that the test makes, the screen follows the size of its window, and whatever ends the program leaves the
terminal as it was. Skipped without root, iproute2 or tmux.
"""
import fcntl
import itertools
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import termios
import time

import link
from link import PORT, SERVER, check

_terminals = itertools.count()
LEFT_OVER = b"\x1b[?1049l"  # a terminal's way back from its second screen


class Screen:
    """A terminal of 80 by 24 with the program in it."""

    def __init__(self, lan, program, env="LANG=C.UTF-8"):
        self.tmux = ["tmux", "-L", f"fwscreen{os.getpid()}{next(_terminals)}", "-f", "/dev/null"]
        run = f"env {env} ip netns exec {lan.left} {program} -i l0 {' '.join(lan.options)}; echo status $?; exec sleep 60"
        subprocess.run(self.tmux + ["new-session", "-d", "-x", "80", "-y", "24", "-s", "s", run], check=True, timeout=20)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(self.tmux + ["kill-server"], capture_output=True, timeout=20)

    def press(self, *keys):
        subprocess.run(self.tmux + ["send-keys", "-t", "s", *keys], check=True, timeout=20)

    def resize(self, columns, rows):
        subprocess.run(self.tmux + ["resize-window", "-t", "s", "-x", str(columns), "-y", str(rows)], check=True, timeout=20)

    def text(self):
        return subprocess.run(self.tmux + ["capture-pane", "-p", "-t", "s"], capture_output=True, text=True, timeout=20).stdout

    def see(self, pattern, seconds=10):
        """Waits until the screen shows it, or is as a function of its text wants it."""
        true = pattern if callable(pattern) else lambda text: re.search(pattern, text)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            text = self.text()
            if true(text):
                return text
            time.sleep(0.1)
        raise AssertionError(f"never showed {pattern!r}, but:\n{text}")


def number(text, words):
    found = re.search(words + r"\s+([\d,]+)", text)
    check(found, f"no {words!r} in:\n{text}")
    return int(found.group(1).replace(",", ""))


def walk_through_pages(lan, program):
    with Screen(lan, program) as screen:
        screen.see(r"finwait  l0 .*packets/s")
        screen.see("1 overview")
        made = lan.talk("ask", SERVER, PORT, 50)
        refused = made["refused"]
        text = screen.see(rf"begun\s+{sum(made.values())}\b")
        text = screen.see(rf"failed\s+{refused}\b")
        check(number(text, "opened") == sum(made.values()) - refused, text)
        check(number(text, "TIME-WAIT") > 0, text)
        check("dropped 0 of" in text, text)
        screen.press("2")
        screen.see(rf" 40 .* 10\.77\.0\.1 > 10\.77\.0\.2:{PORT}")
        screen.press("Enter")
        text = screen.see(rf"only: 10\.77\.0\.1 > 10\.77\.0\.2:{PORT}")
        check(":1\n" not in text, "the filter lets others through:\n" + text)
        screen.press("Escape", "/")
        screen.press("-l", "time-w")
        screen.press("Enter")
        text = screen.see("only: time-w")
        screen.press("Enter")
        screen.see(r"connection \d+  10\.77\.0\.1")
        text = screen.see(r"ESTABLISHED > FIN-WAIT-1, proven")
        screen.press("Escape", "?")
        screen.see("end the capture")
        screen.press("?", "Escape", "3")
        screen.see("by trouble")
        screen.press("5", "Space")
        screen.see("HELD")
        screen.resize(120, 40)
        screen.see(lambda text: "HELD" in text.split("\n")[39] and text.split("\n")[2].endswith("q quit") and len(text.split("\n")[2]) > 110)
        screen.resize(40, 10)
        screen.see(lambda text: "HELD" in text.split("\n")[9] and "dropped 0 of" in text.split("\n")[1])
        screen.resize(80, 24)
        screen.press("1")
        screen.see("the latest anomalies")
        screen.press("q")
        text = screen.see("status 0", 20)
        check("the latest anomalies" not in text, "the screen was left behind:\n" + text)


def follow_a_ladder(lan, program):
    with Screen(lan, program) as screen:
        screen.see("1 overview")
        held = lan.start(lan.left, sys.executable, os.path.join(os.path.dirname(__file__), "talk.py"), "hold", SERVER, str(PORT), "1",
                         stdin=subprocess.PIPE)
        screen.press("4")
        screen.see(rf"ESTAB    ESTAB    10\.77\.0\.1:\d+ > 10\.77\.0\.2:{PORT}")
        screen.press("Enter")
        screen.see("none yet")
        held.stdin.close()
        held.wait(timeout=20)
        screen.press("G")
        text = screen.see(r"--> \[F\.\].*")
        check(re.search(r"<-- \[F?\.\]", text), text)
        screen.press("q")
        screen.see("status 0", 20)


def speak_ascii(lan, program):
    with Screen(lan, program, "LC_ALL=C NO_COLOR=1") as screen:
        screen.see("1 overview")
        screen.press("2")
        text = screen.see("vbytes/s")
        check(text.isascii(), text)
        screen.press("q")
        screen.see("status 0", 20)


def run_in_pty(lan, program, end):
    """What the program wrote, its status, and the modes of the terminal before and after."""
    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    process = subprocess.Popen(["ip", "netns", "exec", lan.left, program, "-i", "l0"], stdin=slave, stdout=slave, stderr=subprocess.PIPE,
                               env={**os.environ, "TERM": "xterm", "LANG": "C.UTF-8"}, start_new_session=True,
                               preexec_fn=lambda: fcntl.ioctl(slave, termios.TIOCSCTTY, 0))
    try:
        written = b""
        limit = time.monotonic() + 20
        ended = False
        while time.monotonic() < limit and process.poll() is None:
            if select.select([master], [], [], 0.1)[0]:
                written += os.read(master, 65536)
            if not ended and b"quit" in written:
                ended = True
                end(process, master)
        status = process.wait(timeout=5)
        while select.select([master], [], [], 0.1)[0]:
            written += os.read(master, 65536)
        check(ended, "the screen never came")
        return written, status, before, termios.tcgetattr(slave)
    finally:
        process.kill()
        os.close(master)
        os.close(slave)


def leave_the_terminal_as_it_was(lan, program):
    ends = {
        "q": lambda process, master: os.write(master, b"q"),
        "SIGINT": lambda process, master: process.send_signal(signal.SIGINT),
        "SIGTERM": lambda process, master: process.send_signal(signal.SIGTERM),
        "Ctrl-C": lambda process, master: os.write(master, b"\x03"),
        "a crash": lambda process, master: process.send_signal(signal.SIGSEGV),
        "an abort": lambda process, master: process.send_signal(signal.SIGABRT),
    }
    for name, end in ends.items():
        written, status, before, after = run_in_pty(lan, program, end)
        check(LEFT_OVER in written, f"{name}: the second screen was not left")
        check(before == after, f"{name}: the modes of the terminal have changed: {before} {after}")
        check((status == 0) == (name not in ("a crash", "an abort")), f"{name}: status {status}")
        if status == 0:
            check(b"connections" in written[written.rindex(LEFT_OVER):] or b"frames" in written[written.rindex(LEFT_OVER):], f"{name}: no summary")


def stay_away_from_pipes(lan, program):
    process = lan.listen(program)
    lan.talk("ask", SERVER, PORT, 5)
    time.sleep(0.5)
    status, out, _ = link.stop(process)
    check(status == 0 and "\x1b" not in out and "5 connections" in out, status, out)


def main():
    if shutil.which("tmux") is None:
        link.skip("needs tmux for a terminal")
    program = sys.argv[1]
    lan = link.Link(sys.argv[2:])
    lan.server()
    for step in (walk_through_pages, follow_a_ladder, speak_ascii, leave_the_terminal_as_it_was, stay_away_from_pipes):
        step(lan, program)
        print("ok:", step.__name__, flush=True)


main()
