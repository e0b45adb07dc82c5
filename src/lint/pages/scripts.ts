import type { Page } from "./page.ts";

const VERIFY = "`ctc verify`, `ctc golden` and `ctc compile`";
const GOLDEN = "`ctc golden`";

/** What is said of scripts, which stand beside policies or come from a host, and of packets on a command line. */
export const scriptPages: readonly Page[] = [
  {
    name: "script-differs",
    saidBy: VERIFY,
    finds:
      "Packets with which a script does something else than the policy means: it passes what the policy drops, tracks what it leaves untracked, or translates to another address. The packets are named, with the line of the script and the rule of the policy that decide them, and one of them is written out.",
    matters:
      "The comparison covers every packet and every state of connection tracking, so a difference that nobody has met yet is found as well.",
    example: null,
    instead:
      "If the policy is right, write the script anew (`ctc golden --update`, `ctc compile -o`) and load it. If the script is right, because somebody mended it by hand, put the same into the policy. When `ctc compile` itself says this, nothing is written: it is a bug in ctc.",
    correct: [],
  },
  {
    name: "script-unknown",
    saidBy: VERIFY,
    finds:
      "Packets that come to a line of a script which ctc does not understand, such as a match of a foreign module, and whose fate depends on it.",
    matters:
      "Whatever is not understood is never taken for equal: a proof that looks away proves nothing. Lines that no packet comes to, or that cannot change what becomes of it, are not reported.",
    example: null,
    instead:
      "Say it with the means that ctc knows, or move the line to a table or chain of its own that the script under test does not hold.",
    correct: [],
  },
  {
    name: "script-syntax",
    saidBy: VERIFY,
    finds: "A line that `nft` or `iptables-restore` would refuse.",
    matters: "A script is loaded whole or not at all, so one such line keeps all of it from being loaded.",
    example: null,
    instead:
      "Correct the line. If the file is for another program than ctc takes it for, say so: `--as nft`, `--as iptables` or `--as ip6tables`.",
    correct: [],
  },
  {
    name: "script-doubt",
    saidBy: VERIFY,
    level: "warning",
    finds: "A line that loads and has no effect, or whose effect cannot be relied on.",
    matters: "Whoever wrote it meant something by it, and the kernel does not do it.",
    example: null,
    instead: "Take the line out, or move it to where it acts.",
    correct: [],
  },
  {
    name: "stale-script",
    saidBy: GOLDEN,
    finds: "A script that is not what its policy compiles to.",
    matters:
      "What is loaded is the script; what was reviewed is the policy. The finding says how many lines differ, and whether any packet is treated differently.",
    example: null,
    instead: "`ctc golden --update` writes it anew.",
    correct: [],
  },
  {
    name: "missing-script",
    saidBy: GOLDEN,
    finds: "A policy without a script of a kind that other policies of the repository have.",
    matters: "It was added, and never compiled; or its script was not committed with it.",
    example: null,
    instead: "`ctc golden --update` writes it.",
    correct: [],
  },
  {
    name: "orphaned-script",
    saidBy: GOLDEN,
    finds: "A script of ctc's where no policy has its scripts.",
    matters: "Its policy is gone or has another name, and somebody may still load it.",
    example: null,
    instead: "`ctc golden --update` removes it.",
    correct: [],
  },
  {
    name: "foreign-script",
    saidBy: GOLDEN,
    finds: "A file in the place of a script that ctc did not write.",
    matters: "It may be the only copy of somebody's work, so ctc does not write over it.",
    example: null,
    instead: "Move it away or remove it, and run `ctc golden --update`.",
    correct: [],
  },
  {
    name: "contested-folder",
    saidBy: GOLDEN,
    finds: "Two policies that would have their scripts in the same folder.",
    matters: "The scripts of one would be written over those of the other.",
    example: null,
    instead: "Rename one: the scripts of `NAME.policy.yaml` stand in the folder `NAME`.",
    correct: [],
  },
  {
    name: "stray-file",
    saidBy: GOLDEN,
    finds: "A file in a folder `golden` that is no script, and that no policy reads.",
    matters: "A script under a wrong name is held against nothing, and nobody notices.",
    example: null,
    instead: "Remove it, or give it the name of a script: `ruleset.nft`, `rules.v4`, `rules.v6` or `ipsets`.",
    correct: [],
  },
  {
    name: "packet-syntax",
    saidBy: "`ctc trace`",
    finds: "A packet on the command line that cannot be read.",
    matters: "Only one packet is followed, so nothing about it may be guessed.",
    example: null,
    instead:
      "Write it as in `tcp 10.1.2.3:40000 > 192.0.2.1:11211 in eth0 flags syn` or `icmp 10.1.2.3 > self echo-request`.",
    correct: [],
  },
];
