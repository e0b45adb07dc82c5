import { createLab, type Host, type Lab } from "./lab.ts";

/** A client on the same network as the host under test. */
export interface Pair {
  readonly lab: Lab;
  readonly host: Host;
  readonly client: Host;
}

/** The addresses of a pair: the host's and the client's, in both families. */
export const PAIR = {
  host: { 4: "10.1.0.1", 6: "2001:db8:1::1" },
  client: { 4: "10.1.2.3", 6: "2001:db8:1::3" },
} as const;

export async function pair(): Promise<Pair> {
  const lab = await createLab();
  const [host, client] = await Promise.all([lab.host(), lab.host()]);
  await lab.link(
    { host, device: "eth0", addresses: [`${PAIR.host[4]}/16`, `${PAIR.host[6]}/48`] },
    { host: client, device: "eth0", addresses: [`${PAIR.client[4]}/16`, `${PAIR.client[6]}/48`] },
  );
  return { lab, host, client };
}

/** A client and a server with a gateway, the host under test, between them. The server knows no way to the client. */
export interface Gateway {
  readonly lab: Lab;
  readonly client: Host;
  readonly gateway: Host;
  readonly server: Host;
}

/** The addresses around a gateway: `lan` and `wan` are its own. */
export const GATEWAY = {
  client: { 4: "172.17.0.2", 6: "fd00:17::2" },
  lan: { 4: "172.17.0.1", 6: "fd00:17::1" },
  wan: { 4: "192.0.2.1", 6: "2001:db8:2::1" },
  server: { 4: "192.0.2.9", 6: "2001:db8:2::9" },
} as const;

/** `wanMtu` below 1500 makes the gateway answer large packets with ICMP errors. */
export async function gateway({ wanMtu = 1500 } = {}): Promise<Gateway> {
  const lab = await createLab();
  const [client, gateway, server] = await Promise.all([lab.host(), lab.host(), lab.host()]);
  const both = (ends: Readonly<Record<4 | 6, string>>, lengths: string) =>
    lengths.split(" ").map((length, i) => `${ends[i === 0 ? 4 : 6]}/${length}`);
  await lab.link(
    { host: client, device: "eth0", addresses: both(GATEWAY.client, "16 64") },
    { host: gateway, device: "eth1", addresses: both(GATEWAY.lan, "16 64") },
  );
  await lab.link(
    { host: gateway, device: "eth0", addresses: both(GATEWAY.wan, "24 64") },
    { host: server, device: "eth0", addresses: both(GATEWAY.server, "24 64") },
    { mtu: wanMtu },
  );
  await client.ip(`route add default via ${GATEWAY.lan[4]}`, `route add default via ${GATEWAY.lan[6]}`);
  await gateway.forward();
  return { lab, client, gateway, server };
}
