import type { Host } from "./lab.ts";

/** What the compiler prints for one policy. */
export interface Scripts {
  readonly nft: string;
  readonly v4: string;
  readonly v6: string;
  /** The sets that the two ask. Absent where they were not asked to. */
  readonly sets?: string;
}

/** The three roads into the kernel. The two of iptables load a script for each family. */
export const BACKENDS = ["nft", "iptables-nft", "iptables-legacy"] as const;
export type Backend = (typeof BACKENDS)[number];

/** Loads the scripts as a user would, for real: `--test` accepts what the kernel then refuses. */
export async function load(host: Host, backend: Backend, scripts: Scripts): Promise<void> {
  if (scripts.sets !== undefined && backend !== "nft") await host.run(["ipset", "restore"], scripts.sets);
  switch (backend) {
    case "nft":
      await host.run(["nft", "-f", "-"], scripts.nft);
      return;
    case "iptables-nft":
      await host.run(["iptables-nft-restore"], scripts.v4);
      await host.run(["ip6tables-nft-restore"], scripts.v6);
      return;
    case "iptables-legacy":
      // All namespaces of a machine share one lock file, and other tests may hold it.
      await host.run(["iptables-legacy-restore", "--wait", "20"], scripts.v4);
      await host.run(["ip6tables-legacy-restore", "--wait", "20"], scripts.v6);
      return;
  }
}
