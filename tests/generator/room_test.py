#!/usr/bin/env python3
"""finwait with too little room, on one thread and on many: room_test.py FINWAIT_GEN FINWAIT

Floods, heavy tails and many connections at once, with a bound on connections, and a seed: what is written is the same, byte for byte but
for performance, at any number of threads and however the capture is read.
"""
import gzip
import os
import re
import subprocess
import sys
import tempfile

from checks import check, conclude

GENERATOR, FINWAIT = sys.argv[1:3]
CAPTURES = {
    "flood": "--profile flood --packets 40000 --flood 40000 --concurrent 3000 --seed 3",
    "wide": "--profile wide --packets 40000 --connections 4000 --concurrent 3000 --seed 4",
    "small64": "--profile small64 --packets 40000 --connections 10000 --concurrent 10000 --seed 5",
}
ROOMS = [("flood", 6000, range(2, 9)), ("wide", 400, (2, 5, 8)), ("wide", 3, (2, 8)), ("small64", 6000, (2, 3, 7))]
OUTPUTS = ["json", "zeek", "eve", "summary"]


def written(folder, capture, most, threads):
    """All outputs of a run, without what is told of the run itself."""
    outputs = [f"{kind}={os.path.join(folder, kind)}" for kind in OUTPUTS]
    subprocess.run([FINWAIT, "-r", capture, "--seed", "1", "--max-connections", str(most), "-t", str(threads),
                    *[part for output in outputs for part in ("-o", output)]], check=True)
    texts = []
    for kind in OUTPUTS:
        path = os.path.join(folder, kind)
        paths = sorted(os.path.join(path, name) for name in os.listdir(path)) if os.path.isdir(path) else [path]
        text = "".join(open(one, encoding="utf-8").read() for one in paths)
        text = re.sub(r'"performance":\{[^}]*\}', "", text)
        text = re.sub(r"^#(open|close).*$", "", text, flags=re.M)
        texts.append(text.replace(capture, "CAPTURE").replace(os.path.basename(capture), "CAPTURE"))
    return texts


def compare(what, expected, texts):
    for kind, one, other in zip(OUTPUTS, expected, texts):
        check(one == other, what, kind)


def main():
    with tempfile.TemporaryDirectory() as folder:
        captures = {}
        for name, profile in CAPTURES.items():
            captures[name] = os.path.join(folder, name + ".pcap")
            subprocess.run([GENERATOR, *profile.split(), "--output", captures[name]], check=True)
        for name, most, many in ROOMS:
            one = written(folder, captures[name], most, 1)
            check(one[0].count('"ending":"evicted"') > 100, name, most, "hardly anybody had to go")
            for threads in many:
                compare((name, most, threads), one, written(folder, captures[name], most, threads))
        one = written(folder, captures["flood"], 6000, 1)
        with open(captures["flood"], "rb") as file:
            plain = file.read()
        with gzip.open(captures["flood"], "wb", compresslevel=1) as file:  # under the same name, which the summary shows
            file.write(plain)
        compare("compressed", one, written(folder, captures["flood"], 6000, 4))


main()
conclude()
