"""What a switch does for a mirror port, and what ethtool(8) does for queues.

mirror.py copy FROM TO             sends each frame that FROM sends or receives out of TO, until SIGINT; prints how many
mirror.py frame TO BYTES           one frame of so many bytes, of no protocol
mirror.py queues INTERFACE RX TX   so many queues
"""
import array
import fcntl
import signal
import socket
import struct
import sys
import time

PATIENCE = 10  # seconds
SIOCETHTOOL, ETHTOOL_SCHANNELS = 0x8946, 0x3D


def on(interface, protocol=0):
    opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    opened.setsockopt(socket.SOL_SOCKET, 33, 1 << 24)  # SO_RCVBUFFORCE
    opened.bind((interface, protocol))
    return opened


def copy(source, target):
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell that begins tests in the background has it ignored
    with on(source, 3) as tap, on(target) as out:  # ETH_P_ALL
        print("mirroring", flush=True)
        count = 0
        try:
            while True:
                out.send(tap.recv(65536))
                count += 1
        except KeyboardInterrupt:
            print(count)


def queues(interface, receiving, sending):
    # cmd, what is possible (4), then receiving, sending, other, combined
    wish = array.array("I", [ETHTOOL_SCHANNELS, 0, 0, 0, 0, receiving, sending, 0, 0])
    end = time.monotonic() + PATIENCE
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        while True:
            try:
                return fcntl.ioctl(any_socket, SIOCETHTOOL, struct.pack("16sP", interface.encode(), wish.buffer_info()[0]))
            except OSError:  # the kernel takes down the rings of whoever ended a moment ago when it finds the time
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)


def main():
    what, rest = sys.argv[1], sys.argv[2:]
    if what == "copy":
        copy(*rest)
    elif what == "frame":
        with on(rest[0]) as out:
            out.send(b"\xff" * 6 + b"\x02\0\0\0\0\x09" + b"\x88\xb5" + b"x" * (int(rest[1]) - 14))
    elif what == "queues":
        queues(rest[0], int(rest[1]), int(rest[2]))


if __name__ == "__main__":
    main()
