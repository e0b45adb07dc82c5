"""Holds packets back at a hook (nfnetlink_queue), so that several are under way at one moment. Part of the agent: see `agent.py`."""

import socket
import struct

from tagged import NETLINK_NETFILTER, NLM_F_REQUEST, ask_kernel, attribute, attributes

NFNL_SUBSYS_QUEUE, NFQNL_MSG_PACKET, NFQNL_MSG_VERDICT, NFQNL_MSG_CONFIG = 3, 0, 1, 2
NFQA_CFG_CMD, NFQA_CFG_PARAMS = 1, 2
NFQA_PACKET_HDR, NFQA_VERDICT_HDR = 1, 2
NFQNL_CFG_CMD_BIND, NFQNL_COPY_META = 1, 1
NF_ACCEPT = 1

queues = {}


def hold_back(request):
    """Holds back what a rule sends to a queue from now on."""
    link = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
    link.settimeout(request["timeout"])
    for attr in (
        attribute(NFQA_CFG_CMD, struct.pack("!BBH", NFQNL_CFG_CMD_BIND, 0, 0)),
        attribute(NFQA_CFG_PARAMS, struct.pack("!IB", 0, NFQNL_COPY_META)),
    ):
        ask_kernel(link, NFNL_SUBSYS_QUEUE, NFQNL_MSG_CONFIG, 0, request["queue"], attr)
    queues[request["queue"]] = link


def let_go(request):
    """Waits until so many packets are held back, and lets all of them go on, in order."""
    with queues.pop(request["queue"]) as link:
        held = []
        while len(held) < request["count"]:
            data = link.recv(1 << 16)
            while len(data) >= 16:
                length, kind, *_ = struct.unpack_from("=IHHII", data)
                if kind == (NFNL_SUBSYS_QUEUE << 8) | NFQNL_MSG_PACKET:
                    held.append(struct.unpack_from("!I", attributes(data[20:length])[NFQA_PACKET_HDR])[0])
                data = data[(length + 3) & ~3 :]
        for number in held:
            body = struct.pack("!BBH", 0, 0, request["queue"])
            body += attribute(NFQA_VERDICT_HDR, struct.pack("!II", NF_ACCEPT, number))
            kind = (NFNL_SUBSYS_QUEUE << 8) | NFQNL_MSG_VERDICT
            link.send(struct.pack("=IHHII", 16 + len(body), kind, NLM_F_REQUEST, 0, 0) + body)
