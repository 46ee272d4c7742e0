#!/usr/bin/env python3
"""Draw the initial sequence numbers of hosts: number against time, and each number against the one before (phase space).

usage: plot_isn.py CAPTURE.json -o OUT.svg [--host ADDRESS[:PORT]]...    the output of `finwait -o json -r CAPTURE`; '-' is standard input
       plot_isn.py NUMBERS.csv -o OUT.svg                               lines of: host,time in seconds,number
       plot_isn.py --examples -o OUT.svg                                one emulated host for each verdict

Without --host the twelve hosts with the most numbers are drawn. ADDRESS alone is an originating host, [ADDRESS]:PORT or ADDRESS:PORT a listener.
Random numbers fill the phase space; a clock draws lines over time; a counter draws the diagonal; a small range, a dot. A linear recurrence looks
random here: that is why it is tested by algebra. Needs nothing but Python.
"""
import argparse
import calendar
import collections
import csv
import json
import random
import sys
import time

TURN = 1 << 32
SIDE, GAP, HEAD = 150, 16, 34


def epoch(text):
    whole, _, fraction = text.rstrip("Z").partition(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + float("0." + (fraction or "0"))


def endpoint(ip, port=None):
    if port is None:
        return ip
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


def from_json(lines):
    """Numbers and verdicts by host, from the objects finwait prints."""
    numbers, verdicts = collections.defaultdict(list), {}
    for line in lines:
        o = json.loads(line)
        if o.get("type") == "connection":
            at = epoch(o["start"])
            for role in ("originator", "responder"):
                end = o.get(role, {})
                if "isn" in end:
                    numbers[endpoint(end["ip"], end["port"] if role == "responder" else None)].append((at, end["isn"]))
        elif o.get("type") == "host" and "verdict" in o:
            verdicts[endpoint(o["ip"], o.get("port"))] = o["verdict"]
    return numbers, verdicts


def from_csv(lines):
    numbers = collections.defaultdict(list)
    for host, at, number in csv.reader(lines):
        numbers[host].append((float(at), int(number)))
    return numbers, {}


def examples(count=300, seed=1):
    """One host for each verdict, each a few lines."""
    rng = random.Random(seed)
    start, state = rng.getrandbits(32), [rng.getrandbits(32)]
    groups = [rng.getrandbits(32) for _ in range(4)]

    def lcg():
        state[0] = (state[0] * 1664525 + 1013904223) % TURN
        return state[0]

    makers = {
        "constant": lambda i, t: start,
        "sequential": lambda i, t: start + 64000 * i,
        "clock": lambda i, t: start + int(15.625e6 * t),
        "clock-weak-hash": lambda i, t: groups[rng.randrange(4)] + int(1e6 * t),
        "low-entropy": lambda i, t: start + rng.getrandbits(24),
        "linear": lambda i, t: lcg(),
        "rfc6528-like": lambda i, t: rng.getrandbits(32) + int(15.625e6 * t),
        "random-like": lambda i, t: rng.getrandbits(32),
    }
    numbers = {}
    for verdict, make in makers.items():
        at, samples = 0.0, []
        for i in range(count):
            at += rng.expovariate(1)
            samples.append((at, make(i, at) % TURN))
        numbers[verdict] = samples
    return numbers, {}


def panel(x, y, points, label):
    dots = "".join(f"M{x + SIDE * a:.1f},{y + SIDE * (1 - b):.1f}h0" for a, b in points)
    return (f'<rect x="{x}" y="{y}" width="{SIDE}" height="{SIDE}" class="frame"/><path d="{dots}" class="dots"/>'
            f'<text x="{x + SIDE / 2}" y="{y + SIDE + 11}" class="axis">{label}</text>')


def column(x, host, verdict, samples):
    samples = sorted(samples)
    numbers = [n / TURN for _, n in samples]
    first, span = samples[0][0], max(samples[-1][0] - samples[0][0], 1e-9)
    over_time = [((t - first) / span, n / TURN) for t, n in samples]
    phase = list(zip(numbers, numbers[1:]))
    title = f'<text x="{x}" y="14" class="host">{host}</text>'
    if verdict:
        title += f'<text x="{x}" y="27" class="axis left">{verdict}, {len(samples)} numbers</text>'
    return title + panel(x, HEAD, over_time, f"number over {span:.3g} s") + panel(x, HEAD + SIDE + GAP + 8, phase, "next number over number")


def draw(numbers, verdicts, hosts):
    width = GAP + len(hosts) * (SIDE + GAP)
    height = HEAD + 2 * (SIDE + GAP) + 12
    style = (".frame{fill:none;stroke:#999}.dots{stroke:#06c;stroke-width:2;stroke-linecap:round;fill:none}text{font:11px sans-serif}"
             ".host{font-weight:bold}.axis{font-size:9px;fill:#555;text-anchor:middle}.left{text-anchor:start}")
    body = "".join(column(GAP + i * (SIDE + GAP), h, verdicts.get(h, ""), numbers[h]) for i, h in enumerate(hosts))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
            f'<rect width="100%" height="100%" fill="#fff"/><style>{style}</style>{body}</svg>\n')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input", nargs="?", help="finwait's json, or a csv file")
    parser.add_argument("-o", "--output", required=True, help="the SVG file to write; '-' is standard output")
    parser.add_argument("--host", action="append", default=[], help="draw this one (may be repeated)")
    parser.add_argument("--examples", action="store_true", help="draw one emulated host for each verdict")
    options = parser.parse_args()
    if options.examples == (options.input is not None):
        parser.error("give either an input or --examples")
    if options.examples:
        numbers, verdicts = examples()
    else:
        with (sys.stdin if options.input == "-" else open(options.input, encoding="utf-8")) as lines:
            numbers, verdicts = (from_csv if options.input.endswith(".csv") else from_json)(lines)
    missing = [h for h in options.host if h not in numbers]
    if missing:
        sys.exit(f"plot_isn.py: no numbers of {', '.join(missing)} in the input")
    if not numbers:
        sys.exit("plot_isn.py: no initial sequence numbers in the input")
    hosts = options.host or (list(numbers) if options.examples else sorted(numbers, key=lambda h: -len(numbers[h]))[:12])
    text = draw(numbers, verdicts, hosts)
    if options.output == "-":
        sys.stdout.write(text)
    else:
        with open(options.output, "w", encoding="utf-8") as f:
            f.write(text)


if __name__ == "__main__":
    main()
