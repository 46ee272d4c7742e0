#!/usr/bin/env python3
"""web.py PROGRAM [OPTION...]: a real web server (nginx) and a real load tool (ab), a connection for each request, and then some that carry
several. What the program says live is, connection by connection, what it says of the file that tcpdump wrote at the same time, and it
counts what the tool, the server and both kernels count. The options are the program's.

FINWAIT_WEB_CONNECTIONS in the environment says how many connections (2,000).
"""
import collections
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

from alike import differences, key, wait_until_settled
from link import PORT, SERVER, Link, check, expect, skip, stop

CONNECTIONS = int(os.environ.get("FINWAIT_WEB_CONNECTIONS", "2000"))
PORTS = range(PORT, PORT + 4)  # a client has few ports of its own for each of these
AT_ONCE = 20
A_CONNECTION = 10  # requests, where a connection carries several
ROOM = "262144"  # KiB: neither tap may lose a frame, however busy the machine
PATIENCE = 60 + CONNECTIONS // 200  # seconds

CONFIGURATION = """
daemon off; master_process off; user root; pid {folder}/pid; error_log stderr error;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{
    {listens}
    keepalive_requests {requests};
    location / {{ root {folder}/pages; }}
  }}
  server {{ listen 127.0.0.1:80; location / {{ stub_status; }} }}
}}
"""


def serve(link, folder):
    os.mkdir(os.path.join(folder, "pages"))
    with open(os.path.join(folder, "pages", "page"), "w") as f:
        f.write("x" * 1000)
    path = os.path.join(folder, "nginx.conf")
    with open(path, "w") as f:
        f.write(CONFIGURATION.format(folder=folder, requests=A_CONNECTION, listens=" ".join(f"listen {SERVER}:{port} backlog=4096;" for port in PORTS)))
    return link.start(link.right, *link.on_one_processor, "nginx", "-e", "stderr", "-c", path)


def accepted(link):
    """What the server has accepted, this question among it; None while it does not answer."""
    ask = "import urllib.request; print(urllib.request.urlopen('http://127.0.0.1/', timeout=5).read().decode())"
    try:
        return int(re.search(r"requests\s+(\d+) (\d+)", link.inside(link.right, sys.executable, "-c", ask).stdout).group(1))
    except subprocess.CalledProcessError:
        return None


def wait_for(what, why, seconds=10):
    end = time.monotonic() + seconds
    while not (value := what()):
        check(time.monotonic() < end, why)
        time.sleep(0.1)
    return value


def load(link, requests, *options):
    """So many requests of each port, all ports at once; returns what the tools say was done."""
    ab = (*link.on_one_processor, "ab", "-q", "-n", str(requests), "-c", str(AT_ONCE), *options)
    tools = [link.start(link.left, *ab, f"http://{SERVER}:{port}/page") for port in PORTS]
    said = [tool.communicate(timeout=PATIENCE) for tool in tools]
    check(all(tool.returncode == 0 for tool in tools), said)
    done = collections.Counter()
    for out, _ in said:
        for name, number in re.findall(r"^(Complete requests|Failed requests|Keep-Alive requests): +(\d+)$", out, re.MULTILINE):
            done[name] += int(number)
    check(done["Complete requests"] == requests * len(PORTS) and done["Failed requests"] == 0, done)
    return done


def kernels(link):
    """What both kernels have counted of TCP so far."""
    sums = collections.Counter()
    for side, name in (("left", link.left), ("right", link.right)):
        for what, number in json.loads(link.inside(name, "nstat", "-j", "-a", "-s", "-z").stdout)["kernel"].items():
            sums[side, what] = number
    return sums


def both_heard(link, program, options, folder, work):
    """Does the work while the program and tcpdump listen; returns the program's records live and of the file, as paths."""
    live, file, dump = (os.path.join(folder, name) for name in ("live.json", "file.json", "dump.pcap"))
    common = ("--msl", "200ms", *options)
    tcpdump = link.tcpdump(dump, "-B", ROOM)
    finwait = link.listen(program, "-B", ROOM, "-o", f"json={live}", *common)
    done = work()
    time.sleep(2)  # all that is in TIME-WAIT is over
    link.talk("reach", SERVER, 1)  # the last frame: both know how far time went
    time.sleep(0.2)
    status, _, err = stop(finwait, seconds=PATIENCE)
    check(status == 0 and "dropped" not in err, status, err)
    wait_until_settled(dump, PATIENCE)
    said = stop(tcpdump, seconds=PATIENCE)[2]
    check("\n0 packets dropped by kernel" in said, "tcpdump itself has lost frames, the file is no measure:", said)
    subprocess.run([program, "-r", dump, "-o", f"json={file}", *common], check=True, timeout=PATIENCE)
    return done, live, file


def lines_by_key(path):
    """The connections of a file, each as its line: so many records would fill the memory."""
    lines = {}
    with open(path) as f:
        for line in f:
            if (record := json.loads(line))["type"] == "connection":
                check(key(record) not in lines, "told twice:", line)
                lines[key(record)] = line
    return lines


def compare(live, file):
    """Every connection of one in the other, and alike. Returns how they opened and ended, how many had an answer, and the summary."""
    theirs = lines_by_key(file)
    fates, answered, faults, summary = collections.Counter(), 0, [], None
    with open(live) as f:
        for record in map(json.loads, f):
            if record["type"] == "connection":
                line = theirs.pop(key(record), None)
                faults += [f"{key(record)}: only live"] if line is None else [f"{key(record)}{d}" for d in differences(record, json.loads(line))]
                fates[record["opening"], record["ending"]] += 1
                answered += record["responder"]["payload_bytes"] != 0
            elif record["type"] == "summary":
                summary = record
    faults += [f"{k}: only in the file" for k in theirs]
    check(not faults, f"{len(faults)} differences:", "\n".join(faults[:20]))
    return fates, answered, summary


def run(link, program, options, requests, *ab):
    """Makes the load, and compares everybody's counts; returns how many connections were opened and how many had an answer."""
    before, served = kernels(link), accepted(link)
    with tempfile.TemporaryDirectory() as folder:
        done, live, file = both_heard(link, program, options, folder, lambda: load(link, requests, *ab))
        after, now = kernels(link), accepted(link)
        fates, answered, summary = compare(live, file)
    made = after - before
    opened, refused = made["left", "TcpActiveOpens"] - 1, fates.pop(("refused", "refused"))  # the last frame's
    check(opened == made["right", "TcpPassiveOpens"] - 1 == now - served - 1, "kernels:", made, "server:", now - served - 1)
    check(refused == 1 == made["left", "TcpAttemptFails"], "refused:", refused, made)
    resets = made["left", "TcpEstabResets"] + made["right", "TcpEstabResets"]
    check(resets == 0 and fates == {("three-way", "graceful"): opened}, opened, fates, made)
    frames = summary["frames"]
    check(frames["received"] == frames["read"] and frames["dropped_by_kernel"] == frames["freezes"] == 0, frames)
    return opened, answered, done


def main():
    program, options = os.path.abspath(sys.argv[1]), sys.argv[2:]
    for tool in ("nginx", "ab", "nstat", "tcpdump"):
        if shutil.which(tool) is None and not os.path.exists(f"/usr/sbin/{tool}"):
            skip(f"needs {tool}")
    link = Link()
    link.inside(link.left, "sysctl", "-qw", "net.ipv4.ip_local_port_range=1024 65535")
    with tempfile.TemporaryDirectory() as folder:
        server = serve(link, folder)
        wait_for(lambda: accepted(link), "the server does not answer")
        # When its last requests are under way the tool opens some connections more, and closes them without a word.
        opened, answered, done = run(link, program, options, CONNECTIONS // len(PORTS))
        check(answered == done["Complete requests"], opened, answered, done)
        print(f"{opened:,} connections, of a request each: live as in the file, and as all count them")
        opened, answered, done = run(link, program, options, CONNECTIONS // len(PORTS), "-k")
        check(answered >= done["Complete requests"] // A_CONNECTION, opened, answered, done)
        print(f"{opened:,} connections of up to {A_CONNECTION} requests: the same")
        stop(server)


if __name__ == "__main__":
    main()
