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

export async function gateway(): Promise<Gateway> {
  const lab = await createLab();
  const [client, gateway, server] = await Promise.all([lab.host(), lab.host(), lab.host()]);
  await lab.link(
    { host: client, device: "eth0", addresses: [`${GATEWAY.client[4]}/16`, `${GATEWAY.client[6]}/64`] },
    { host: gateway, device: "eth1", addresses: [`${GATEWAY.lan[4]}/16`, `${GATEWAY.lan[6]}/64`] },
  );
  await lab.link(
    { host: gateway, device: "eth0", addresses: [`${GATEWAY.wan[4]}/24`, `${GATEWAY.wan[6]}/64`] },
    { host: server, device: "eth0", addresses: [`${GATEWAY.server[4]}/24`, `${GATEWAY.server[6]}/64`] },
  );
  await client.ip(`route add default via ${GATEWAY.lan[4]}`, `route add default via ${GATEWAY.lan[6]}`);
  await gateway.forward();
  return { lab, client, gateway, server };
}

/** Two hosts with two routers between them, and a smaller MTU between the routers than at either end. */
export interface NarrowPath {
  readonly lab: Lab;
  readonly left: Host;
  readonly near: Host;
  readonly far: Host;
  readonly right: Host;
}

/** The addresses of the ends, the left one's in the networks that the memcached example serves from. */
export const NARROW = {
  left: { 4: "10.2.0.1", 6: "2001:db8:2::1" },
  right: { 4: "10.1.2.3", 6: "2001:db8:1::3" },
  mtu: 1300,
} as const;

/** Each end believes in 1500 bytes, so only an ICMP error can tell it otherwise. */
export async function narrowPath(): Promise<NarrowPath> {
  const lab = await createLab();
  const [left, near, far, right] = await Promise.all([lab.host(), lab.host(), lab.host(), lab.host()]);
  await lab.link(
    { host: left, device: "eth0", addresses: [`${NARROW.left[4]}/24`, `${NARROW.left[6]}/64`] },
    { host: near, device: "eth0", addresses: ["10.2.0.254/24", "2001:db8:2::fe/64"] },
  );
  await lab.link(
    { host: near, device: "eth1", addresses: ["10.3.0.1/24", "2001:db8:3::1/64"] },
    { host: far, device: "eth1", addresses: ["10.3.0.2/24", "2001:db8:3::2/64"] },
    { mtu: NARROW.mtu },
  );
  await lab.link(
    { host: far, device: "eth0", addresses: ["10.1.2.254/24", "2001:db8:1::fe/64"] },
    { host: right, device: "eth0", addresses: [`${NARROW.right[4]}/24`, `${NARROW.right[6]}/64`] },
  );
  await Promise.all([
    left.ip("route add default via 10.2.0.254", "route add default via 2001:db8:2::fe"),
    near.ip("route add default via 10.3.0.2", "route add default via 2001:db8:3::2"),
    far.ip("route add default via 10.3.0.1", "route add default via 2001:db8:3::1"),
    right.ip("route add default via 10.1.2.254", "route add default via 2001:db8:1::fe"),
    near.forward(),
    far.forward(),
  ]);
  return { lab, left, near, far, right };
}
