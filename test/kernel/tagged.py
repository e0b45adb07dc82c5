"""Sends tagged packets into a host and reads what its observer table logs about each of them.

The other half of `observer.ts`, which says what is logged and why. Part of the agent: see `agent.py`.
"""

import os
import socket
import struct
import threading
import time

NETLINK_NETFILTER = 12
SO_RCVBUFFORCE = 33

NLM_F_REQUEST, NLM_F_ACK = 1, 4
NLMSG_ERROR = 2

NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_DELETE = 1, 2
NFNL_SUBSYS_ULOG, NFULNL_MSG_PACKET, NFULNL_MSG_CONFIG = 4, 0, 1
NFULA_CFG_CMD, NFULA_CFG_MODE, NFULA_CFG_NLBUFSIZ, NFULA_CFG_TIMEOUT, NFULA_CFG_QTHRESH = 1, 2, 3, 4, 5
NFULNL_CFG_CMD_BIND, NFULNL_COPY_PACKET = 1, 2
NFULA_PACKET_HDR, NFULA_IFINDEX_INDEV, NFULA_IFINDEX_OUTDEV, NFULA_PAYLOAD, NFULA_PREFIX = 1, 4, 5, 9, 10

# Enough for an ICMPv6 error with the header of the packet that it is about.
COPIED_BYTES = 128

ETHERTYPE = {4: 0x0800, 6: 0x86DD}

# Errors of sending that say what the ruleset did: a drop in the output hook.
DROPPED = PermissionError

logs = {}


def attribute(kind, value):
    padded = value + bytes(-len(value) % 4)
    return struct.pack("=HH", 4 + len(value), kind) + padded


def attributes(data):
    found = {}
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        if length < 4:
            break
        found[kind & 0x7FFF] = data[4:length]
        data = data[(length + 3) & ~3 :]
    return found


def ask_kernel(link, subsystem, message, family, resource, *attrs):
    """One request to nfnetlink, with its acknowledgement."""
    body = struct.pack("!BBH", family, 0, resource) + b"".join(attrs)
    kind = (subsystem << 8) | message
    link.send(struct.pack("=IHHII", 16 + len(body), kind, NLM_F_REQUEST | NLM_F_ACK, 1, 0) + body)
    answer = link.recv(65535)
    _, kind, *_ = struct.unpack_from("=IHHII", answer)
    code = struct.unpack_from("=i", answer, 16)[0] if kind == NLMSG_ERROR else 0
    if code < 0:
        raise OSError(-code, os.strerror(-code))


def forget(_request):
    """Deletes every connection tracking entry of this namespace."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER) as link:
        ask_kernel(link, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_DELETE, 0, 0)


class Log:
    """Everything that is logged to one group, as it comes, until the packets that end a volley have come too."""

    def __init__(self, group):
        self.link = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
        self.link.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 26)

        def configure(*attrs):
            ask_kernel(self.link, NFNL_SUBSYS_ULOG, NFULNL_MSG_CONFIG, 0, group, *attrs)

        configure(attribute(NFULA_CFG_CMD, struct.pack("!B", NFULNL_CFG_CMD_BIND)))
        configure(attribute(NFULA_CFG_MODE, struct.pack("!IBB", COPIED_BYTES, NFULNL_COPY_PACKET, 0)))
        configure(
            attribute(NFULA_CFG_NLBUFSIZ, struct.pack("!I", 1 << 16)),
            attribute(NFULA_CFG_TIMEOUT, struct.pack("!I", 1)),  # Hundredths of a second.
            attribute(NFULA_CFG_QTHRESH, struct.pack("!I", 64)),
        )
        self.devices = {index: name for index, name in socket.if_nameindex()}
        self.records = []
        self.ended = set()
        self.changed = threading.Condition()
        threading.Thread(target=self.collect, daemon=True).start()

    def collect(self):
        while True:
            data = self.link.recv(1 << 20)  # Raises ENOBUFS, and ends the log, where a record was lost.
            with self.changed:
                while len(data) >= 16:
                    length, kind, *_ = struct.unpack_from("=IHHII", data)
                    if kind == (NFNL_SUBSYS_ULOG << 8) | NFULNL_MSG_PACKET:
                        self.add(attributes(data[20:length]))
                    data = data[(length + 3) & ~3 :]
                self.changed.notify_all()

    def add(self, found):
        prefix = found.get(NFULA_PREFIX, b"\0")[:-1].decode()
        _, hook, _ = struct.unpack("!HBB", found[NFULA_PACKET_HDR])
        packet = found[NFULA_PAYLOAD]
        if prefix == "end":
            self.ended.add(tag_of(packet))
            return
        incoming, outgoing = (self.device(found.get(kind)) for kind in (NFULA_IFINDEX_INDEV, NFULA_IFINDEX_OUTDEV))
        self.records.append([prefix, hook, incoming, outgoing, packet.hex()])

    def device(self, index):
        return self.devices[struct.unpack("!I", index)[0]] if index else None

    def take(self, ends, timeout):
        """All records, once the given packets have ended the volley."""
        deadline = time.monotonic() + timeout
        with self.changed:
            while not self.ended.issuperset(ends):
                if not self.changed.wait(max(0, deadline - time.monotonic())):
                    missing = sorted(set(ends) - self.ended)
                    raise RuntimeError(f"the observer never saw the packets {missing}, which end the volley")
            taken, self.records = self.records, []
            self.ended.clear()
        return taken


def tag_of(packet):
    if packet[0] >> 4 == 4:
        return struct.unpack_from("!H", packet, 4)[0]
    return struct.unpack_from("!I", packet)[0] & 0xFFFFF


def watch(request):
    """Begins to read a log group."""
    logs[request["group"]] = Log(request["group"])


def watched(request):
    """What the group logged, from the last call on, until the packets of these tags came."""
    return logs[request["group"]].take(request["ends"], request["timeout"])


def shoot(request):
    """Sends packets as fast as it can, in order. Those with a device go onto it, to the hardware address that is told;
    the others go along this host's own output path, routed by their type of service and marked as wanted."""
    # All on one processor: the packets then come through the kernel's queues in the order in which they were sent.
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    link = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)
    raws = {}
    try:
        for device, mac, text in request["packets"]:
            packet = bytes.fromhex(text)
            version = packet[0] >> 4
            if device is not None:
                link.sendto(packet, (device, ETHERTYPE[version], 0, 0, bytes.fromhex(mac.replace(":", ""))))
                continue
            try:
                send_out(raws, packet, version, request["mark"])
            except DROPPED:
                pass
            except OSError as error:
                raise RuntimeError(f"{error}: {text}") from error
    finally:
        link.close()
        for raw in raws.values():
            raw.close()


def send_out(raws, packet, version, mark):
    service = packet[1] if version == 4 else (struct.unpack_from("!H", packet)[0] >> 4) & 0xFF
    if (version, service) not in raws:
        raws[version, service] = open_raw(version, service, mark)
    if version == 4:
        destination = (socket.inet_ntop(socket.AF_INET, packet[16:20]), 0)
    else:
        destination = (socket.inet_ntop(socket.AF_INET6, packet[24:40]), 0, 0, 0)
    raws[version, service].sendto(packet, destination)


def open_raw(version, service, mark):
    raw = socket.socket(socket.AF_INET if version == 4 else socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, mark)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    if version == 4:
        raw.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, service)
        raw.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
    else:
        raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, service)
        raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 0)
    return raw
