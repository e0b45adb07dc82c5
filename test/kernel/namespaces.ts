import { randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { attempt, run } from "./shell.ts";

const PREFIX = "ctc-test-";
const FOLDER = "/run/netns";

/** A name that no other run uses, and that tells which process it belongs to. */
export function freshName(): string {
  return `${PREFIX}${process.pid}-${randomBytes(4).toString("hex")}`;
}

/** Makes an empty namespace with its loopback device up. */
export async function addNamespace(name: string): Promise<void> {
  await run(["ip", "netns", "add", name]);
  await run(["ip", "-n", name, "link", "set", "lo", "up"]);
}

/** Deletes a namespace after ending whatever still runs in it. Its devices go with it. */
export async function deleteNamespace(name: string): Promise<void> {
  const { stdout } = await attempt(["ip", "netns", "pids", name]);
  for (const pid of stdout.split("\n").filter(Boolean)) end(Number(pid));
  await attempt(["ip", "netns", "delete", name]);
}

/** Deletes the namespaces that a killed run left behind: those of ours whose process is no more. */
export async function sweepNamespaces(): Promise<void> {
  for (const name of existing()) {
    const pid = Number(name.slice(PREFIX.length).split("-")[0]);
    if (name.startsWith(PREFIX) && !lives(pid)) await deleteNamespace(name);
  }
}

function existing(): readonly string[] {
  try {
    return readdirSync(FOLDER);
  } catch {
    return []; // `ip netns add` makes the folder when it is first needed.
  }
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function end(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself in the meantime.
  }
}
