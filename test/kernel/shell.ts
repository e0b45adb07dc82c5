import { spawn } from "node:child_process";

/** Characters of a program's input that an error shows. */
const LONGEST_QUOTE = 4_000;

/** What a program left behind. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, with `input` on its standard input, whatever its exit code. */
export function attempt(command: readonly string[], input = ""): Promise<Outcome> {
  const [program, ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(program!, args, { stdio: ["pipe", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? -1, stdout, stderr }));
    // A program that fails before it has read everything closes the pipe: its exit code says what happened.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
  });
}

/** Runs a program to its end and returns what it printed; throws with its own words where it fails. */
export async function run(command: readonly string[], input = ""): Promise<string> {
  return printed(await attempt(command, input), command, input);
}

/** What a program printed; throws with its own words where it failed. */
export function printed({ code, stdout, stderr }: Outcome, command: readonly string[], input = ""): string {
  if (code !== 0) {
    const script = input ? `\n--- its input:\n${input.slice(0, LONGEST_QUOTE)}` : "";
    throw new Error(`\`${command.join(" ")}\` ended with code ${code}: ${stderr.trim()}${script}`);
  }
  return stdout;
}
