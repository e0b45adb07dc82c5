import type { Side } from "../../netfilter/ruleset.ts";
import { icmpTest, unknownTest } from "../alternatives.ts";
import { ICMP, ICMPV6, PROTOCOLS_WITH_PORTS, TCP } from "../names.ts";
import { eitherPortTest, portRange, portTest } from "../ports.ts";
import { icmpTypeOf } from "./icmp.ts";
import { add, argument, type Line, type LineContext } from "./line.ts";
import { setTest } from "./set-test.ts";
import {
  addressRangeTest,
  addressTypeTest,
  conntrackStateTest,
  portList,
  type Tested,
  tcpFlagsOptionTest,
} from "./tests.ts";
import { u32Test } from "./u32.ts";

/** Reads the arguments of an option of a match extension; a sentence where the tool would refuse them. */
export function readMatchOption(option: string, line: Line, context: LineContext): string | null {
  const first = line.at - 1;
  const name = line.words[first]!.text;
  if (option === "syn")
    return add(line, context, first, (negated) => tcpTest(line, "FIN,SYN,RST,ACK", "SYN", negated));
  const text = argument(line);
  if (text === null) return `\`${name}\` lacks its argument`;
  const more = (test: (negated: boolean) => Tested) => add(line, context, first, test);
  switch (option) {
    case "source-port":
    case "destination-port":
      return more((negated) => {
        const range = portRange(text, ":");
        if (range === null) return `\`${text}\` is no port`;
        return portsOf(line, name) ?? portTest(sideOf(option), [range], negated);
      });
    case "source-ports":
    case "destination-ports":
    case "either-ports":
      return more((negated) => {
        const ranges = portList(text);
        if (ranges === null) return `\`${text}\` are no ports`;
        const refusal = portsOf(line, name);
        if (refusal !== null) return refusal;
        if (option === "either-ports") return eitherPortTest(ranges, negated);
        return portTest(sideOf(option), ranges, negated);
      });
    case "tcp-flags": {
      const set = argument(line);
      return set === null
        ? `\`${name}\` needs two lists of flags`
        : more((negated) => tcpTest(line, text, set, negated));
    }
    case "icmp-type":
      return more((negated) => {
        if (
          line.protocol !== (context.family === 4 ? ICMP : ICMPV6) ||
          (name === "--icmp-type") !== (context.family === 4)
        )
          return `\`${name}\` needs its protocol before it`;
        const block = icmpTypeOf(text, context.family);
        return block ? icmpTest(context.family, [block], negated) : `\`${text}\` is no ICMP type`;
      });
    case "source-range":
    case "destination-range":
      return more((negated) => addressRangeTest(context.family, sideOf(option), text, negated));
    case "source-type":
    case "destination-type":
      return more((negated) => addressTypeTest(sideOf(option), text, negated));
    case "state":
      return more((negated) => conntrackStateTest(text, negated));
    case "u32":
      return more((negated) => {
        const test = context.family === 4 ? u32Test(text, negated, line.protocol) : null;
        return test ?? unknownTest(text);
      });
    case "set": {
      const directions = argument(line);
      if (directions === null) return `\`${name}\` needs a set and its directions`;
      return more(
        (negated) =>
          setTest(context.sets.get(text), directions, context.family, negated, line.protocol) ??
          unknownTest(text),
      );
    }
    case "limit":
      line.rate = text;
      break;
    case "limit-burst":
      line.burst = text;
      break;
    default:
      line.comment = text;
  }
  return line.negated ? `\`!\` cannot stand before \`${name}\`` : null;
}

function sideOf(option: string): Side {
  return option.startsWith("source") ? "source" : "destination";
}

/** Null where the rule's protocol has ports, as the tool demands of a rule that asks for them. */
function portsOf(line: Line, name: string): string | null {
  return line.protocol !== null && PROTOCOLS_WITH_PORTS.has(line.protocol)
    ? null
    : `\`${name}\` needs a protocol with ports before it`;
}

function tcpTest(line: Line, mask: string, set: string, negated: boolean): Tested {
  return line.protocol === TCP
    ? tcpFlagsOptionTest(mask, set, negated)
    : "TCP's flags need `-p tcp` before them";
}
