"""What the program said live beside what it says of the file that tcpdump wrote at the same time.

Times may differ by a moment, because each tap stamps what it sees, and so may a duration in a sentence, by as much as it is rounded besides;
a time that means "the capture ended here" differs as the ends do.
"""
import os
import re
import time

FRAMES = re.compile(r"(^|_)frames?$")
MOMENT = 0.005
DURATION = re.compile(r"(\d+)(\.\d+)? (ms|s|min|h)\b")
UNIT = {"ms": 0.001, "s": 1, "min": 60, "h": 3600}


def key(record):
    return tuple(record[end][what] for end in ("originator", "responder") for what in ("ip", "port")) + (record["originator"].get("isn"),)


def seconds(value):
    """A time or a duration as a number; None if it is neither."""
    match = re.fullmatch(r"\d{4}-\d\d-\d\dT(\d\d):(\d\d):([\d.]+)Z", value) if isinstance(value, str) else None
    if match:
        return int(match.group(1)) * 3600 + int(match.group(2)) * 60 + float(match.group(3))
    return value if isinstance(value, float) else None


def same_sentence(live, file):
    """Whether they differ in durations only, and in those by a moment and the last figure written."""
    ours, theirs = list(DURATION.finditer(live)), list(DURATION.finditer(file))
    if DURATION.sub("", live) != DURATION.sub("", file):
        return False
    for a, b in zip(ours, theirs):
        (x, step), (y, _) = ((float(m[0].split()[0]) * UNIT[m[3]], UNIT[m[3]] / 10 ** (len(m[2] or ".") - 1)) for m in (a, b))
        if abs(x - y) > MOMENT + 1.01 * step:
            return False
    return True


def differences(live, file, at=""):
    """Where two records differ, frame numbers and what is made of them aside."""
    if isinstance(live, dict) and isinstance(file, dict):
        for name in sorted(set(live) | set(file)):
            if FRAMES.search(name) or name in ("id", "uid"):
                continue
            if at.endswith("time_wait") and name == "until" and live.get("ended") == "capture-end":
                continue
            yield from differences(live.get(name), file.get(name), f"{at}.{name}")
    elif isinstance(live, list) and isinstance(file, list) and len(live) == len(file):
        for n, (a, b) in enumerate(zip(live, file)):
            yield from differences(a, b, f"{at}[{n}]")
    elif live != file:
        a, b = seconds(live), seconds(file)
        if a is None or b is None:
            same = isinstance(live, str) and isinstance(file, str) and same_sentence(live, file)
        else:
            same = abs(a - b) <= MOMENT
        if not same:
            yield f"{at}: live {live}, file {file}"


def wait_until_settled(path, seconds=15):
    """tcpdump gets frames in blocks, a second late at most, and lags behind on a busy machine; what it has not written when it is stopped it
    never writes."""
    end = time.monotonic() + seconds
    size = -1
    while size != (now := os.path.getsize(path)) and time.monotonic() < end:
        size = now
        time.sleep(1.5)
