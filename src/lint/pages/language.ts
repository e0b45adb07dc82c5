import type { Page } from "./page.ts";

/** A policy of some rules, by which the host can be managed. */
function rules(...sentences: string[]): string {
  return [
    "version: 1",
    "policies:",
    "  - name: web",
    "    rules:",
    ...sentences.map((sentence) => `      - ${sentence}`),
    "      - allow tcp from 192.0.2.0/24 to self port 22",
    "",
  ].join("\n");
}

/** A policy with a section in front of it. */
function withSection(section: string): string {
  return rules().replace("policies:", `${section}\npolicies:`);
}

/** Checks of the text of a policy, of its shape and of its sentences, in the order in which a file meets them. */
export const languagePages: readonly Page[] = [
  {
    name: "invalid-utf8",
    finds: "A file that is no UTF-8 text.",
    matters:
      "What an editor shows would depend on the editor, and a name would not be the same name everywhere.",
    example: null,
    instead: "Save the file as UTF-8.",
    correct: [],
  },
  {
    name: "control-character",
    finds: "A character that nobody sees, or that turns the direction of writing around.",
    matters: "A reviewer would read another policy than ctc does.",
    example: rules("allow tcp from any to self port 80 # \u202efor now"),
    instead: "Take the character out.",
    correct: [["\u202e", ""]],
  },
  {
    name: "yaml-syntax",
    finds: "A file that is no YAML 1.2.",
    matters: "Nothing in it can be checked.",
    example: `version: 1\npolicies:\n  - name: web\n   rules:\n      - allow tcp from 192.0.2.0/24 to self port 22\n`,
    instead: "Mend the indentation, the quotes or the brackets.",
    correct: [["   rules:", "    rules:"]],
  },
  {
    name: "nested-too-deeply",
    finds:
      "Lists or mappings more than 32 levels deep, or names that refer to names more than 32 times in a row.",
    matters:
      "A policy has six levels, and its names two or three; such a file was written to wear out whoever reads it.",
    example: `version: 1\naddresses: ${"[".repeat(40)}${"]".repeat(40)}\n${rules().replace("version: 1\n", "")}`,
    instead: "Write a flat list.",
    correct: [[`addresses: ${"[".repeat(40)}${"]".repeat(40)}\n`, ""]],
  },
  {
    name: "several-documents",
    finds: "A second YAML document in one file.",
    matters: "One file is one policy: the second one would be ignored, or mixed with the first.",
    example: `${rules()}---\nversion: 1\n`,
    instead: "Put the other document into a file of its own.",
    correct: [["---\nversion: 1\n", ""]],
  },
  {
    name: "yaml-alias",
    finds: "An alias, `*name`, or a merge of mappings by one.",
    matters: "A rule would mean something that stands elsewhere in the file.",
    example: withSection("addresses:\n  office: &office [10.1.0.0/16]\n  all: *office"),
    instead: "Declare a name and use that.",
    correct: [
      ["  office: &office [10.1.0.0/16]\n  all: *office\n", "  office: [10.1.0.0/16]\n  all: [office]\n"],
      ["from 192.0.2.0/24", "from all"],
    ],
  },
  {
    name: "duplicate-key",
    finds: "A key that stands twice in one mapping.",
    matters: "One of the two would silently win.",
    example: withSection("defaults: { output: deny, output: allow }"),
    instead: "Take one of them out.",
    correct: [["output: deny, ", ""]],
  },
  {
    name: "unknown-key",
    finds: "A key that policies do not have.",
    matters: "What it should say would not be said.",
    example: rules().replace("    rules:", "    donottrack: false\n    rules:"),
    instead: "Mend the key; `ctc schema` tells editors all of them.",
    correct: [["donottrack", "doNotTrack"]],
  },
  {
    name: "missing-key",
    finds: "A key that is needed and not there.",
    matters:
      "`version` says which language the file is written in, and a policy without a name has none to be reported by.",
    example: rules().replace("version: 1\n", ""),
    instead: "Add the key.",
    correct: [["policies:", "version: 1\npolicies:"]],
  },
  {
    name: "bad-value",
    finds: "A value of another kind than its key takes.",
    matters:
      "A text where a list should be, or a word where `true` or `false` should, would mean nothing certain.",
    example: rules().replace("    rules:", "    doNotTrack: sometimes\n    rules:"),
    instead: "Write a value of the kind that the message names.",
    correct: [["sometimes", "false"]],
  },
  {
    name: "quote-sentence",
    finds:
      "A sentence that YAML does not read as one: it holds `: ` or ` #`, or begins with a sign of YAML's own.",
    matters: "YAML makes a mapping or a comment of a part of it.",
    example: rules('deny from 198.51.100.0/24 to any log "bad: no"'),
    instead:
      "Quote the sentence, or write the rules as one block, `rules: |`, where nothing needs quotes. `ctc lint --fix` quotes it.",
    correct: [
      [`deny from 198.51.100.0/24 to any log "bad: no"`, `'deny from 198.51.100.0/24 to any log "bad: no"'`],
    ],
  },
  {
    name: "bad-name",
    finds:
      "A name that cannot be told from something else: a word of the language, a number, or one with signs in it.",
    matters: "Sentences are made of words, and each must have one meaning.",
    example: withSection("addresses:\n  from: 10.1.0.0/16"),
    instead:
      "Begin names with a letter, go on with letters, digits, `-` and `_`, and leave the words of the language alone.",
    correct: [
      ["  from: 10.1.0.0/16", "  office: 10.1.0.0/16"],
      ["from 192.0.2.0/24", "from office"],
    ],
  },
  {
    name: "duplicate-policy",
    finds: "Two policies of one name.",
    matters: "Emitted rules and findings name the policy that they come from.",
    example: `${rules("allow tcp from any to self port 80")}  - name: web\n    rules:\n      - allow tcp from any to self port 443\n`,
    instead: "Give each its own name.",
    correct: [
      [
        "  - name: web\n    rules:\n      - allow tcp from any to self port 443",
        "  - name: shop\n    rules:\n      - allow tcp from any to self port 443",
      ],
    ],
  },
  {
    name: "unreadable-file",
    finds:
      "A policy or an address file that cannot be read, or that stands outside of the folder that it may stand in.",
    matters: "A list that is not read must not become an empty one.",
    example: withSection("addresses:\n  blocklist: { file: blocklist.txt }").replace(
      "      - allow",
      "      - deny from blocklist, 203.0.113.0/24 to any\n      - allow",
    ),
    instead: "Mend the path; it is relative to the policy. `--root` lets address files stand elsewhere.",
    correct: [["{ file: blocklist.txt }", "198.51.100.0/24"]],
  },
  {
    name: "sentence-syntax",
    finds: "A sentence that breaks off, or goes on where it should end.",
    matters: "A sentence is understood whole or not at all.",
    example: rules("allow tcp from any to self prot 443"),
    instead: "Mend the word that is underlined; the message says what may stand there.",
    correct: [["prot", "port"]],
  },
  {
    name: "duplicate-clause",
    finds: "A clause that stands twice in one sentence.",
    matters: "One of the two would silently win.",
    example: rules("allow tcp from any to self port 443 in eth0 in eth1"),
    instead: "Write one clause with a list.",
    correct: [["in eth0 in eth1", "in eth0, eth1"]],
  },
  {
    name: "missing-clause",
    finds: "A rule without one of its ends, or a NAT sentence without its target.",
    matters: "Both ends are always written: `allow tcp to any port 443` must not open the host to everybody.",
    example: rules("allow tcp to self port 443"),
    instead: "Write both ends; `any` is everybody, `self` this host.",
    correct: [["allow tcp to self", "allow tcp from any to self"]],
  },
  {
    name: "misplaced-clause",
    finds: "A clause that this kind of sentence cannot have.",
    matters:
      "The kernel knows no outgoing interface where it translates destinations, and no incoming one where it translates sources; a deny has nothing to limit replies to.",
    example: `${rules("allow from 10.0.0.0/8 to any out eth0")}nat:\n  - masquerade from 10.0.0.0/8 in eth1 out eth0\n`,
    instead: "Leave the clause out, or say it in a rule.",
    correct: [[" in eth1 out eth0\n", " out eth0\n"]],
  },
  {
    name: "bad-protocol",
    finds: "A word or number that is no protocol.",
    matters: "The kernel tells protocols by numbers from 0 to 255.",
    example: rules("allow protocol 300 from any to self").replace("protocol 300", "300"),
    instead: "Write a protocol's name or number, or a declared service.",
    correct: [["allow 300", "allow 47"]],
  },
  {
    name: "bad-icmp-type",
    finds: "An ICMP type that there is not, or not in this family.",
    matters: "Types are names or numbers from 0 to 255, and ICMP and ICMPv6 count differently.",
    example: rules("allow icmp echo-requets from any to self"),
    instead: "Write a name, which is valid for both families, or a number with `icmp4` or `icmp6`.",
    correct: [["echo-requets", "echo-request"]],
  },
  {
    name: "bad-address",
    finds: "What should be an address, a prefix or a range, and is none.",
    matters: "Nobody can say which packets it means.",
    example: rules("allow tcp from 10.1.0.0/33 to self port 443"),
    instead: "Write an address, `ADDRESS/LENGTH` or `FIRST-LAST`.",
    correct: [["/33", "/16"]],
  },
  {
    name: "host-bits",
    finds: "A prefix whose address has bits set behind its length.",
    matters:
      "`10.1.2.3/16` may mean the network 10.1.0.0/16 or the host 10.1.2.3, and tools differ in which they take.",
    example: rules("allow tcp from 10.1.2.3/16 to self port 443"),
    instead: "Write the network, or the host.",
    correct: [["10.1.2.3/16", "10.1.0.0/16"]],
  },
  {
    name: "ambiguous-address",
    finds:
      "An IPv4 address that programs read differently: with leading zeros, or with fewer than four parts.",
    matters:
      "`010.0.0.1` is 8.0.0.1 to some, 10.0.0.1 to others; `10.1` is 10.0.0.1 to most, which few people know.",
    example: rules("allow tcp from 010.0.0.1 to self port 443"),
    instead: "Write four decimal numbers without leading zeros.",
    correct: [["010.0.0.1", "10.0.0.1"]],
  },
  {
    name: "bad-port",
    finds: "A port beyond 65535, or a range that ends before it begins.",
    matters: "No packet has such a port.",
    example: rules("allow tcp from any to self port 443-80"),
    instead: "Write ports from 0 to 65535, the lower one first.",
    correct: [["443-80", "80-443"]],
  },
  {
    name: "port-without-protocol",
    finds: "Ports in a sentence that names no protocol, or one without ports.",
    matters: "Every protocol has ports of its own: 53 over TCP is not 53 over UDP, and ICMP has none.",
    example: rules("allow from any to self port 443"),
    instead: "Name the protocol before `from`.",
    correct: [["allow from any to self port 443", "allow tcp from any to self port 443"]],
  },
  {
    name: "bad-device",
    finds: "A device name that the kernel would not take.",
    matters:
      "Devices have at most 15 characters, and none of `/`, `!` and blanks. A `*` stands at the end, for all devices that begin so.",
    example: withSection("interfaces:\n  wan: eth*0")
      .replace("to self port", "to self in wan port")
      .replace("to self in wan port 22", "to self port 22 in wan"),
    instead: "Write the name that `ip link` shows.",
    correct: [["eth*0", "eth0"]],
  },
  {
    name: "bad-limit",
    finds: "A limit of nothing, without a unit, or beyond what the kernel can count.",
    matters: "The kernel would round it, or refuse the whole script.",
    example: rules("allow icmp echo-request from any to self limit 0/second"),
    instead: "Write `limit NUMBER/UNIT` with `second`, `minute`, `hour` or `day`, and `burst` if needed.",
    correct: [["0/second", "10/second"]],
  },
  {
    name: "bad-log-prefix",
    finds: "A log prefix that is too long for the kernel, or holds quotes or control characters.",
    matters:
      "iptables keeps 29 characters of a prefix and nft refuses what it cannot quote; nothing in it may break out of the script that root loads.",
    example: rules('deny from 198.51.100.0/24 to any log "a prefix that is much too long for iptables"'),
    instead: "Write a short prefix of letters, digits and blanks.",
    correct: [["a prefix that is much too long for iptables", "blocked"]],
  },
  {
    name: "too-many-findings",
    finds: "More than 200 faults in one file. The others are only counted.",
    matters: "Such a file is not what its author thinks it is.",
    example: null,
    instead: "Correct what is reported; the rest will then be told.",
    correct: [],
  },
];
