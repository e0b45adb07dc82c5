import { describe, expect, test } from "vitest";
import { type Decision, evaluate } from "../../src/policy/evaluate.ts";
import type { TrackedState } from "../../src/policy/packet.ts";
import { parsePacket } from "../../src/policy/parse-packet.ts";
import type { Policy } from "../../src/policy/policy.ts";
import { translated } from "../support/journey.ts";
import { policyOf } from "../support/policy.ts";

/** The policies of a host, in a few words: `untracked:` and the like start a policy, `-` a rule. */
function host(text: string, head: readonly string[] = []): Policy {
  const flags: Record<string, string[]> = {
    tracked: [],
    untracked: ["doNotTrack: true"],
    symmetric: ["doNotTrack: true", "symmetricAllow: true"],
    both: ["doNotTrack: true", "symmetricAllow: both"],
  };
  const lines = text
    .trim()
    .split("\n")
    .map((line) => line.trim());
  const body = lines.flatMap((line, i) =>
    line.startsWith("-")
      ? [`      ${line}`]
      : [`  - name: p${i}`, ...flags[line.slice(0, -1)]!.map((flag) => `    ${flag}`), "    rules:"],
  );
  return policyOf(["version: 1", ...head, "policies:", ...body, ""].join("\n"));
}

function decide(policy: Policy, text: string, state: TrackedState = "new", room = true): Decision {
  const packet = parsePacket(text, policy.self);
  if ("fault" in packet) throw new Error(packet.fault);
  return evaluate(policy, packet, { state, withinLimit: () => room, translate: translated });
}

/** `allow`, `deny` or `reject`, with `untracked` or `early` where that is so. */
function fate(policy: Policy, text: string, state: TrackedState = "new", room = true): string {
  const { verdict, tracked, droppedEarly } = decide(policy, text, state, room);
  return verdict + (droppedEarly ? " early" : tracked ? "" : " untracked");
}

describe("order", () => {
  const policy = host(`
    tracked:
    - deny tcp from 10.0.0.0/8 to self port 22
    - allow tcp from any to self port 22
  `);
  test("the first match wins", () => {
    expect(fate(policy, "tcp 10.0.0.1:4000 > self:22 flags syn")).toBe("deny");
    expect(fate(policy, "tcp 192.0.2.9:4000 > self:22 flags syn")).toBe("allow");
  });
  test("what no rule matches meets the default of its path", () => {
    expect(fate(policy, "tcp 192.0.2.9:4000 > self:23")).toBe("deny");
    expect(fate(policy, "tcp 192.0.2.9:4000 > 10.0.0.1:22 in a out b")).toBe("deny");
    expect(fate(policy, "tcp self:22 > 192.0.2.9:4000")).toBe("allow");
  });
  test("a rule whose limit has no room does not match", () => {
    const limited = host("tracked:\n- allow ping from any to self limit 1/second", [
      "services: { ping: icmp echo-request }",
    ]);
    expect(fate(limited, "icmp 10.0.0.1 > self echo-request")).toBe("allow");
    expect(fate(limited, "icmp 10.0.0.1 > self echo-request", "new", false)).toBe("deny");
  });
});

describe("paths", () => {
  test("self decides the path", () => {
    const policy = host("tracked:\n- allow udp from any to self\n- deny udp from self to any");
    expect(fate(policy, "udp 10.0.0.1:1 > 10.9.9.9:2 in a")).toBe("allow");
    expect(fate(policy, "udp 10.0.0.1:1 > 10.9.9.9:2 in a out b")).toBe("deny");
    expect(fate(policy, "udp 10.9.9.9:1 > 10.0.0.1:2 out a")).toBe("deny");
  });
  test("a literal address that is the host's own matches on input too", () => {
    const policy = host("tracked:\n- deny udp from any to 10.9.9.9\n- allow udp from any to self");
    expect(fate(policy, "udp 10.0.0.1:1 > 10.9.9.9:2 in a")).toBe("deny");
  });
  test("host.addresses narrows self", () => {
    const policy = host("tracked:\n- allow udp from any to self", ["host: { addresses: [10.9.9.9] }"]);
    expect(fate(policy, "udp 10.0.0.1:1 > 10.9.9.9:2 in a")).toBe("allow");
    expect(fate(policy, "udp 10.0.0.1:1 > 10.9.9.8:2 in a")).toBe("deny");
    expect(fate(policy, "udp [fd00::1]:1 > [fd00::2]:2 in a")).toBe("deny");
  });
  test("not negates the whole list, over both families", () => {
    const policy = host("tracked:\n- allow udp from not 10.0.0.0/8, 192.0.2.1 to self");
    expect(fate(policy, "udp 10.0.0.1:1 > self:2")).toBe("deny");
    expect(fate(policy, "udp 192.0.2.1:1 > self:2")).toBe("deny");
    expect(fate(policy, "udp 192.0.2.2:1 > self:2")).toBe("allow");
    expect(fate(policy, "udp [fd00::1]:1 > self:2")).toBe("allow");
  });
  test("in excludes what this host sends, out what it receives", () => {
    const policy = host(
      "tracked:\n- deny udp from any to any in not eth9\n- reject udp from any to any out not eth9",
    );
    expect(fate(policy, "udp 10.0.0.1:1 > self:2 in eth0")).toBe("deny");
    expect(fate(policy, "udp 10.0.0.1:1 > self:2 in eth9")).toBe("deny");
    expect(decide(policy, "udp 10.0.0.1:1 > self:2 in eth9").reason.kind).toBe("default");
    expect(fate(policy, "udp self:1 > 10.0.0.1:2 out eth0")).toBe("reject");
  });
  test("a trailing * stands for every device that starts so", () => {
    const policy = host("tracked:\n- allow udp from any to self in wg*");
    expect(fate(policy, "udp 10.0.0.1:1 > self:2 in wg7")).toBe("allow");
    expect(fate(policy, "udp 10.0.0.1:1 > self:2 in eth0")).toBe("deny");
  });
});

describe("tracking", () => {
  const policy = host(`
    untracked:
    - allow udp from any to self port 53
    - deny from 192.0.2.0/24 to any
  `);
  test("an untracked allow bypasses tracking, whatever the state would be", () => {
    for (const state of ["new", "established", "related", "invalid"] as const)
      expect(fate(policy, "udp 10.0.0.1:4000 > self:53", state)).toBe("allow untracked");
  });
  test("an untracked deny drops before tracking, packets of open flows too", () => {
    expect(fate(policy, "tcp 192.0.2.1:4000 > self:22", "established")).toBe("deny early");
  });
  test("packets of open flows pass; what belongs to none is dropped where it arrives", () => {
    expect(fate(policy, "tcp 10.0.0.1:443 > self:4000", "established")).toBe("allow");
    expect(fate(policy, "icmp 10.0.0.1 > self redirect", "related")).toBe("allow");
    expect(decide(policy, "tcp 10.0.0.1:443 > self:4000", "invalid").reason.kind).toBe("invalid");
    expect(fate(policy, "tcp 10.9.9.9:443 > 10.0.0.1:4000 out eth0", "invalid")).toBe("allow");
  });
  test("where nothing is forwarded, no state lets packets pass either", () => {
    const answer = "tcp 10.0.0.1:443 > 10.9.9.9:4000 in eth0 out eth1";
    for (const state of ["established", "related"] as const) {
      expect(decide(policy, answer, state)).toMatchObject({ verdict: "deny", reason: { kind: "default" } });
      for (const text of ["allow tcp from 192.0.2.1 to any port 443", "allow esp from any to any out eth9"])
        expect(fate(host(`tracked:\n- ${text}`), answer, state), text).toBe("allow");
      const open = host("tracked:\n- deny tcp from any to any", ["defaults: { forward: allow }"]);
      expect(fate(open, answer, state)).toBe("allow");
    }
  });
  test("a tracked rule above keeps its packets tracked", () => {
    const guarded = host(`
      tracked:
      - allow udp from 10.0.0.0/8 to self port 53
      untracked:
      - allow udp from any to self port 53
    `);
    expect(fate(guarded, "udp 10.0.0.1:4000 > self:53")).toBe("allow");
    expect(fate(guarded, "udp 192.0.2.1:4000 > self:53")).toBe("allow untracked");
  });
  test("and does so when its limit has no room: then the rules below decide, but nothing untracks", () => {
    const guarded = host(`
      tracked:
      - allow udp from any to self port 53 limit 1/second
      untracked:
      - allow udp from 10.0.0.0/8 to self port 53 limit 1/hour
      - deny udp from 192.0.2.0/24 to self port 53
    `);
    expect(fate(guarded, "udp 10.0.0.1:4000 > self:53", "new", false)).toBe("deny");
    expect(fate(guarded, "udp 192.0.2.9:4000 > self:53", "new", false)).toBe("deny");
    expect(fate(guarded, "udp 10.0.0.1:4000 > self:53", "established", false)).toBe("allow");
  });
});

describe("replies and symmetricAllow", () => {
  test("replies are all TCP packets but openings, and everything of other protocols", () => {
    const policy = host("tracked:\n- allow from any to self replies");
    expect(fate(policy, "tcp 10.0.0.1:80 > self:4000 flags syn")).toBe("deny");
    expect(fate(policy, "tcp 10.0.0.1:80 > self:4000 flags syn,ack")).toBe("allow");
    expect(fate(policy, "tcp 10.0.0.1:80 > self:4000 flags fin")).toBe("allow");
    expect(fate(policy, "udp 10.0.0.1:80 > self:4000")).toBe("allow");
  });
  test("the mirror swaps ends, ports and interfaces, and denies openings back", () => {
    const policy = host("symmetric:\n- allow tcp from 10.1.0.0/16 to self port 11211 in eth0");
    expect(fate(policy, "tcp 10.1.2.3:4000 > self:11211 in eth0 flags syn")).toBe("allow untracked");
    expect(fate(policy, "tcp self:11211 > 10.1.2.3:4000 out eth0 flags syn,ack")).toBe("allow untracked");
    expect(fate(policy, "tcp self:11211 > 10.1.2.3:4000 out eth0 flags syn")).toBe("deny early");
    expect(fate(policy, "tcp self:11211 > 10.1.2.3:4000 out eth1 flags syn,ack")).toBe("allow");
    expect(fate(policy, "tcp self:11212 > 10.1.2.3:4000 out eth0")).toBe("allow");
  });
  test("`both` mirrors without that limit", () => {
    const policy = host("both:\n- allow tcp from 10.1.0.0/16 to self port 11211");
    expect(fate(policy, "tcp self:11211 > 10.1.2.3:4000 flags syn")).toBe("allow untracked");
  });
  test("the mirror of an echo request is the echo reply; what has no reply has no mirror", () => {
    const policy = host(
      "symmetric:\n- allow icmp echo-request from any to self\n- allow icmp4 3 from any to self",
      ["defaults: { output: deny }"],
    );
    expect(fate(policy, "icmp self > 10.0.0.1 echo-reply")).toBe("allow untracked");
    expect(fate(policy, "icmp self > fd00::1 echo-reply")).toBe("allow untracked");
    expect(fate(policy, "icmp self > 10.0.0.1 echo-request")).toBe("deny");
    expect(decide(policy, "icmp self > 10.0.0.1 5/0").reason.kind).toBe("default");
  });
  test("an allow of replies has a mirror that may open", () => {
    const policy = host(`
      symmetric:
      - allow tcp from self port 80 to any replies
      untracked:
      - allow tcp from any to self port 80
    `);
    expect(fate(policy, "tcp 10.0.0.1:4000 > self:80 flags syn")).toBe("allow untracked");
  });
});

describe("essentials", () => {
  const strict = ["defaults: { input: deny, forward: deny, output: deny }"];
  const without = [...strict, "essentials: false"];
  const rules = "untracked:\n- deny from any to any";
  test("loopback passes, and denies have no say there", () => {
    expect(fate(host(rules, strict), "udp 127.0.0.1:1 > 127.0.0.1:2 in lo")).toBe("allow");
    expect(fate(host(rules, without), "udp 127.0.0.1:1 > 127.0.0.1:2 in lo")).toBe("deny early");
  });
  test("neighbour discovery passes, untracked as ever", () => {
    const solicitation = "icmp fe80::1 > ff02::1:ff00:1 neighbour-solicitation in eth0";
    expect(fate(host(rules, strict), solicitation)).toBe("allow untracked");
    expect(fate(host(rules, without), solicitation)).toBe("deny early");
  });
  test("errors about untracked flows pass once anything is untracked, though they are invalid", () => {
    const tooBig = "icmp 10.0.0.1 > self 3/4";
    const tracked = host("tracked:\n- allow tcp from any to self port 80");
    const untracked = host("symmetric:\n- allow tcp from any to self port 80");
    expect(fate(tracked, tooBig, "invalid")).toBe("deny");
    expect(fate(untracked, tooBig, "invalid")).toBe("allow");
    expect(fate(untracked, "icmp 10.0.0.1 > 10.0.0.2 3/4 in a out b", "invalid")).toBe("deny");
  });
});

describe("NAT", () => {
  test("rules see the translated destination, and the first sentence wins", () => {
    const policy = policyOf(`version: 1
policies:
  - name: web
    rules:
      - allow tcp from any to 10.0.0.5 port 81
nat:
  - dnat tcp from any to self port 8080 in eth0 -> 10.0.0.5 port 81
  - redirect tcp from any to self port 8080 -> port 82
  - masquerade from any out eth1
  - snat from any out eth1 -> 192.0.2.40
`);
    const decision = decide(policy, "tcp 8.8.8.8:4000 > 10.0.0.1:8080 in eth0 flags syn");
    expect(decision.verdict).toBe("allow");
    expect(decision.destinationNat?.redirect).toBe(false);
    expect(decision.sourceNat?.masquerade).toBe(true);
    expect(
      decide(policy, "tcp 8.8.8.8:4000 > 10.0.0.1:8080 in eth1 flags syn").destinationNat?.redirect,
    ).toBe(true);
    expect(decide(policy, "tcp 8.8.8.8:4000 > 10.0.0.5:81 in eth0 out eth1", "established")).toMatchObject({
      destinationNat: null,
      sourceNat: null,
    });
  });
  describe("an untracked deny that hangs on where a packet leaves judges what it was translated to", () => {
    const dnat = ["nat: [dnat tcp from any to any -> 10.0.0.5 port 81]"];
    const to = (port: number) => `tcp 10.0.0.2:4000 > 192.0.2.7:${port} in eth0 out wg0 flags syn`;

    test("because it asks for that", () => {
      const policy = host(
        "untracked:\n- deny tcp from any to any out wg0\ntracked:\n- allow from any to any",
        dnat,
      );
      expect(fate(policy, to(53))).toBe("allow");
      expect(fate(policy, to(53), "established")).toBe("deny early");
    });
    test("unless one below it takes the packet before", () => {
      const policy = host(
        "untracked:\n- deny from any to any out wg0\n- deny tcp from any to any port 53\ntracked:\n- allow from any to any",
        dnat,
      );
      expect(fate(policy, to(53))).toBe("deny early");
      expect(fate(policy, to(80))).toBe("allow");
    });
    test("because a rule above it asks for that, wherever the packet leaves", () => {
      const policy = host(
        "tracked:\n- allow tcp from any to any port 50-60, 81 out eth1\nuntracked:\n- deny tcp from any to any port 53-80",
        dnat,
      );
      expect(fate(policy, to(53))).toBe("allow");
      expect(fate(policy, to(80))).toBe("deny early");
    });
  });
  test("a sentence translates only the families that it has addresses for", () => {
    const policy = policyOf(`version: 1
policies: []
nat:
  - snat from any to any -> 192.0.2.40
`);
    expect(decide(policy, "udp self:1 > 10.0.0.1:2").sourceNat).not.toBeNull();
    expect(decide(policy, "udp self:1 > [fd00::9]:2").sourceNat).toBeNull();
  });
});
