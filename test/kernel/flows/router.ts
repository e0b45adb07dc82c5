import { expect } from "vitest";
import { head, nat, symmetric, tracked, untracked } from "../../lint/support.ts";
import { crowd, download, exchange, flood, fragments, ping, traceroute } from "./conversations.ts";
import { BULK, CLOSED, CROWD, FLOOD, SERVED, type Story, TRACED } from "./stage.ts";
import { CLOSED_HOST, NO_ESSENTIALS, OPEN_HOST, scene, ways } from "./ways.ts";

/*
 * Conversations between two hosts without a policy, `left` and `right`, through a router that has one, `near`: eth0 leads
 * to `left`, and eth1, by a narrow path, to `right`.
 */

const all = { answered: FLOOD };
const none = { answered: 0 };
const LEFT = "10.2.0.0/24, 2001:db8:2::/64";

/** What a crowd is told: how many are answered, each apart from the others. */
const told = (answered: number, kept: unknown, knownAs = "near") => ({
  answered,
  silence: CROWD - answered,
  knownAs: [knownAs],
  apart: answered,
  kept,
});

/** Nothing arrives here or is passed on but what a rule allows; what the router says itself needs none. */
const TALKATIVE = head("defaults: { input: deny, forward: deny, output: allow }");

/** Before routing the packet looks like one that leaves by eth9, so it is untracked when the second rule decides. */
const leftUntracked = (action: "reject" | "deny", protocol: string) => [
  symmetric(`allow ${protocol} from any to any port ${SERVED} in eth0 out eth9`),
  tracked(`${action} ${protocol} from any to any port ${SERVED}`),
];

export const ROUTER: readonly Story[] = [
  {
    title: "a TCP connection through the router, from handshake to close",
    talk: exchange("tcp", "left"),
    scenes: [
      // The SYN-ACK is invalid, which a router drops.
      ...ways(`allow tcp from any to any port ${SERVED} in eth0`, "answered", {
        ends: "silence",
        entries: 0,
      }),
      scene(
        "denied before it is tracked",
        [OPEN_HOST, untracked(`deny tcp from any to any port ${SERVED} out eth1`)],
        "silence",
        0,
      ),
    ],
  },
  {
    title: "a flood of half-open TCP connections through the router",
    talk: flood,
    scenes: [
      scene("untracked, both ways", [CLOSED_HOST, symmetric("allow tcp from any to any in eth1")], all, 0),
      scene("tracked", [CLOSED_HOST, tracked("allow tcp from any to any in eth1")], all, FLOOD),
      scene(
        "denied before it is tracked",
        [OPEN_HOST, untracked("deny tcp from any to any in eth1")],
        none,
        0,
      ),
    ],
  },
  {
    title: "a UDP request through the router",
    talk: exchange("udp", "left"),
    // Each answer is taken for a flow of its own.
    scenes: ways(`allow udp from any to any port ${SERVED} in eth0`, "answered", {
      ends: "answered",
      entries: 1,
    }),
  },
  {
    title: "a UDP request in fragments through the router",
    talk: fragments("left"),
    scenes: [
      ...ways(`allow udp from any to any port ${SERVED} in eth0`, "answered", {
        ends: "answered",
        entries: 1,
      }),
      scene(
        "allowed on another port",
        [CLOSED_HOST, symmetric("allow udp from any to any port 7 in eth0")],
        "silence",
        0,
      ),
    ],
  },
  {
    title: "a ping through the router",
    talk: ping("left"),
    scenes: ways("allow icmp echo-request from any to any in eth0", "answered", {
      ends: "silence",
      entries: 0,
    }),
  },
  {
    title: "traceroute through the router",
    talk: traceroute("left"),
    scenes: [
      scene(
        "untracked",
        [CLOSED_HOST, symmetric(`allow udp from any to any port ${TRACED} in eth0`)],
        ["near", "far", "right"],
        0,
      ),
      scene(
        "tracked",
        [CLOSED_HOST, tracked(`allow udp from any to any port ${TRACED} in eth0`)],
        ["near", "far", "right"],
        1,
      ),
      scene(
        "untracked, and no essentials",
        [CLOSED_HOST, ...NO_ESSENTIALS, symmetric(`allow udp from any to any port ${TRACED} in eth0`)],
        ["silence", "silence", "silence"],
        0,
      ),
      scene(
        "untracked, no essentials, and what the router says itself allowed",
        [TALKATIVE, ...NO_ESSENTIALS, symmetric(`allow udp from any to any port ${TRACED} in eth0`)],
        ["near", "silence", "silence"],
        0,
      ),
    ],
  },
  {
    title: "a large answer that the router cannot pass on",
    talk: download("right"),
    scenes: [
      scene(
        "untracked",
        [CLOSED_HOST, symmetric(`allow tcp from any to any port ${BULK.port} in eth1`)],
        BULK.bytes,
        0,
      ),
      scene(
        "tracked",
        [CLOSED_HOST, tracked(`allow tcp from any to any port ${BULK.port} in eth1`)],
        BULK.bytes,
        1,
      ),
      scene(
        "untracked, and no essentials: a black hole",
        [CLOSED_HOST, ...NO_ESSENTIALS, symmetric(`allow tcp from any to any port ${BULK.port} in eth1`)],
        0,
        0,
      ),
    ],
  },
  {
    title: "the error about a datagram to a closed port, through the router",
    talk: exchange("udp", "left", { port: CLOSED }),
    scenes: [
      scene(
        "untracked",
        [CLOSED_HOST, symmetric(`allow udp from any to any port ${CLOSED} in eth0`)],
        "refused",
        0,
      ),
      scene(
        "tracked",
        [CLOSED_HOST, tracked(`allow udp from any to any port ${CLOSED} in eth0`)],
        "refused",
        1,
      ),
      scene(
        "untracked, and no essentials",
        [CLOSED_HOST, ...NO_ESSENTIALS, symmetric(`allow udp from any to any port ${CLOSED} in eth0`)],
        "silence",
        0,
      ),
    ],
  },
  {
    title: "the reset of a closed port, through the router",
    talk: exchange("tcp", "left", { port: CLOSED }),
    // A reset ends the flow that it answers, and its entry with it.
    scenes: ways(`allow tcp from any to any port ${CLOSED} in eth0`, "refused", {
      ends: "silence",
      entries: 0,
    }).map((one) => ({ ...one, entries: 0 })),
  },
  ...(["tcp", "udp"] as const).flatMap((protocol) => [
    {
      title: `the answer to ${protocol} that the router rejects`,
      talk: exchange(protocol, "left"),
      scenes: [
        scene(
          "rejected",
          [CLOSED_HOST, tracked(`reject ${protocol} from any to any port ${SERVED}`)],
          "refused",
          0,
        ),
        scene(
          "denied",
          [CLOSED_HOST, tracked(`deny ${protocol} from any to any port ${SERVED}`)],
          "silence",
          0,
        ),
      ],
    },
    {
      title: `the answer to untracked ${protocol} that the router rejects`,
      talk: exchange(protocol, "left"),
      scenes: [
        scene("rejected", [TALKATIVE, ...leftUntracked("reject", protocol)], "refused", 0),
        // An ICMP error is essential. A reset is a packet that this host sends, and belongs to no flow.
        scene(
          "rejected, where the host itself may send nothing",
          [CLOSED_HOST, ...leftUntracked("reject", protocol)],
          protocol === "tcp" ? "silence" : "refused",
          0,
        ),
        scene("denied", [TALKATIVE, ...leftUntracked("deny", protocol)], "silence", 0),
      ],
    },
    {
      title: `a crowd's ${protocol} flows from one source port, masqueraded`,
      talk: crowd(protocol, 5000),
      scenes: [
        scene(
          "ports at random",
          [CLOSED_HOST, tracked("allow from any to any in eth0"), nat("masquerade out eth1")],
          told(CROWD, expect.any(Number)),
          CROWD,
        ),
        scene(
          "ports of a range",
          [
            CLOSED_HOST,
            tracked("allow from any to any in eth0"),
            nat("masquerade tcp out eth1 -> ports 6000-6999", "masquerade udp out eth1 -> ports 6000-6999"),
          ],
          told(CROWD, 0),
          CROWD,
        ),
        scene(
          "fewer ports than flows",
          [
            CLOSED_HOST,
            tracked("allow from any to any in eth0"),
            nat("masquerade tcp out eth1 -> ports 6000-6015", "masquerade udp out eth1 -> ports 6000-6015"),
          ],
          told(16, 0),
          16,
        ),
        {
          ...scene(
            "untracked",
            [
              CLOSED_HOST,
              symmetric("allow from any to any in eth0"),
              nat(`masquerade from ${LEFT} out eth1`),
            ],
            told(CROWD, CROWD, "left"),
            0,
          ),
          refused: "untracked-nat",
        },
      ],
    },
    {
      // Kept ports are what flows race for: the one that loses is dropped, and asks again.
      title: `a crowd's ${protocol} flows from one source port, masqueraded, each of which may ask twice`,
      talk: crowd(protocol, 5000, true),
      scenes: [
        scene(
          "ports kept where they can be",
          [CLOSED_HOST, tracked("allow from any to any in eth0"), nat("masquerade out eth1 keep-ports")],
          told(CROWD, 1),
          CROWD,
        ),
        scene(
          "ports of a range",
          [
            CLOSED_HOST,
            tracked("allow from any to any in eth0"),
            nat("masquerade tcp out eth1 -> ports 6000-6999", "masquerade udp out eth1 -> ports 6000-6999"),
          ],
          told(CROWD, 0),
          CROWD,
        ),
      ],
    },
  ]),
];
