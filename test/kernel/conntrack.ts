import type { Family } from "../../src/address/ranges.ts";
import type { Host } from "./lab.ts";

/** The entries of a host's connection-tracking table, one line each as `conntrack -L` prints them, both families. */
export async function conntrackEntries(host: Host, containing = ""): Promise<readonly string[]> {
  const families = await Promise.all([entriesOf(host, 4), entriesOf(host, 6)]);
  return families.flat().filter((line) => line.includes(containing));
}

/** Those of one family. */
export async function entriesOf(host: Host, family: Family): Promise<readonly string[]> {
  const text = await host.run(["conntrack", "-L", "-f", `ipv${family}`]);
  return text.split("\n").filter((line) => line !== "");
}

/** How long a test that fills a table may take, in milliseconds: on a busy machine the usual limit is too short. */
export const FILLING = 120_000;

/**
 * Fills a host's table to the last entry, with flows that the kernel does not evict to make room (it evicts those that are
 * not assured). The limit is one setting for the whole machine, so it is the table that is made to fit. Some
 * seconds for the usual 262,144 entries; `conntrack` must be in use there already.
 */
export async function fillTable(host: Host, status = "SEEN_REPLY,ASSURED"): Promise<void> {
  const limit = Number(await host.readSysctl("net.netfilter.nf_conntrack_max"));
  const used = Number(await host.run(["conntrack", "-C"]));
  const lines = Array.from({ length: limit - used }, (_, i) => {
    const source = `10.${200 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`;
    return `-I -p udp -s ${source} -d 10.199.0.1 --sport 1 --dport 1 -t 600 -u ${status}`;
  });
  // `conntrack -R -` opens its standard input by name, which works for a pipe and not for the socket that Node gives.
  await host.run(["sh", "-c", "cat | conntrack -R -"], `${lines.join("\n")}\n`);
}
