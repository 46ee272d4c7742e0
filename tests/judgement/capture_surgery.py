#!/usr/bin/env python3
"""What captures do to the truth must not make findings: a clean capture is cut, thinned and shuffled, and judged again.

usage: capture_surgery.py FINWAIT [-v]       (FINWAIT_TRUTH_DIR names the captures; bulk_clean.pcap is used)
"""
import collections
import os
import sys
import tempfile

import program

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
import surgery  # noqa: E402

MISSING = ("final-ack-missing", "handshake-ack-missing", "fin-unanswered")
FALSE_SHARE = 0.01  # of the connections, whose origin does not include the capture
NEW_SHARE = 0.005    # of the share lost: connections with a warning that the whole capture does not give
LINGER = ("close-wait-lingering",)  # the FIN that ended it was lost, and nothing tells of it
SEEDS = (1, 2, 3)
FIFTH = 0.2
THIRD = 1 / 3  # bursts hide whole ends of connections, of which nobody knows how many packets they were


class Theatre:
    def __init__(self, finwait, capture, folder):
        self.finwait, self.folder = finwait, folder
        self.header, self.packets = surgery.read(capture)
        self.whole = program.records(finwait, capture)
        self.failures = 0

    def judged(self, *operations):
        """(records, share of the payload lost, share of the packets lost)"""
        after = surgery.operate(self.packets, operations)
        path = os.path.join(self.folder, "after.pcap")
        surgery.write(path, self.header, after)
        return program.records(self.finwait, path), surgery.lost_share(self.packets, after), 1 - len(after) / len(self.packets)

    def check(self, holds, text):
        if not holds:
            self.failures += 1
        if not holds or "-v" in sys.argv:
            print(("ok      " if holds else "FAILED  ") + text)


def connections(records):
    return [record for record in records if record["type"] == "connection"]


def not_from_capture(records):
    """Connections that are said to miss something which the capture did not lose."""
    return [c["id"] for c in connections(records)
            if any(a["kind"] in MISSING and "capture" not in a["origin"] for a in c.get("anomalies", ()))]


def severe_kinds(records):
    """The kind of each finding at warning or above."""
    return [a["kind"] for c in connections(records) for a in c.get("anomalies", ()) if a["severity"] in program.SEVERE]


def severe(records):
    return set(severe_kinds(records))


def new_warnings(theatre, records):
    """Kinds at warning or above of more connections than in the whole capture."""
    before = collections.Counter(severe_kinds(theatre.whole))
    return {kind: count for kind, count in (collections.Counter(severe_kinds(records)) - before).items() if kind not in LINGER}


def loses(theatre):
    known = len(not_from_capture(theatre.whole))
    for seed in SEEDS:
        for name, share in (("drop", 0.001), ("drop", 0.01), ("drop", 0.05), ("drop", 0.1), ("burst", 0.01), ("burst", 0.05), ("burst", 0.1)):
            records, lost, lost_packets = theatre.judged((name, share), ("seed", seed))
            what = f"{name} {share}, seed {seed}"
            estimate = records[-1]["capture"]["loss_estimate"]
            false = len(not_from_capture(records)) - known
            theatre.check(false <= FALSE_SHARE * len(connections(records)), f"{what}: {false} false findings of something missing")
            new = new_warnings(theatre, records)
            theatre.check(sum(new.values()) <= NEW_SHARE * share * len(connections(records)), f"{what}: new warnings {new}")
            if (name == "drop" and share >= 0.01) or share >= 0.05:
                theatre.check(abs(estimate - lost) <= FIFTH * lost, f"{what}: {lost:.4f} lost, estimate {estimate:.4f}")
                theatre.check(records[-1]["capture"].get("doubts") == ["loss"] or share < 0.02, f"{what}: the capture is doubted")
                by_packets = records[-1]["capture"]["packet_loss_estimate"]
                off = FIFTH if name == "drop" else THIRD
                theatre.check(abs(by_packets - lost_packets) <= off * lost_packets,
                              f"{what}: {lost_packets:.4f} of the packets lost, estimate {by_packets:.4f}")


def shuffles(theatre):
    whole = theatre.whole[-1]
    for operation in (("duplicate", 0.05), ("swap", 0.05), ("snap", 60)):
        records, *_ = theatre.judged(operation)
        theatre.check(records[-1]["connections"] == whole["connections"],
                      f"{operation}: {records[-1]['connections']} connections, were {whole['connections']}")
        theatre.check(len(not_from_capture(records)) == 0, f"{operation}: nothing is missing")
        theatre.check(severe(records) <= severe(theatre.whole), f"{operation}: new warnings {severe(records) - severe(theatre.whole)}")
    records, *_ = theatre.judged(("snap", 60))
    for field in ("openings", "endings"):
        theatre.check(records[-1][field] == whole[field], f"snap length 60: {field} unchanged")


def cuts(theatre):
    for seconds in (1, 20, 40, 55, 60):
        for side in ("head", "tail"):
            records, *_ = theatre.judged((side, seconds))
            theatre.check(not not_from_capture(records), f"{side} of {seconds} s cut: {not_from_capture(records)[:5]}")
            new = severe(records) - severe(theatre.whole)
            theatre.check(not new, f"{side} of {seconds} s cut: new warnings {new}")
            if side == "tail":
                hasty = [(c["id"], a["kind"]) for c in connections(records) for a in c["anomalies"] if a["kind"] in MISSING]
                theatre.check(not hasty, f"tail of {seconds} s cut: nothing had the time to be missing; {hasty[:5]}")
                left_open = [c["id"] for c in connections(records) if any(kind in c.get("inconclusive", ()) for kind in MISSING)]
                pending = sum(records[-1]["endings"][ending] for ending in ("closing", "fin-unanswered"))
                theatre.check(bool(left_open) or not pending, f"tail of {seconds} s cut: {len(left_open)} inconclusive of {pending}")
    for side in ("low", "high"):
        records, *_ = theatre.judged(("direction", side))
        false = not_from_capture(records)
        theatre.check(len(false) <= FALSE_SHARE * len(connections(records)), f"only the {side} end: {len(false)} false findings")
        theatre.check(not severe(records), f"only the {side} end: warnings {severe(records)}")


def main():
    finwait, capture = sys.argv[1], os.path.join(program.truth_dir(), "bulk_clean.pcap")
    if not os.path.exists(capture):
        print("no bulk_clean.pcap: skipped")
        sys.exit(program.SKIPPED)
    with tempfile.TemporaryDirectory() as folder:
        theatre = Theatre(finwait, capture, folder)
        loses(theatre)
        shuffles(theatre)
        cuts(theatre)
    print("all hold" if theatre.failures == 0 else f"{theatre.failures} do not hold")
    return 1 if theatre.failures else 0


if __name__ == "__main__":
    sys.exit(main())
