import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { file, head, nat, type Section, symmetric, tracked, untracked } from "../../lint/support.ts";
import { policyOf } from "../../support/policy.ts";
import { BACKENDS, load } from "../backends.ts";
import { conntrackEntries } from "../conntrack.ts";
import { type Crossroads, crossroads } from "../crossroads.ts";
import { describeKernel } from "../requirements.ts";
import { endOf, HOST, sendInTurn, type Told, told } from "./foretold.ts";
import { answerTo, laterPacket } from "./replies.ts";
import { scriptsOf } from "./run.ts";
import { addressOf, parseShot, type Shot } from "./shots.ts";

/*
 * The proofs refuse policies because of what the kernel would do. Here each of those policies is loaded all the same, the
 * packet that the finding prints is sent, and the kernel does what the finding says.
 */

const SILENT = head("defaults: { output: deny }");

for (const backend of BACKENDS) {
  describeKernel(`what the proofs foretell happens under ${backend}`, () => {
    let net: Crossroads;

    beforeAll(async () => {
      net = await crossroads();
    });
    afterAll(() => net.lab.destroy());
    beforeEach(() => net.forget());

    /** Loads what the checks refuse. */
    async function force(check: string, ...sections: readonly Section[]): Promise<Told> {
      return forceFor(0, check, ...sections);
    }
    async function forceFor(which: 0 | -1, check: string, ...sections: readonly Section[]): Promise<Told> {
      const text = file(HOST, ...sections);
      const witness = told(text, check, which);
      await load(net.host, backend, scriptsOf(policyOf(text)));
      return witness;
    }
    const send = (...shots: readonly Shot[]) => sendInTurn(net, shots);

    test.each([
      ["TCP", "allow tcp from 10.7.0.0/16 to self port 11211"],
      ["UDP", "allow udp from 10.7.0.0/16 to self port 53"],
      ["echo", "allow icmp echo-request from 10.7.0.0/16 to self"],
      ["forwarded", "allow udp from 10.7.0.0/16 to 198.51.100.0/24 port 53 in eth1 out eth0"],
    ])("untracked-reply-denied, %s: the reply is dropped", async (_, rule) => {
      const { packet, reply } = await force("untracked-reply-denied", SILENT, untracked(rule));
      const [asked, answered] = await send(packet, reply!);
      expect(endOf(asked!)?.state).toBe("untracked");
      expect(answered).toMatchObject({ arrived: true, end: null });
      expect(await conntrackEntries(net.host)).toEqual([]);
    });

    test("half-tracked-flow, TCP: SYN-ACKs are invalid and each connection leaves an entry", async () => {
      const rule = "allow tcp from 10.7.0.0/16 to self port 11211";
      const { packet, reply, notes } = await force("half-tracked-flow", untracked(rule));
      expect(notes).toMatch(/SYN-ACK is INVALID.*each connection leaves an \[UNREPLIED\] entry/);
      const [asked, answered, later] = await send(packet, reply!, { ...reply!, flags: ["ack"] });
      expect([asked, answered, later].map((one) => endOf(one!)?.state)).toEqual([
        "untracked",
        "invalid",
        "new",
      ]);
      expect(await conntrackEntries(net.host, "[UNREPLIED]")).toHaveLength(1);
    });

    test("half-tracked-flow, UDP: each reply is a flow of its own", async () => {
      const rule = "allow udp from 10.7.0.0/16 to self port 53";
      const { packet, reply, notes } = await force("half-tracked-flow", untracked(rule));
      expect(notes).toMatch(/takes every reply for a new flow: each leaves an \[UNREPLIED\] entry/);
      const [asked, answered, again] = await send(packet, reply!, reply!);
      expect([asked, answered, again].map((one) => endOf(one!)?.state)).toEqual(["untracked", "new", "new"]);
      expect(await conntrackEntries(net.host, "[UNREPLIED]")).toHaveLength(1);
    });

    test("half-tracked-flow, echo: the reply is invalid", async () => {
      const rule = "allow icmp echo-request from 10.7.0.0/16 to self";
      const { packet, reply, notes } = await force("half-tracked-flow", untracked(rule));
      expect(notes).toMatch(/the answer is INVALID/);
      const [asked, answered] = await send(packet, reply!);
      expect([asked, answered].map((one) => endOf(one!)?.state)).toEqual(["untracked", "invalid"]);
    });

    test("half-tracked-flow, forwarded: no connection ever opens", async () => {
      const { packet, reply, notes } = await force(
        "half-tracked-flow",
        untracked("allow tcp from 10.7.0.0/16 to 198.51.100.0/24 port 80 in eth1"),
        tracked("allow tcp from 198.51.100.0/24 to 10.7.0.0/16 in eth0"),
      );
      expect(notes).toMatch(/SYN-ACK is INVALID/);
      const [, answered] = await send(
        { ...packet, packet: { ...packet.packet, path: "forward", out: "eth0" }, via: "eth0" },
        {
          ...reply!,
          packet: { ...reply!.packet, path: "forward", in: "eth0", out: "eth1" },
          via: "eth1",
        },
      );
      expect(answered).toMatchObject({ arrived: true, passedRaw: true, end: null });
    });

    test("half-tracked-flow, replies untracked: every segment after the SYN is invalid, and the entry stays unanswered", async () => {
      const { packet, reply, notes } = await forceFor(
        -1,
        "half-tracked-flow",
        tracked("allow tcp from self to 10.7.0.0/16 port 80"),
        untracked(
          "allow tcp from 10.7.0.0/16 port 80 to self replies",
          "deny tcp from 10.7.0.0/16 to self port 22",
        ),
        SILENT,
      );
      expect(notes).toMatch(/takes the replies of flows that are tracked: .*\[UNREPLIED\] in SYN_SENT/);
      const [asked, answered, later] = await send(packet, reply!, laterPacket(packet, 1));
      expect([asked, answered, later].map((one) => endOf(one!)?.state)).toEqual([
        "new",
        "untracked",
        "invalid",
      ]);
      expect(await conntrackEntries(net.host, "SYN_SENT")).toHaveLength(1);
    });

    test("untracked-nat: a private source leaks", async () => {
      const { packet, notes } = await force(
        "untracked-nat",
        symmetric("allow udp from 10.7.0.0/16 to any port 443 in eth1 out eth0"),
        nat("masquerade from 10.7.0.0/16 out eth0"),
      );
      expect(notes).toMatch(/private address leaks/);
      const [leaked] = await send(packet);
      expect(endOf(leaked!)).toMatchObject({ state: "untracked", out: "eth0" });
      expect(endOf(leaked!)?.packet.source).toMatch(/^10\.7\./);
    });

    test("untracked-nat: a packet goes where it was addressed to", async () => {
      const { packet, notes } = await force(
        "untracked-nat",
        symmetric("allow tcp from any to self port 8080"),
        tracked("allow tcp from any to 10.7.1.5 port 80"),
        nat("dnat tcp from any to self port 8080 in eth0 -> 10.7.1.5 port 80"),
      );
      expect(notes).toMatch(/goes where it was addressed to/);
      const [stayed] = await send(packet);
      expect(endOf(stayed!)).toMatchObject({ path: "input", state: "untracked" });
      expect(endOf(stayed!)?.packet).toMatchObject({ destination: "10.0.0.1", destinationPort: 8080 });
    });

    test("untracked-nat-reply: the answer to a drawn port is not translated back", async () => {
      const { packet, reply } = await force(
        "untracked-nat-reply",
        tracked("allow udp from 10.7.0.0/16 to any out eth0"),
        symmetric("allow udp from any to self port 4789 in eth0"),
        nat("masquerade from 10.7.0.0/16 out eth0 -> ports 4788-4790"),
      );
      expect(reply!.packet.destinationPort).toBe(4789);
      // The packet that is printed is translated: these are some that may become it.
      const flows = Array.from({ length: 24 }, (__, i): Shot => {
        const [source, destination] = [0x0a07_0002n, packet.packet.destination + BigInt(i)];
        const { packet: printed } = packet;
        return {
          ...packet,
          packet: { ...printed, path: "forward", in: "eth1", source, destination, sourcePort: 5000 },
        };
      });
      const became = { lost: 0, found: 0 };
      for (const flow of flows) {
        const [left] = await send(flow);
        const [answered] = await send(answerTo(flow, left!.end!)!);
        const isDrawn = left!.end!.packet.sourcePort === 4789;
        became[isDrawn ? "lost" : "found"]++;
        const expected = isDrawn
          ? { path: "input", state: "untracked" }
          : { path: "forward", state: "established" };
        expect(endOf(answered!)).toMatchObject(expected);
      }
      expect(Math.min(became.lost, became.found)).toBeGreaterThan(0);
    });

    test("untracked-nat-reply: the client gets an answer from a host that it never spoke to", async () => {
      const { reply } = await force(
        "untracked-nat-reply",
        tracked("allow tcp from any to 10.7.1.5 port 80 in eth0"),
        symmetric("allow tcp from 10.7.1.5 port 80 to 198.51.100.0/24 replies"),
        nat("dnat tcp from any to self port 8080 in eth0 -> 10.7.1.5 port 80"),
      );
      const asked = parseShot("tcp 198.51.100.7:40000 > 10.0.0.1:8080 in eth0 flags syn via eth1", null);
      expect(reply!.packet).toMatchObject({ path: "forward", source: addressOf("10.7.1.5"), sourcePort: 80 });
      const [came] = await send(asked);
      expect(endOf(came!)?.packet).toMatchObject({ destination: "10.7.1.5", destinationPort: 80 });
      const [answered] = await send(answerTo(asked, came!.end!)!);
      expect(endOf(answered!)).toMatchObject({ path: "forward", state: "untracked" });
      expect(endOf(answered!)?.packet).toMatchObject({ source: "10.7.1.5", sourcePort: 80 });
    });

    test("untracked-path: what should be tracked loses its state and its NAT", async () => {
      const { packet, notes } = await force(
        "untracked-path",
        symmetric("allow udp from 10.7.0.0/16 to any port 53 in wg0 out eth1"),
        tracked("allow udp from 10.7.0.0/16 to any port 53"),
        nat("masquerade from 10.7.0.0/16 out eth0"),
      );
      expect(notes).toMatch(/they would all be untracked/);
      const other: Shot = { ...packet, packet: { ...packet.packet, out: "eth0" }, via: "eth0" };
      for (const shot of [packet, other]) {
        const [passed] = await send(shot);
        expect(endOf(passed!)?.state).toBe("untracked");
        expect(endOf(passed!)?.packet.source).toMatch(/^10\.7\./);
      }
      expect(await conntrackEntries(net.host)).toEqual([]);
    });
  });
}
