"""A small server and client of kernel sockets, for the tests of live capture.

talk.py serve ADDRESS PORT      answers what it is asked: bytes, a reset, a half-close, or silence
talk.py ask ADDRESS PORT N      N connections of every kind in turn; prints how many of each were made
talk.py burst ADDRESS PORT N    N short connections; prints their ports on this side
talk.py hold ADDRESS PORT N     N connections that stay open until standard input ends
talk.py reach ADDRESS PORT      one attempt, given up after half a second
talk.py frame ADDRESS PORT INTERFACE [VLAN]  a SYN as a frame of its own, with a tag
talk.py big ADDRESS PORT BYTES  one connection that brings so many bytes
"""
import json
import socket
import struct
import sys
import threading

RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close resets


def answer(connection):
    with connection:
        try:
            wish = connection.recv(64)
            if wish.startswith(b"bytes"):
                connection.sendall(b"x" * int(wish.split()[1]))
            elif wish.startswith(b"reset"):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            elif wish.startswith(b"half"):
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(4096):
                    pass
            elif wish.startswith(b"hold"):
                connection.recv(1)
        except OSError:
            pass


def serve(address, port):
    with socket.create_server((address, port), backlog=4096) as server:
        print("serving", flush=True)
        while True:
            connection, _ = server.accept()
            threading.Thread(target=answer, args=(connection,), daemon=True).start()


def wish(address, words):
    connection = socket.create_connection(address, timeout=5)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(words)
    return connection


def drain(connection):
    count = 0
    while data := connection.recv(1 << 18):
        count += len(data)
    return count


def polite(address):
    with wish(address, b"bytes 3000") as connection:
        drain(connection)
        return connection.getsockname()[1]


def reset_by_server(address):
    with wish(address, b"reset") as connection:
        try:
            drain(connection)
        except ConnectionResetError:
            pass


def reset_by_client(address):
    connection = wish(address, b"hold")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    connection.close()


def half_closed(address):
    with wish(address, b"half") as connection:
        drain(connection)
        connection.sendall(b"more" * 100)


def refused(address):
    try:
        socket.create_connection((address[0], 1), timeout=5)
    except ConnectionRefusedError:
        pass


def frame(address, interface, tag):
    """From a port of its own for each tag, since flows do not know of tags. The checksums are left out."""
    vlan = struct.pack("!HH", 0x8100, tag) if tag else b""
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40, 1, 0, 64, 6, 0, bytes([10, 77, 0, 9]), socket.inet_aton(address[0]))
    tcp = struct.pack("!HHIIBBHHH", 40000 + tag, address[1], 1, 0, 0x50, 2, 1024, 0, 0)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as out:
        out.bind((interface, 0))
        out.send(b"\xff" * 6 + b"\x02\0\0\0\0\x09" + vlan + b"\x08\0" + ip + tcp)


KINDS = [polite, reset_by_server, reset_by_client, half_closed, refused]


def main():
    what, address, rest = sys.argv[1], (sys.argv[2], int(sys.argv[3])), sys.argv[4:]
    if what == "serve":
        serve(*address)
    elif what == "ask":
        made = dict.fromkeys((kind.__name__ for kind in KINDS), 0)
        for n in range(int(rest[0])):
            kind = KINDS[n % len(KINDS)]
            kind(address)
            made[kind.__name__] += 1
        print(json.dumps(made))
    elif what == "burst":
        print(json.dumps([polite(address) for _ in range(int(rest[0]))]))
    elif what == "hold":
        held = [wish(address, b"hold") for _ in range(int(rest[0]))]
        print("holding", flush=True)
        sys.stdin.read()
        for connection in held:
            connection.close()
    elif what == "reach":
        try:
            socket.create_connection(address, timeout=0.5)
        except OSError:
            pass
    elif what == "frame":
        frame(address, rest[0], int(rest[1]) if len(rest) > 1 else 0)
    elif what == "big":
        with wish(address, b"bytes " + rest[0].encode()) as connection:
            print(json.dumps(drain(connection)))


if __name__ == "__main__":
    main()
