import { fstatSync } from "node:fs";
import { coloured, type Paint, plain } from "../report/paint.ts";
import type { PrettyOptions } from "../report/pretty.ts";

interface Screen {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Lines longer than this are hard to read, however wide the screen is. */
const WIDEST = 160;

/** What a standard stream is shown on. Node loads all its streams to tell, so they are asked for only where it may be a terminal. */
export function screenOf(stream: "stdout" | "stderr"): Screen {
  return fstatSync(stream === "stdout" ? 1 : 2).isCharacterDevice() ? process[stream] : {};
}

/** How the report for people is laid out on a stream. */
export function screenOptions(stream: Screen, env: Environment): Partial<PrettyOptions> {
  return {
    paint: paintFor(stream, env),
    ...(stream.isTTY && stream.columns ? { width: Math.min(stream.columns, WIDEST), breaksProse: true } : {}),
  };
}

/** Colours on a terminal; `NO_COLOR` and `FORCE_COLOR` decide first (https://no-color.org, https://force-color.org). */
export function paintFor(stream: Screen, env: Environment): Paint {
  if (env.NO_COLOR) return plain;
  if (env.FORCE_COLOR) return env.FORCE_COLOR === "0" ? plain : coloured;
  return stream.isTTY && env.TERM !== "dumb" ? coloured : plain;
}
