import { beforeEach, expect, test } from "vitest";
import { load } from "../backends.ts";
import { describeExample } from "../compile.ts";
import { conntrackEntries } from "../conntrack.ts";
import { briefly, createLab, type Host, type Lab } from "../lab.ts";

const EDGE = { 4: "203.0.113.1", 6: "2001:db8:77::1" } as const;
const VISITOR = { 4: "203.0.113.9", 6: "2001:db8:77::9" } as const;
const INSIDE = { 4: "10.30.0.1", 6: "2001:db8:30::1" } as const;
const BACKEND = { 4: "10.30.4.5", 6: "2001:db8:30::5" } as const;
const MANAGER = "10.9.0.7";
const FAMILIES = [4, 6] as const;

/** An ingress node between the world, on eth0, and its backends, on eth1. */
describeExample("ingress-node", (backend, scripts) => {
  let lab: Lab;
  let node: Host;
  let visitor: Host;
  let inside: Host;

  beforeEach(async () => {
    lab = await createLab();
    [node, visitor, inside] = await Promise.all([lab.host(), lab.host(), lab.host()]);
    await lab.link(
      { host: node, device: "eth0", addresses: [`${EDGE[4]}/24`, `${EDGE[6]}/64`] },
      { host: visitor, device: "eth0", addresses: [`${VISITOR[4]}/24`, `${VISITOR[6]}/64`] },
    );
    await lab.link(
      { host: node, device: "eth1", addresses: [`${INSIDE[4]}/16`, `${INSIDE[6]}/48`] },
      { host: inside, device: "eth0", addresses: [`${BACKEND[4]}/16`, `${BACKEND[6]}/48`, `${MANAGER}/32`] },
    );
    await node.ip(`route add ${MANAGER} via ${BACKEND[4]}`);
    await load(node, backend, await scripts());
    return lab.destroy;
  });

  test.each(FAMILIES)("takes IPv%i visitors and calls backends, and remembers neither", async (family) => {
    for (const port of [80, 443]) await node.serve("tcp", EDGE[family], port);
    await node.serve("udp", EDGE[family], 443);
    await inside.serve("tcp", BACKEND[family], 8080);
    const visits = [
      { protocol: "tcp", to: EDGE[family], port: 80 },
      { protocol: "tcp", to: EDGE[family], port: 443 },
      { protocol: "udp", to: EDGE[family], port: 443 },
    ] as const;
    const calls = Array.from(
      { length: 50 },
      () => ({ protocol: "tcp", to: BACKEND[family], port: 8080 }) as const,
    );
    for (const ending of await visitor.askAll(visits)) expect(ending.outcome).toBe("answered");
    for (const ending of await node.askAll(calls)) expect(ending.outcome).toBe("answered");
    expect(await conntrackEntries(node)).toEqual([]);
  });

  test("does not serve the world's ports on the inside", async () => {
    await node.serve("tcp", INSIDE[4], 443);
    expect(await inside.ask(briefly({ protocol: "tcp", to: INSIDE[4], port: 443 }))).toEqual({
      outcome: "silence",
    });
  });

  test("lets no backend call, not even from the port that it serves on", async () => {
    await node.serve("tcp", INSIDE[4], 9999);
    const call = { protocol: "tcp", to: INSIDE[4], port: 9999, from: BACKEND[4] } as const;
    expect(await inside.ask(briefly(call))).toEqual({ outcome: "silence" });
    expect(await inside.ask(briefly({ ...call, fromPort: 8080 }))).toEqual({ outcome: "silence" });
  });

  test("calls no visitor from the ports that it serves on", async () => {
    await visitor.serve("tcp", VISITOR[4], 9999);
    const call = { protocol: "tcp", to: VISITOR[4], port: 9999 } as const;
    expect(await node.ask(briefly({ ...call, fromPort: 443 }))).toEqual({ outcome: "silence" });
    expect(await node.ask(call)).toMatchObject({ outcome: "answered" });
  });

  test("lets managers in from the inside, as a tracked flow, and nobody from the outside", async () => {
    await node.serve("tcp", INSIDE[4], 22);
    await node.serve("tcp", EDGE[4], 22);
    expect(await inside.ask({ protocol: "tcp", to: INSIDE[4], port: 22, from: MANAGER })).toMatchObject({
      outcome: "answered",
    });
    expect(await conntrackEntries(node, "dport=22")).toHaveLength(1);
    expect(await inside.ask(briefly({ protocol: "tcp", to: INSIDE[4], port: 22, from: BACKEND[4] }))).toEqual(
      {
        outcome: "silence",
      },
    );
    expect(await visitor.ask(briefly({ protocol: "tcp", to: EDGE[4], port: 22 }))).toEqual({
      outcome: "silence",
    });
  });
});
