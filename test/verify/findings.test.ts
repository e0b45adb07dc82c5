import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { analyse } from "../../src/compile.ts";
import { formatPretty } from "../../src/report/pretty.ts";
import { type Format, readScript } from "../../src/verify/scripts.ts";
import { verify } from "../../src/verify/verify.ts";

const SCREEN = { color: false, width: 120 };

/** What verify prints of a golden script of the memcached example that was changed. */
function verified(file: string, format: Format, change: (text: string) => string): string {
  const read = (path: string) => ({ name: path.split("/").at(-1)!, text: readFileSync(path, "utf8") });
  const { policy, words } = analyse(read("examples/memcached/policy.yaml"), {
    read: () => ({ error: "there is no such file" }),
  });
  const golden = read(`golden/examples/memcached/${file}`);
  const text = change(golden.text);
  expect(text).not.toBe(golden.text);
  const script = readScript({ name: file, text }, format);
  const { findings } = verify(policy!, [script], words!);
  return formatPretty({ findings, files: [file], version: "0.0.0" }, SCREEN);
}

const without = (line: RegExp) => (text: string) =>
  text
    .split("\n")
    .filter((one) => !line.test(one))
    .join("\n");

/** What a person would do to a script, or a tool with a bug. */
const CASES: readonly (readonly [name: string, ...Parameters<typeof verified>])[] = [
  ["a reply that is lost", "ruleset.nft", "nft", without(/ip6 daddr .*memcached, replies/)],
  ["a notrack that is missing", "rules.v4", "iptables", without(/-j CT --notrack/)],
  [
    "a prefix one bit off",
    "rules.v4",
    "iptables",
    (text) => text.replace("-s 10.1.0.0/16 -p tcp", "-s 10.0.0.0/15 -p tcp"),
  ],
  [
    "a test that nobody understands",
    "ruleset.nft",
    "nft",
    (text) => text.replace("tcp dport 22 ip saddr", "ip ttl 64 tcp dport 22 ip saddr"),
  ],
  [
    "what is dropped later than it should be",
    "ruleset.nft",
    "nft",
    (text) => {
      const line = /^.*ip daddr .*no openings back"\n/m.exec(text)![0];
      const late = line.replace("\t\ttcp", '\t\toifname != "lo" tcp');
      const chain = `\tchain late {\n\t\ttype filter hook output priority filter; policy accept;\n\n${late}\t}\n`;
      return text.replace(line, "").replace(/\}\n$/, `\n${chain}}\n`);
    },
  ],
];

describe("what verify says of a script that was changed can be read and acted upon", () => {
  test.each(CASES)("%s", async (name, ...change) => {
    await expect(verified(...change)).toMatchFileSnapshot(`golden/${name.replaceAll(" ", "-")}.txt`);
  });
});
