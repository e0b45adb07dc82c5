import { beforeEach, expect, test } from "vitest";
import { load } from "../backends.ts";
import { describeExample } from "../compile.ts";
import { briefly, createLab, type Flow, type Host, type Lab } from "../lab.ts";

const POOL = ["192.0.2.40", "192.0.2.41", "192.0.2.42", "192.0.2.43"];
const ROUTER = { wan: "192.0.2.1", lan: "10.8.0.1", lan6: "2001:db8:8::1" } as const;
const OUTSIDE = { 4: "192.0.2.9", 6: "2001:db8:2::9" } as const;
const LAPTOP = { 4: "10.8.1.2", 6: "2001:db8:8:1::2" } as const;
const WEB = { 4: "10.20.0.80", 6: "2001:db8:20::80" } as const;
/** Further addresses of the office, so that there is something to spread over the pool. */
const DESKS = Array.from({ length: 60 }, (_, i) => `10.9.0.${i + 1}`);
const FAMILIES = [4, 6] as const;

/** A router with the world on eth0, an office on eth1 and servers on eth2. */
describeExample("router", (backend, scripts) => {
  let lab: Lab;
  let router: Host;
  let outside: Host;
  let office: Host;
  let web: Host;

  beforeEach(async () => {
    lab = await createLab();
    [router, outside, office, web] = await Promise.all([lab.host(), lab.host(), lab.host(), lab.host()]);
    await lab.link(
      {
        host: router,
        device: "eth0",
        addresses: [`${ROUTER.wan}/24`, "2001:db8:2::1/64", ...POOL.map((address) => `${address}/32`)],
      },
      { host: outside, device: "eth0", addresses: [`${OUTSIDE[4]}/24`, `${OUTSIDE[6]}/64`] },
    );
    await lab.link(
      { host: router, device: "eth1", addresses: [`${ROUTER.lan}/14`, `${ROUTER.lan6}/48`] },
      {
        host: office,
        device: "eth0",
        addresses: [`${LAPTOP[4]}/14`, `${LAPTOP[6]}/48`, ...DESKS.map((address) => `${address}/32`)],
      },
    );
    await lab.link(
      { host: router, device: "eth2", addresses: ["10.20.0.1/24", "2001:db8:20::1/64"] },
      { host: web, device: "eth0", addresses: [`${WEB[4]}/24`, `${WEB[6]}/64`] },
    );
    await Promise.all([
      router.forward(),
      // IPv6 is routed, so the world knows the way back. It knows none to the private addresses of IPv4.
      outside.ip("route add default via 2001:db8:2::1"),
      office.ip(`route add default via ${ROUTER.lan}`, `route add default via ${ROUTER.lan6}`),
      web.ip("route add default via 10.20.0.1", "route add default via 2001:db8:20::1"),
    ]);
    await load(router, backend, await scripts());
    return lab.destroy;
  });

  test("spreads the office over the whole pool, with ports drawn at random", async () => {
    await outside.serve("tcp", OUTSIDE[4], 7000);
    const flows = DESKS.map(
      (from, i): Flow => ({ protocol: "tcp", to: OUTSIDE[4], port: 7000, from, fromPort: 20_000 + i }),
    );
    const endings = await office.askAll(flows);
    const peers = endings.flatMap((ending) => (ending.outcome === "answered" ? [ending.peer] : []));
    expect(peers).toHaveLength(flows.length);
    expect([...new Set(peers.map(([address]) => address))].sort()).toEqual(POOL);
    expect(peers.filter(([, port], i) => port === 20_000 + i).length).toBeLessThan(3);
  });

  test("lets no private source out", async () => {
    await outside.serve("tcp", OUTSIDE[4], 7000);
    const seen = await outside.capture("eth0", async () => {
      await office.askAll(DESKS.map((from) => ({ protocol: "tcp", to: OUTSIDE[4], port: 7000, from })));
      await web.ask({ protocol: "tcp", to: OUTSIDE[4], port: 80 });
    });
    const sources = new Set(seen.filter(({ sent }) => !sent).map(({ packet }) => packet.source));
    expect([...sources].filter((source) => source.startsWith("10."))).toEqual([]);
    expect(POOL.every((address) => sources.has(address))).toBe(true);
  });

  test("routes IPv6 without translating it", async () => {
    await outside.serve("tcp", OUTSIDE[6], 7000);
    expect(await office.ask({ protocol: "tcp", to: OUTSIDE[6], port: 7000 })).toMatchObject({
      outcome: "answered",
      peer: [LAPTOP[6], expect.any(Number)],
    });
    await office.serve("tcp", LAPTOP[6], 7000);
    expect(await outside.ask(briefly({ protocol: "tcp", to: LAPTOP[6], port: 7000 }))).toEqual({
      outcome: "silence",
    });
  });

  test("brings the world to the web server: over IPv4 translated, over IPv6 as it is", async () => {
    for (const family of FAMILIES)
      for (const port of [80, 443, 22]) await web.serve("tcp", WEB[family], port);
    for (const port of [80, 443]) {
      expect(await outside.ask({ protocol: "tcp", to: ROUTER.wan, port })).toMatchObject({
        peer: [OUTSIDE[4], expect.any(Number)],
        local: [WEB[4], port],
      });
      expect(await outside.ask({ protocol: "tcp", to: WEB[6], port })).toMatchObject({
        local: [WEB[6], port],
      });
    }
    expect(await outside.ask(briefly({ protocol: "tcp", to: ROUTER.wan, port: 22 }))).toEqual({
      outcome: "silence",
    });
    expect(await outside.ask(briefly({ protocol: "tcp", to: WEB[6], port: 22 }))).toEqual({
      outcome: "silence",
    });
  });

  test.each(["udp", "tcp"] as const)(
    "answers the office's DNS over %s, whoever was asked",
    async (protocol) => {
      await router.serve(protocol, ROUTER.lan, 53);
      expect(await office.ask({ protocol, to: OUTSIDE[4], port: 53 })).toMatchObject({
        local: [ROUTER.lan, 53],
      });
    },
  );

  test.each(FAMILIES)(
    "refuses the office over IPv%i what it does not allow, and keeps quiet to others",
    async (family) => {
      const here = family === 4 ? ROUTER.lan : ROUTER.lan6;
      for (const protocol of ["tcp", "udp"] as const)
        expect(await office.ask({ protocol, to: here, port: 8081 }), protocol).toEqual({
          outcome: "refused",
        });
      const there = family === 4 ? ROUTER.wan : "2001:db8:2::1";
      expect(await outside.ask(briefly({ protocol: "tcp", to: there, port: 8081 }))).toEqual({
        outcome: "silence",
      });
    },
  );

  test("keeps a server that was broken into where it is", async () => {
    await office.serve("tcp", LAPTOP[4], 445);
    await router.serve("tcp", "10.20.0.1", 22);
    expect(await web.ask(briefly({ protocol: "tcp", to: LAPTOP[4], port: 445 }))).toEqual({
      outcome: "silence",
    });
    expect(await web.ask(briefly({ protocol: "tcp", to: "10.20.0.1", port: 22 }))).toEqual({
      outcome: "silence",
    });
    await outside.serve("tcp", OUTSIDE[4], 443);
    expect(await web.ask({ protocol: "tcp", to: OUTSIDE[4], port: 443 })).toMatchObject({
      peer: [ROUTER.wan, expect.any(Number)],
    });
  });
});
