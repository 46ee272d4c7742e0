#!/usr/bin/env python3
"""Each scenario's words, and the kinds that its wire can show.

usage: scenario_kinds.py FINWAIT       (FINWAIT_TRUTH_DIR names the captures)

WORDS maps each word of scenarios.json to the kinds any one of which says it; a reason stands where a word has no kind. UNSEEN lists the
words that leave nothing on the wire of a certain scenario, with the reason. Whatever else is found at warning or above is wrong, unless
BESIDES allows it. At least 95 % of the words must be said.
"""
import json
import os
import sys

import program

LEAST = 0.95

# word: kinds, or the reason why there is none
WORDS = {
    "abort: RST without FIN": ["reset-established"],
    "RST after FIN of the peer": ["reset-after-fin"],
    "handshake ACK ignored by server (accept queue full)": ["handshake-ack-lost"],
    "SYN-ACK retransmitted": ["syn-ack-retransmitted"],
    "data retransmitted": "one segment sent again is counted (retransmitted_segments), a finding only in excess",
    "reserved/AE flag bit set": "no finding: AccECN sets it",
    "RST not accepted": ["reset-in-window-not-exact", "reset-out-of-window"],
    "challenge ACK": ["challenge-ack"],
    "half-open: peer rebooted": ["half-open-discovered"],
    "SYN in ESTABLISHED": ["syn-in-established", "old-duplicate-syn"],
    "RST to challenge ACK": ["half-open-discovered"],
    "port reuse": "a field (replaced), not a finding",
    "data after FIN answered by RST: socket gone": ["closed-with-pending-data"],
    "reordering": "counted (out_of_order), a finding only in excess",
    "duplicate ACKs / SACK": "ordinary",
    "handshake ACK ignored by server (defer accept)": "not visible: the data came before the SYN-ACK was repeated",
    "ECN setup": "ordinary",
    "handshake ACK lost": ["handshake-ack-missing", "handshake-ack-lost"],
    "no payload": "a count (payload_bytes)",
    "FIN lost": ["fin-retransmitted"],
    "FIN retransmitted": ["fin-retransmitted"],
    "zero window": ["zero-window-stall"],
    "FIN_WAIT_1 long before the FIN is on the wire": "not visible",
    "half-open": ["half-open-discovered", "fin-unanswered", "keepalive-unanswered", "peer-silent", "reset-ignored", "reset-suspected-forged"],
    "long half-close": ["half-close"],
    "data with FIN": "ordinary",
    "FIN+ACK combined: three-segment close": "ordinary",
    "half-close with data afterwards": ["half-close"],
    "ICMP unreachable, ignored": ["icmp-error"],
    "ICMP unreachable": ["icmp-error"],
    "keepalive probe": "counted (keepalives)",
    "keepalive ACK": "ordinary",
    "no answer": ["keepalive-unanswered", "peer-silent", "syn-retransmitted"],
    "final ACK lost": ["final-ack-lost", "fin-retransmitted"],
    "final ACK lost (4 times)": ["final-ack-lost"],
    "FIN acknowledged in TIME_WAIT": ["fin-retransmitted"],
    "missing final ACK": ["final-ack-missing", "final-ack-lost"],
    "RST without any data": ["reset-established", "reset-in-handshake"],
    "MPTCP": "a note",
    "old duplicate SYN": ["old-duplicate-syn"],
    "SYN-ACK with unacceptable ACK answered by RST": ["reset-in-handshake"],
    "SYN-ACK answered by RST": ["reset-in-handshake"],
    "TIME_WAIT answered by ACK": ["challenge-ack"],
    "RST kills TIME_WAIT": ["time-wait-assassinated"],
    "refused": ["connection-refused"],
    "port reuse after RST": "a field (replaced), not a finding",
    "port reuse out of TIME_WAIT": ["time-wait-reused"],
    "RST accepted": ["reset-suspected-forged", "reset-established"],
    "RST to data": ["reset-established", "half-open-discovered"],
    "RST lost": ["reset-ignored"],
    "sequence wrap": "ordinary",
    "simultaneous close": ["simultaneous-close"],
    "simultaneous open": ["simultaneous-open"],
    "SYN lost": ["syn-retransmitted", "simultaneous-open"],
    "SYN retransmitted": ["syn-retransmitted"],
    "SYN and SYN-ACK retransmitted": ["syn-retransmitted", "syn-ack-retransmitted"],
    "SYN-ACK lost": ["syn-ack-retransmitted", "syn-retransmitted"],
    "duplicate SYN (network)": "counted (duplicates)",
    "SYN flood": "of a host, not of a connection",
    "SYN-ACKs never answered": ["half-open"],
    "syncookie (not visible on the wire)": "not visible",
    "TFO cookie exchange": "ordinary",
    "data in SYN accepted": "ordinary: the opening is fast-open",
    "TIME_WAIT skipped (not visible)": "not visible",
    "zero-window probe": "counted (keepalives)",
    "window update": "ordinary",
}

BEFORE_TAP = "the lost packet never passed the tap: one copy is seen"
# scenario: {word: why its wire does not show it}
UNSEEN = {
    "fin_lost__unseen": {"FIN lost": BEFORE_TAP, "FIN retransmitted": BEFORE_TAP},
    "fin_wait1_timeout__unseen": {"FIN retransmitted": BEFORE_TAP, "half-open": BEFORE_TAP},
    "keepalive_timeout__unseen": {"no answer": BEFORE_TAP, "half-open": BEFORE_TAP},
    "rst_lost__unseen": {"RST lost": BEFORE_TAP},
    "syn_lost__unseen": {"SYN retransmitted": BEFORE_TAP},
    "syn_blackhole__unseen": {"SYN retransmitted": BEFORE_TAP, "no answer": BEFORE_TAP},
    "simultaneous_open_syn_lost__unseen": {"simultaneous open": BEFORE_TAP, "SYN lost": BEFORE_TAP},
    "hs_ack_lost_data__seen": {"handshake ACK lost": "lost behind the tap, and the data came before the SYN-ACK was repeated"},
    "fin_completes_handshake__seen": {"handshake ACK lost": "lost behind the tap, and the FIN came before the SYN-ACK was repeated"},
}

# scenario: kinds at warning or above that the wire shows besides the words
BESIDES = {
    "challenge_ack_rst": {"reset-suspected-forged": "the RST is blind, and the end in whose name it came goes on"},
}


# scenario: {kind: on which side of the tap the packet was really lost}
SIDES = {
    "syn_lost__seen": {"syn-retransmitted": "responder"},
    "synack_lost__seen": {"syn-retransmitted": "originator"},
    "synack_lost__unseen": {"syn-retransmitted": "responder"},
    "fin_lost__seen": {"fin-retransmitted": "responder"},
    "last_ack_lost__seen": {"final-ack-lost": "responder", "fin-retransmitted": "responder"},
    "last_ack_lost__unseen": {"fin-retransmitted": "originator"},
    "accept_queue_full": {"handshake-ack-lost": "responder", "syn-ack-retransmitted": "responder"},
}


def wrong_sides(name, found):
    """Findings that name the wrong side of the tap, or none."""
    texts = {anomaly["kind"]: anomaly["text"] for connection in found for anomaly in connection.get("anomalies", ())}
    return [f"{name}: {kind} besides: not lost on the side of the {side}: {texts.get(kind)}"
            for kind, side in SIDES.get(name, {}).items() if f"on the side of the {side}" not in texts.get(kind, "")]


def judge(name, words, found):
    """(words said, words that ought to be, complaints)"""
    got = program.kinds(found)
    unseen = UNSEEN.get(name, {})
    said, wanted, complaints, allowed = 0, 0, [], set(BESIDES.get(name, {}))
    for word in words:
        kinds = WORDS[word]
        if isinstance(kinds, str):
            continue
        allowed.update(kinds)
        if word in unseen:
            continue
        wanted += 1
        if any(kind in got for kind in kinds):
            said += 1
        else:
            complaints.append(f"{name}: '{word}' is not said; got {sorted(got)}")
    for connection in found:
        for anomaly in connection.get("anomalies", ()):
            if anomaly["severity"] in program.SEVERE and anomaly["kind"] not in allowed:
                complaints.append(f"{name}: {anomaly['severity']} {anomaly['kind']} besides: {anomaly['text']}")
    return said, wanted, complaints


def main():
    finwait, folder = sys.argv[1], program.truth_dir()
    with open(os.path.join(folder, "scenarios.json"), encoding="utf-8") as file:
        scenarios = json.load(file)["scenarios"]
    said = wanted = 0
    wrong = False
    for name, scenario in sorted(scenarios.items()):
        found = program.connections(finwait, os.path.join(folder, "scenarios", name + ".pcap"))
        one_said, one_wanted, complaints = judge(name, scenario["expected"]["anomalies"], found)
        complaints += wrong_sides(name, found)
        said, wanted = said + one_said, wanted + one_wanted
        wrong = wrong or any(" besides: " in complaint for complaint in complaints)
        for complaint in complaints:
            print(complaint)
    print(f"{said} of {wanted} words said ({100 * said / wanted:.1f} %)")
    return 1 if wrong or said < LEAST * wanted else 0


if __name__ == "__main__":
    sys.exit(main())
