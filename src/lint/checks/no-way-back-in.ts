import { single } from "../../address/ranges.ts";
import { FATE } from "../../meaning/fates.ts";
import { TCP } from "../../policy/packet.ts";
import { PATHS } from "../../policy/paths.ts";
import type { Check } from "../check.ts";

/** Ports at which a host is managed: SSH, and SSH where it likes to hide; WinRM, RDP and VNC have no place on Linux hosts. */
const MANAGEMENT_PORTS: readonly number[] = [22, 2222];

/** A host that denies input and admits no management connection: whoever loads the policy from afar is locked out. */
export const noWayBackIn: Check = {
  name: "no-way-back-in",
  level: "warning",
  run({ document, policy, meaning }, report) {
    if (policy.defaults.input === "allow") return;
    const isOpen = ([4, 6] as const).some((family) => {
      const space = meaning.space(family);
      const passes = space.where(meaning.fates(family, "tracking", "packet"), FATE.allowed, FATE.untracked);
      const management = space.set([
        {
          path: [single(PATHS.indexOf("input"))],
          protocol: [single(TCP)],
          opening: [single(1)],
          destinationPort: MANAGEMENT_PORTS.map(single),
        },
      ]);
      return space.intersects(passes, management);
    });
    if (isOpen) return;
    const { source } = document;
    const where = document.policies[0]?.name.span ?? { source, start: 0, end: 0 };
    report({
      message: "nobody can open a management connection to this host",
      span: where,
      notes: [
        "Input is denied by default, and no rule admits a connection to port 22. Whoever loads this over the network keeps the connection that is open, and gets no second one.",
      ],
      help: "add a rule such as `allow tcp from ADMINS to self port 22`, or ignore this where the host has a console",
    });
  },
};
