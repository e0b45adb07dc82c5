import { ICMP, ICMPV6, type Packet, TCP } from "../policy/packet.ts";

/*
 * What users and administrators notice. The facts were measured on a 6.18 kernel: see `test/kernel/facts/`.
 */

const isEcho = ({ protocol }: Packet): boolean => protocol === ICMP || protocol === ICMPV6;

/** What comes of an untracked packet whose reply is dropped. */
export function replyLost(packet: Packet): string {
  if (isEcho(packet)) return "every echo times out";
  if (packet.protocol !== TCP) return "every request times out";
  switch (packet.path) {
    case "input":
    case "loopback":
      return "no connection ever opens: the SYN arrives, the answer is dropped, and this host keeps a socket in SYN_RECV until it gives up";
    case "forward":
      return "no connection ever opens: the server answers the SYN, the answer is dropped here, and the server keeps a socket in SYN_RECV until it gives up";
    case "output":
      return "no connection ever opens: the SYN leaves, its answer is dropped, and the socket stays in SYN_SENT until it gives up";
  }
}

/** What comes of an untracked packet whose reply connection tracking sees. */
export function replyAloneTracked(packet: Packet): string {
  const dropsInvalid = packet.path !== "input" && packet.path !== "loopback";
  if (packet.protocol === TCP)
    return dropsInvalid
      ? "Tracking never saw the SYN, so the SYN-ACK is INVALID and dropped: no connection ever opens."
      : "Tracking never saw the SYN, so the SYN-ACK is INVALID, and the segments after it are taken for a flow that was already open: each connection leaves an [UNREPLIED] entry in the table that untracking was meant to spare.";
  if (isEcho(packet))
    return dropsInvalid
      ? "Tracking never saw the echo request, so the answer is INVALID and dropped: every echo times out."
      : "Tracking never saw the echo request, so the answer is INVALID: it passes as long as nothing drops that, here or further on.";
  return "Tracking never saw the request, so it takes every reply for a new flow: each leaves an [UNREPLIED] entry that nothing ever confirms.";
}

/** What comes of a packet that opens a tracked flow whose replies raw leaves untracked. */
export function requestAloneTracked(packet: Packet): string {
  if (packet.protocol === TCP)
    return packet.path === "output" || packet.path === "loopback"
      ? "the flow stays [UNREPLIED] in SYN_SENT, every segment after the SYN is INVALID, and one entry leaks for each attempt"
      : "the flow stays [UNREPLIED] in SYN_SENT, every segment after the SYN is INVALID and dropped, and one entry leaks for each attempt";
  return "no reply ever confirms the flow: its entry dies young, its NAT with it, and the next packet starts over";
}
