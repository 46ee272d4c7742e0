"""Running the program for the judgements, and finding the captures."""
import collections
import json
import os
import subprocess
import sys

SKIPPED = 77
SEVERE = ("warning", "alert")


def truth_dir():
    folder = os.environ.get("FINWAIT_TRUTH_DIR", "")
    if not folder or not os.path.exists(os.path.join(folder, "scenarios.json")):
        print("FINWAIT_TRUTH_DIR does not name a folder with scenarios.json: skipped")
        sys.exit(SKIPPED)
    return folder


def records(program, capture):
    """The json objects the program writes for a capture."""
    run = subprocess.run([program, "-o", "json", "-r", capture], capture_output=True, text=True)
    if run.returncode != 0:
        raise RuntimeError(f"{program} -r {capture} failed: {run.stderr.strip()}")
    return [json.loads(line) for line in run.stdout.splitlines()]


def connections(program, capture):
    return [record for record in records(program, capture) if record["type"] == "connection"]


def kinds(found):
    """How often each kind was found."""
    return collections.Counter(anomaly["kind"] for connection in found for anomaly in connection.get("anomalies", ()))
