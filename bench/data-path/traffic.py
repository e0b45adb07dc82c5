"""Ends of a cable between two network namespaces, for `bench/packets.ts`.

    traffic.py answer            reads {"ports": [...]}; binds them for UDP on both families, says "ready", answers the
                                 first datagram of each peer, and reads no other
    traffic.py send DEVICE       reads {"flows": [...], "mac": [FROM, TO]}; then, for each line "SECONDS" that comes,
                                 sends for so long as fast as one core can, and says how many packets it sent and how many
                                 seconds of processor time that took

A flow is [SOURCE, SOURCE PORT, DESTINATION, DESTINATION PORT]; flows take turns. Frames are written onto the device as they
are, 256 at a time, so that the sender costs little beside the receiver, whose work is done by the same core in the same
thread: a veth delivers in place.
"""

import ctypes
import ipaddress
import json
import os
import select
import socket
import struct
import sys
import time


class IoVec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


class MsgHdr(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint32),
        ("iov", ctypes.POINTER(IoVec)),
        ("iov_length", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    ]


class MMsgHdr(ctypes.Structure):
    _fields_ = [("header", MsgHdr), ("length", ctypes.c_uint32)]


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


PAYLOAD = bytes(18)
UDP = 17


def frame(flow, mac):
    source, source_port, destination, destination_port = flow
    source, destination = ipaddress.ip_address(source), ipaddress.ip_address(destination)
    length = 8 + len(PAYLOAD)
    segment = struct.pack("!4H", source_port, destination_port, length, 0) + PAYLOAD
    pseudo = source.packed + destination.packed + struct.pack("!II", length, UDP)
    segment = segment[:6] + struct.pack("!H", checksum(pseudo + segment) or 0xFFFF) + segment[8:]
    if source.version == 4:
        header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, 0, 0x4000, 64, UDP, 0)
        header += source.packed + destination.packed
        header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
        kind = 0x0800
    else:
        header = struct.pack("!IHBB", 6 << 28, length, UDP, 64) + source.packed + destination.packed
        kind = 0x86DD
    hardware = b"".join(bytes.fromhex(one.replace(":", "")) for one in reversed(mac))
    return hardware + struct.pack("!H", kind) + header + segment


def send(device):
    task = json.loads(sys.stdin.readline())
    frames = [frame(flow, task["mac"]) for flow in task["flows"]]
    libc = ctypes.CDLL(None, use_errno=True)
    channel = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    channel.bind((device, 0))
    buffers = [ctypes.create_string_buffer(one, len(one)) for one in frames]
    vectors = (IoVec * len(frames))(*[IoVec(ctypes.addressof(one), len(one)) for one in buffers])
    messages = (MMsgHdr * len(frames))()
    for message, vector in zip(messages, vectors):
        message.header.iov = ctypes.pointer(vector)
        message.header.iov_length = 1
    print("ready", flush=True)
    for line in sys.stdin:
        seconds = float(line)
        end = time.monotonic() + seconds
        start = time.process_time()
        sent = 0
        while time.monotonic() < end:
            for at in range(0, len(frames), 256):
                some = min(256, len(frames) - at)
                done = libc.sendmmsg(channel.fileno(), ctypes.byref(messages[at]), some, 0)
                if done < 0:
                    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
                sent += done
        print(json.dumps({"sent": sent, "seconds": time.process_time() - start}), flush=True)


def answer():
    task = json.loads(sys.stdin.readline())
    listening = []
    for port in task["ports"]:
        one = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        one.bind(("::", port))
        listening.append(one)
    print("ready", flush=True)
    answered = set()
    poll = select.epoll()
    by_number = {one.fileno(): one for one in listening}
    for number in by_number:
        poll.register(number, select.EPOLLIN | select.EPOLLET)
    commands = sys.stdin.fileno()
    poll.register(commands, select.EPOLLIN)
    while True:
        for number, _ in poll.poll():
            if number == commands:
                return
            one = by_number[number]
            data, peer = one.recvfrom(64)
            if (number, peer) not in answered:
                answered.add((number, peer))
                one.sendto(data, peer)


if __name__ == "__main__":
    {"send": lambda: send(sys.argv[2]), "answer": answer}[sys.argv[1]]()
