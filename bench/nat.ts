/**
 * What masquerading many flows to one destination costs, with ports drawn fully at random, as `ctc` has it unless told
 * otherwise, and with `keep-ports`:
 *
 *     npm run bench:nat [-- --rounds 8 --seconds 5 --rate 1000]
 *
 * As root, after `scripts/bench-packages.sh`, in network namespaces. Two hosts behind one gateway open connections to the same
 * memcached from the same ports at the same time. Two flows for which the kernel has chosen the same port at the same moment
 * race for it: the loser's packet is dropped (`insert_failed`), and its sender waits a second before it tries again.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, loadavg, release, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { compile } from "../src/compile.ts";
import { type Backend, load, type Scripts } from "../test/kernel/backends.ts";
import { createLab, type Host, type Lab } from "../test/kernel/lab.ts";
import { buildClient } from "./conntrack/stand.ts";
import { printTable, whole } from "./table.ts";

const SERVER = "192.0.2.9";
const GATEWAY = "192.0.2.1";
const PORT = "11211";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "8" },
    seconds: { type: "string", default: "5" },
    rate: { type: "string", default: "1000" },
  },
});

/** What all flows of some rounds have met. */
interface Count {
  served: number;
  /** Took more than half a second. */
  late: number;
  /** Gave up after seven seconds: three tries. */
  failed: number;
  insertFailed: number;
  /** Opening packets that were sent again, after a second without an answer. */
  sentAgain: number;
}

function scripts(flag: "" | " keep-ports"): Scripts {
  const text = `version: 1
policies:
  - name: gateway
    rules:
      - allow tcp from 10.8.0.0/16 to any port ${PORT} out eth0
nat:
  - masquerade from 10.8.0.0/16 out eth0${flag}
`;
  const source = { name: "policy.yaml", text };
  const { outputs } = compile(source, { read: () => ({ error: "there are no files" }) });
  return { nft: outputs!.nft(), v4: outputs!.iptables(), v6: outputs!.ip6tables() };
}

/** Two hosts behind a gateway, and a memcached outside. */
async function build(lab: Lab): Promise<{ readonly gateway: Host; readonly clients: readonly Host[] }> {
  const [gateway, server] = [await lab.host(), await lab.host()];
  await lab.link(
    { host: gateway, device: "eth0", addresses: [`${GATEWAY}/24`] },
    { host: server, device: "eth0", addresses: [`${SERVER}/24`] },
  );
  await gateway.forward();
  await server.sysctl({ "net.ipv4.tcp_max_syn_backlog": 8192 });
  const limits = ["-c", "20000", "-b", "4096", "-t", "2", "-m", "16"];
  await server.spawn(
    ["memcached", "-u", "nobody", "-U", "0", "-l", SERVER, "-p", PORT, ...limits],
    Number(PORT),
  );
  const clients = [];
  for (const net of [1, 2]) {
    const client = await lab.host();
    await lab.link(
      { host: gateway, device: `eth${net}`, addresses: [`10.8.${net}.1/24`] },
      { host: client, device: "eth0", addresses: [`10.8.${net}.2/24`] },
    );
    await client.ip(`route add default via 10.8.${net}.1`);
    await client.sysctl({ "net.ipv4.tcp_max_tw_buckets": 0 });
    clients.push(client);
  }
  return { gateway, clients };
}

/** The sum of a counter over all processors: `conntrack -S`. */
async function insertFailed(gateway: Host): Promise<number> {
  const statistics = await gateway.run(["conntrack", "-S"]);
  return [...statistics.matchAll(/insert_failed=(\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0);
}

/** `TCPSynRetrans` of proc_net_netstat: a line of names, and one of values. */
async function openingsSentAgain(host: Host): Promise<number> {
  const lines = (await host.run(["cat", "/proc/net/netstat"])).split("\n");
  const [names, values] = lines.filter((line) => line.startsWith("TcpExt:")).map((line) => line.split(" "));
  return Number(values![names!.indexOf("TCPSynRetrans")]);
}

async function round(client: string, gateway: Host, clients: readonly Host[], count: Count): Promise<void> {
  await gateway.attempt(["conntrack", "-F"]);
  const before = await insertFailed(gateway);
  const answers = await Promise.all(
    clients.map((host, index) =>
      host.run([
        client,
        ...[SERVER, PORT, `10.8.${index + 1}.2`, "1", "1", values.seconds, values.rate, values.seconds, "7"],
      ]),
    ),
  );
  for (const answer of answers) {
    const { served, late, failed } = JSON.parse(answer) as Record<"served" | "late" | "failed", [number]>;
    count.served += served[0];
    count.late += late[0];
    count.failed += failed[0];
  }
  for (const host of clients) count.sentAgain += await openingsSentAgain(host);
  count.insertFailed += (await insertFailed(gateway)) - before;
}

const folder = mkdtempSync(join(tmpdir(), "ctc-bench-"));
try {
  const client = buildClient(folder);
  console.log(`Linux ${release()}, ${cpus().length} × ${cpus()[0]!.model}, load ${loadavg()[0]!.toFixed(1)}`);
  console.log(`${values.rounds} rounds of ${values.seconds} s, 2 × ${values.rate} connections a second\n`);
  const variants = (["nft", "iptables-legacy"] as const satisfies readonly Backend[]).flatMap((backend) =>
    (["", " keep-ports"] as const).map((flag) => ({
      backend,
      name: `${backend}${flag ? `,${flag}` : ", fully random"}`,
      scripts: scripts(flag),
      count: { served: 0, late: 0, failed: 0, insertFailed: 0, sentAgain: 0 },
    })),
  );
  for (let turn = 0; turn < Number(values.rounds); turn++) {
    for (const { backend, scripts, count } of variants) {
      // A fresh gateway each time: a table of one backend must not stand behind the other's.
      const lab = await createLab();
      try {
        const { gateway, clients } = await build(lab);
        await load(gateway, backend, scripts);
        await round(client, gateway, clients, count);
      } finally {
        await lab.destroy();
      }
    }
  }
  printTable([
    ["masquerade", "connections", "insert_failed", "SYN sent again", "over 0.5 s", "given up"],
    ...variants.map(({ name, count: { served, late, failed, insertFailed, sentAgain } }) => [
      name,
      ...[served, insertFailed, sentAgain, late, failed].map(whole),
    ]),
  ]);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
