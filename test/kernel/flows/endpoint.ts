import { symmetric, symmetricBoth, tracked, untracked } from "../../lint/support.ts";
import { download, exchange, exchangeWithin, flood, fragments, ping, traceroute } from "./conversations.ts";
import { BULK, CLOSED, FLOOD, SERVED, type Story, TRACED } from "./stage.ts";
import { CLOSED_HOST, NO_ESSENTIALS, OPEN_HOST, scene, ways } from "./ways.ts";

/**
 * Conversations of a host that has a policy, `left`, with one that has none, `right`. There are two routers between them.
 */

const all = { answered: FLOOD };
const none = { answered: 0 };

export const ENDPOINT: readonly Story[] = [
  {
    title: "a TCP connection to the host, from handshake to close",
    talk: exchange("tcp", "right"),
    scenes: [
      // The SYN-ACK is invalid, and what follows it is taken for a flow of its own.
      ...ways(`allow tcp from any to self port ${SERVED}`, "answered", { ends: "answered", entries: 1 }),
      scene(
        "denied before it is tracked",
        [OPEN_HOST, untracked(`deny tcp from any to self port ${SERVED}`)],
        "silence",
        0,
      ),
      scene("denied", [OPEN_HOST, tracked(`deny tcp from any to self port ${SERVED}`)], "silence", 0),
    ],
  },
  {
    title: "a TCP connection from the host",
    talk: exchange("tcp", "left"),
    scenes: ways(`allow tcp from self to any port ${SERVED}`, "answered", { ends: "silence", entries: 0 }),
  },
  {
    title: "a TCP connection from the port that the host serves on",
    talk: exchange("tcp", "left", { fromPort: CLOSED }),
    scenes: [
      scene("mirrored", [symmetric(`allow tcp from any to self port ${CLOSED}`)], "silence", 0),
      scene("mirrored plainly", [symmetricBoth(`allow tcp from any to self port ${CLOSED}`)], "answered", 0),
    ],
  },
  {
    title: "a TCP connection over loopback",
    talk: exchangeWithin("tcp"),
    scenes: [
      scene(
        "untracked, both ways",
        [CLOSED_HOST, symmetric(`allow tcp from any to self port ${SERVED} in lo`)],
        "answered",
        0,
      ),
      scene("tracked", [CLOSED_HOST, tracked("allow tcp from any to self port 22")], "answered", 1),
      // Loopback is essential, and passes in whatever state it is.
      scene(
        "untracked, and no way back",
        [CLOSED_HOST, untracked(`allow tcp from any to self port ${SERVED} in lo`)],
        "answered",
        1,
      ),
      scene(
        "untracked, no way back and no essentials",
        [CLOSED_HOST, ...NO_ESSENTIALS, untracked(`allow tcp from any to self port ${SERVED} in lo`)],
        "silence",
        0,
        "untracked-reply-denied",
      ),
    ],
  },
  {
    title: "a TCP connection over loopback from the port that the host serves on",
    talk: exchangeWithin("tcp", { fromPort: CLOSED }),
    scenes: [
      // Denies are not consulted on an essential loopback. Only the way back is left untracked there.
      scene("mirrored", [symmetric(`allow tcp from any to self port ${CLOSED}`)], "answered", 1),
      scene("mirrored plainly", [symmetricBoth(`allow tcp from any to self port ${CLOSED}`)], "answered", 0),
    ],
  },
  {
    title: "a flood of half-open TCP connections",
    talk: flood,
    scenes: [
      scene("untracked, both ways", [CLOSED_HOST, symmetric("allow tcp from any to self")], all, 0),
      scene("tracked", [CLOSED_HOST, tracked("allow tcp from any to self")], all, FLOOD),
      scene(
        "untracked, and the way back tracked",
        [untracked("allow tcp from any to self")],
        all,
        0,
        "half-tracked-flow",
      ),
      scene("denied before it is tracked", [OPEN_HOST, untracked("deny tcp from any to self")], none, 0),
      scene("denied", [CLOSED_HOST, tracked("deny tcp from any to self")], none, 0),
    ],
  },
  {
    title: "a UDP request to the host",
    talk: exchange("udp", "right"),
    scenes: ways(`allow udp from any to self port ${SERVED}`, "answered", { ends: "answered", entries: 1 }),
  },
  {
    title: "a UDP request from the host",
    talk: exchange("udp", "left"),
    scenes: ways(`allow udp from self to any port ${SERVED}`, "answered", { ends: "answered", entries: 1 }),
  },
  {
    title: "a UDP request in fragments to the host",
    talk: fragments("right"),
    scenes: [
      ...ways(`allow udp from any to self port ${SERVED}`, "answered", { ends: "answered", entries: 1 }),
      scene(
        "denied by its port before it is tracked",
        [OPEN_HOST, untracked(`deny udp from any to self port ${SERVED}`)],
        "silence",
        0,
      ),
      scene(
        "allowed on another port",
        [CLOSED_HOST, symmetric("allow udp from any to self port 7")],
        "silence",
        0,
      ),
    ],
  },
  {
    title: "a ping to the host",
    talk: ping("right"),
    scenes: ways("allow icmp echo-request from any to self", "answered", { ends: "answered", entries: 0 }),
  },
  {
    title: "a ping from the host",
    talk: ping("left"),
    scenes: ways("allow icmp echo-request from self to any", "answered", { ends: "silence", entries: 0 }),
  },
  {
    title: "traceroute from the host",
    talk: traceroute("left"),
    scenes: [
      scene(
        "untracked",
        [CLOSED_HOST, symmetric(`allow udp from self to any port ${TRACED}`)],
        ["near", "far", "right"],
        0,
      ),
      scene(
        "tracked",
        [CLOSED_HOST, tracked(`allow udp from self to any port ${TRACED}`)],
        ["near", "far", "right"],
        1,
      ),
      scene(
        "untracked, and no essentials",
        [CLOSED_HOST, ...NO_ESSENTIALS, symmetric(`allow udp from self to any port ${TRACED}`)],
        ["silence", "silence", "silence"],
        0,
      ),
    ],
  },
  {
    title: "a large answer through a narrow path",
    talk: download("right"),
    scenes: [
      scene(
        "untracked",
        [CLOSED_HOST, symmetric(`allow tcp from any to self port ${BULK.port}`)],
        BULK.bytes,
        0,
      ),
      scene("tracked", [CLOSED_HOST, tracked(`allow tcp from any to self port ${BULK.port}`)], BULK.bytes, 1),
      scene(
        "untracked, and no essentials: a black hole",
        [CLOSED_HOST, ...NO_ESSENTIALS, symmetric(`allow tcp from any to self port ${BULK.port}`)],
        0,
        0,
      ),
      scene(
        "tracked, and no essentials",
        [CLOSED_HOST, ...NO_ESSENTIALS, tracked(`allow tcp from any to self port ${BULK.port}`)],
        BULK.bytes,
        1,
      ),
    ],
  },
  {
    title: "the error about a datagram to a closed port of the host",
    talk: exchange("udp", "right", { port: CLOSED }),
    scenes: [
      scene("untracked", [CLOSED_HOST, symmetric(`allow udp from any to self port ${CLOSED}`)], "refused", 0),
      scene("tracked", [CLOSED_HOST, tracked(`allow udp from any to self port ${CLOSED}`)], "refused", 1),
      scene(
        "untracked, and no essentials",
        [CLOSED_HOST, ...NO_ESSENTIALS, symmetric(`allow udp from any to self port ${CLOSED}`)],
        "silence",
        0,
      ),
    ],
  },
  {
    title: "the error about a datagram of the host to a closed port",
    talk: exchange("udp", "left", { port: CLOSED }),
    scenes: [
      scene("untracked", [CLOSED_HOST, symmetric(`allow udp from self to any port ${CLOSED}`)], "refused", 0),
      scene("tracked", [CLOSED_HOST, tracked(`allow udp from self to any port ${CLOSED}`)], "refused", 1),
      scene(
        "untracked, and no essentials",
        [CLOSED_HOST, ...NO_ESSENTIALS, symmetric(`allow udp from self to any port ${CLOSED}`)],
        "silence",
        0,
      ),
    ],
  },
  {
    title: "the reset of a closed port of the host",
    talk: exchange("tcp", "right", { port: CLOSED }),
    // A reset ends the flow that it answers, and its entry with it.
    scenes: ways(`allow tcp from any to self port ${CLOSED}`, "refused", { ends: "refused", entries: 0 }).map(
      (one) => ({ ...one, entries: 0 }),
    ),
  },
  ...(["tcp", "udp"] as const).map((protocol) => ({
    title: `the answer to ${protocol} that the host rejects`,
    talk: exchange(protocol, "right"),
    scenes: [
      scene(
        "rejected",
        [CLOSED_HOST, tracked(`reject ${protocol} from any to self port ${SERVED}`)],
        "refused",
        0,
      ),
      scene(
        "denied",
        [CLOSED_HOST, tracked(`deny ${protocol} from any to self port ${SERVED}`)],
        "silence",
        0,
      ),
    ],
  })),
];
