import type { Check } from "../check.ts";

/** Source NAT that keeps ports. Two flows that race for one port lose a packet, and wait for its retransmission. */
export const keepPorts: Check = {
  name: "keep-ports",
  level: "warning",
  run({ document }, report) {
    for (const node of document.nat) {
      if (node.kind !== "masquerade" && node.kind !== "snat") continue;
      if (!node.keepPorts) continue;
      report({
        message: "source ports are kept, so two flows can race for one port",
        span: node.keepPorts,
        notes: [
          "Connection tracking picks the port of a new flow before it remembers the flow. Two packets that arrive together can get the same port; one of them is dropped when the second flow is remembered, and its sender waits one second, or three, before it tries again.",
        ],
        help: "take `keep-ports` out unless something behind this NAT needs to know its own port",
        fix: {
          title: "take `keep-ports` out",
          edits: [{ span: withBlankBefore(node.keepPorts), text: "" }],
          safe: false,
        },
      });
    }
  },
};

function withBlankBefore<T extends { readonly source: { readonly text: string }; readonly start: number }>(
  span: T,
): T {
  const before = span.source.text.slice(0, span.start);
  return { ...span, start: before.trimEnd().length };
}
