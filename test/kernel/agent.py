"""The laboratory's hand inside one network namespace.

Reads one JSON request a line from standard input and answers each with one JSON line, in any order:
{"id": 7, "op": "ping", ...} -> {"id": 7, "value": true} or {"id": 7, "error": "..."}.

It ends, and takes everything it started along, when standard input closes; so nothing survives a test run that was
killed. Only the standard library is used: the suite runs wherever Debian's python3 does.
"""

import concurrent.futures
import errno
import ipaddress
import itertools
import json
import os
import select
import selectors
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

import netqueue
import tagged

ETH_P_ALL = 3
ETHERTYPE = {4: 0x0800, 6: 0x86DD}

# Seconds in which the kernel carries a packet to the other end of a cable, and the most that it may take on a busy machine.
SETTLING = 0.1
PATIENCE = 5

# Not in Python's socket module.
IP_RECVERR, IPV6_RECVERR = 11, 25

captures = {}
children = []
answer_lock = threading.Lock()


def family_of(address):
    return socket.AF_INET6 if ipaddress.ip_address(address).version == 6 else socket.AF_INET


def kind_of(protocol):
    return {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}[protocol]


def sysctl(request):
    """Writes settings of this namespace: /proc/sys/net shows the namespace of whoever opens it."""
    for name, value in request["values"].items():
        with open("/proc/sys/" + name.replace(".", "/"), "w", encoding="ascii") as file:
            file.write(str(value))


def read_sysctl(request):
    with open("/proc/sys/" + request["name"].replace(".", "/"), encoding="ascii") as file:
        return file.read().strip()


def settle():
    """Waits until what was sent has arrived: until each processor's queue of packets was seen empty once."""
    time.sleep(SETTLING)
    deadline = time.monotonic() + PATIENCE
    busy = None
    while busy != set() and time.monotonic() < deadline:
        with open("/proc/net/softnet_stat", encoding="ascii") as file:
            rows = [[int(number, 16) for number in line.split()] for line in file]
        # The twelfth number is the length of the queue, the one after it the processor (since Linux 5.14).
        waiting = {row[12] for row in rows if row[11] > 0}
        busy = waiting if busy is None else busy & waiting
        if busy:
            time.sleep(0.002)


def send(request):
    """Sends whole IP packets, given in hexadecimal: along this host's own output path, or straight onto a device."""
    packets = [bytes.fromhex(packet) for packet in request["packets"]]
    if "device" in request:
        with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM) as link:
            mac = bytes.fromhex(request["mac"].replace(":", ""))
            for packet in packets:
                link.sendto(packet, (request["device"], ETHERTYPE[packet[0] >> 4], 0, 0, mac))
        settle()
        return
    sockets = {}
    try:
        for packet in packets:
            version = packet[0] >> 4
            if version not in sockets:
                family = socket.AF_INET if version == 4 else socket.AF_INET6
                sockets[version] = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW)
            if version == 4:
                destination = (socket.inet_ntop(socket.AF_INET, packet[16:20]), 0)
            else:
                destination = (socket.inet_ntop(socket.AF_INET6, packet[24:40]), 0, 0, request.get("scope", 0))
            try:
                sockets[version].sendto(packet, destination)
            except PermissionError:
                pass  # What the ruleset dropped on output: the experiment reads that elsewhere.
    finally:
        for raw in sockets.values():
            raw.close()
    settle()


def capture(request):
    """Keeps a copy of every IP packet that crosses a device, until `captured` asks for them."""
    link = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
    link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 25)
    link.bind((request["device"], ETH_P_ALL))
    seen = []
    stop = threading.Event()

    def collect():
        selector = selectors.DefaultSelector()
        selector.register(link, selectors.EVENT_READ)
        link.setblocking(False)
        while True:
            ended = stop.is_set()
            if not selector.select(0 if ended else 0.02):
                if ended:
                    break
                continue
            packet, (_, ethertype, kind, *_rest) = link.recvfrom(65535)
            if ethertype in (0x0800, 0x86DD):
                seen.append({"sent": kind == socket.PACKET_OUTGOING, "packet": packet.hex()})
        link.close()

    thread = threading.Thread(target=collect, daemon=True)
    captures[request["key"]] = (thread, stop, seen)
    thread.start()


def captured(request):
    thread, stop, seen = captures.pop(request["key"])
    settle()
    stop.set()
    thread.join()
    return seen


def serve(request):
    """Answers on one address and port: with who asked (`who`), or with as many bytes as it is told (`bulk`)."""
    server = socket.socket(family_of(request["address"]), kind_of(request["protocol"]))
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((request["address"], request["port"]))
    bulk = request.get("bulk", 0)

    def who(peer, local):
        return json.dumps({"peer": list(peer[:2]), "local": list(local[:2])}).encode()

    def answer(connection, peer):
        with connection:
            connection.settimeout(10)
            try:
                connection.recv(64)
                connection.sendall(bytes(bulk) if bulk else who(peer, connection.getsockname()))
            except OSError:
                pass  # The client gave up, which it reports itself.

    def streams():
        server.listen(512)
        while True:
            connection, peer = server.accept()
            threading.Thread(target=answer, args=(connection, peer), daemon=True).start()

    def datagrams():
        while True:
            _, peer = server.recvfrom(65535)
            try:
                server.sendto(who(peer, server.getsockname()), peer)
            except OSError:
                pass  # Dropped on output: the client sees silence.

    if request["protocol"] == "tcp":
        server.listen(512)
    threading.Thread(target=streams if request["protocol"] == "tcp" else datagrams, daemon=True).start()


def open_socket(flow):
    opened = socket.socket(family_of(flow["to"]), kind_of(flow["protocol"]))
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    opened.settimeout(flow["timeout"])
    if "from" in flow or "fromPort" in flow:
        wildcard = "::" if opened.family == socket.AF_INET6 else "0.0.0.0"
        opened.bind((flow.get("from", wildcard), flow.get("fromPort", 0)))
    return opened


def failure(error):
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, ConnectionResetError):
        return "reset"
    if isinstance(error, TimeoutError):
        return "silence"
    if isinstance(error, PermissionError):
        return "forbidden"
    if error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EACCES):
        return "unreachable"
    if error.errno == errno.EMSGSIZE:
        return "oversized"
    raise error


def ask_one(flow, meet):
    try:
        with open_socket(flow) as opened:
            try:
                opened.connect((flow["to"], flow["port"]))
            finally:
                meet()
            opened.sendall(bytes(flow.get("size", 8)))
            answer = b""
            while True:
                part = opened.recv(65535)
                answer += part
                if not part or flow["protocol"] == "udp":
                    break
            return {"outcome": "answered", **json.loads(answer)} if answer else {"outcome": "closed"}
    except OSError as error:
        return {"outcome": failure(error)}


def ask(request):
    """Asks `who` servers, some flows at a time, and tells how each ended. Flows `together` are all open at one moment."""
    flows = request["flows"]
    together = request.get("together", False)
    meet = threading.Barrier(len(flows), timeout=30).wait if together else lambda: None
    with concurrent.futures.ThreadPoolExecutor(len(flows) if together else request.get("atOnce", 16)) as pool:
        return list(pool.map(ask_one, flows, itertools.repeat(meet)))


def download(request):
    """How many bytes of a `bulk` answer arrive before the end, or before nothing comes any more."""
    received = 0
    try:
        with open_socket(request) as opened:
            opened.connect((request["to"], request["port"]))
            opened.sendall(b"give")
            while part := opened.recv(65535):
                received += len(part)
    except OSError as error:
        failure(error)
    return received


def hops(request):
    """Traceroute: who answers a datagram that may travel one hop, two hops and so on; None where nobody does."""
    found = {}
    with socket.socket(family_of(request["to"]), socket.SOCK_DGRAM) as probe:
        six = probe.family == socket.AF_INET6
        level = socket.IPPROTO_IPV6 if six else socket.IPPROTO_IP
        limit = socket.IPV6_UNICAST_HOPS if six else socket.IP_TTL
        probe.setsockopt(level, IPV6_RECVERR if six else IP_RECVERR, 1)
        for ttl in range(1, request["hops"] + 1):
            probe.setsockopt(level, limit, ttl)
            while True:
                try:
                    probe.sendto(bytes([ttl]), (request["to"], request["port"]))
                    break
                except OSError as error:
                    failure(error)  # That of an earlier datagram, which the queue keeps as well.
        deadline = time.monotonic() + request["timeout"]
        poll = select.poll()
        poll.register(probe, 0)
        while len(found) < request["hops"] and (left := deadline - time.monotonic()) > 0:
            if not poll.poll(left * 1000):
                break
            ttl, reporter = reported(probe)
            found[ttl] = reporter
    return [found.get(ttl) for ttl in range(1, request["hops"] + 1)]


def reported(probe):
    """One error of a socket's queue: the datagram's own byte, and the host that sent the error (`sock_extended_err`)."""
    data, ancillary, _, _ = probe.recvmsg(64, 256, socket.MSG_ERRQUEUE)
    offender = ancillary[0][2][16:]
    family = probe.family
    start, end = (8, 24) if family == socket.AF_INET6 else (4, 8)
    return data[0], socket.inet_ntop(family, offender[start:end])


def memcached(request):
    """Short connections to a memcached, each one `set` and one `get`, one after the other in a few threads."""
    address, port = request["to"], request["port"]

    def once(number):
        value = f"value-{number}"
        try:
            with socket.create_connection((address, port), timeout=request["timeout"]) as connection:
                connection.sendall(f"set k{number} 0 0 {len(value)}\r\n{value}\r\nget k{number}\r\nquit\r\n".encode())
                answer = b""
                while part := connection.recv(4096):
                    answer += part
            return answer == f"STORED\r\nVALUE k{number} 0 {len(value)}\r\n{value}\r\nEND\r\n".encode()
        except OSError as error:
            failure(error)
            return False

    with concurrent.futures.ThreadPoolExecutor(request.get("atOnce", 8)) as pool:
        return sum(pool.map(once, range(request["connections"])))


def plugged(request):
    """Waits until a device sends: the kernel drops what it is given in the moment between the cable and the driver."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with open(f"/sys/class/net/{request['device']}/operstate", encoding="ascii") as file:
            if file.read().strip() == "up":
                return
        time.sleep(0.002)
    raise RuntimeError(f"{request['device']} does not come up")


def run(request):
    """Runs a program to its end. Much cheaper than `ip netns exec`, which makes a mount namespace for each program."""
    done = subprocess.run(
        request["command"], input=request["input"], capture_output=True, text=True, errors="replace", check=False
    )
    return {"code": done.returncode, "stdout": done.stdout, "stderr": done.stderr}


def spawn(request):
    """Starts a program that ends with this agent, and waits until it listens."""
    child = subprocess.Popen(
        request["command"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    children.append(child)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if child.poll() is not None:
            raise RuntimeError(f"{request['command'][0]} ended with code {child.returncode}")
        if listens(request["port"]):
            return
        time.sleep(0.02)
    raise RuntimeError(f"{request['command'][0]} does not listen on port {request['port']}")


def listens(port):
    wanted = f":{port:04X}"
    for table in ("/proc/self/net/tcp", "/proc/self/net/tcp6"):
        with open(table, encoding="ascii") as file:
            if any(line.split()[1].endswith(wanted) and line.split()[3] == "0A" for line in file.readlines()[1:]):
                return True
    return False


def hold(request):
    """Keeps a UDP socket open on a port, so that the port is not closed, and never answers."""
    opened = socket.socket(family_of(request["address"]), socket.SOCK_DGRAM)
    opened.bind((request["address"], request["port"]))
    captures[("hold", request["address"], request["port"])] = opened


def answer_to(request):
    try:
        value = OPERATIONS[request["op"]](request)
        answer = {"id": request["id"], "value": value}
    except Exception as error:  # Whatever went wrong, the test that asked must hear of it.
        answer = {"id": request["id"], "error": f"{type(error).__name__}: {error}"}
    with answer_lock:
        print(json.dumps(answer), flush=True)


OPERATIONS = {
    operation.__name__: operation
    for operation in (
        *(sysctl, read_sysctl, send, capture, captured, serve, ask, download, hops, memcached, plugged, run, spawn, hold),
        *(netqueue.hold_back, netqueue.let_go),
        *(tagged.forget, tagged.watch, tagged.watched, tagged.shoot),
    )
}


def main():
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the test runner closes us in order.
    for line in sys.stdin:
        threading.Thread(target=answer_to, args=(json.loads(line),), daemon=True).start()
    for child in children:
        child.kill()
    for child in children:
        child.wait()
    os._exit(0)


main()
