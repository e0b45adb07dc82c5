import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("./agent.py", import.meta.url));

/** A process inside a namespace that does there what it is asked for; see `agent.py` for its operations. */
export interface Agent {
  /** Asks for one operation. Rejects where the operation fails or the agent has ended. */
  ask(operation: string, values?: object): Promise<unknown>;
  /** Ends the agent and everything it started. */
  close(): Promise<void>;
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** Starts an agent in a namespace. Debian's own Python by path: a version manager's shim is slow and may be anything. */
export function startAgent(namespace: string): Agent {
  const child = spawn("ip", ["netns", "exec", namespace, "/usr/bin/python3", "-uB", PROGRAM]);
  const waiting = new Map<number, Waiting>();
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
  let errors = "";
  let next = 0;
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  child.stdin.on("error", () => {});
  child.on("close", () => {
    for (const { reject } of waiting.values())
      reject(new Error(`the agent in ${namespace} ended: ${errors}`));
    waiting.clear();
  });
  createInterface({ input: child.stdout }).on("line", (line) => settle(JSON.parse(line), waiting));
  return {
    ask(operation, values = {}) {
      const id = next++;
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        write(child, { id, op: operation, ...values });
      });
    },
    async close() {
      child.stdin.end();
      await ended;
    },
  };
}

function write(child: ChildProcessWithoutNullStreams, request: object): void {
  child.stdin.write(`${JSON.stringify(request)}\n`);
}

function settle(
  answer: { id: number; value?: unknown; error?: string },
  waiting: Map<number, Waiting>,
): void {
  const asker = waiting.get(answer.id);
  waiting.delete(answer.id);
  if (answer.error !== undefined) asker?.reject(new Error(answer.error));
  else asker?.resolve(answer.value);
}
