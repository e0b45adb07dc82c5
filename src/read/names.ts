/**
 * Protocols by the names that the tools print, which they take from `/etc/protocols` (here: Debian's, after IANA) or
 * know by themselves.
 */
const PROTOCOLS: ReadonlyMap<string, number> = new Map([
  ["icmp", 1],
  ["igmp", 2],
  ["ggp", 3],
  ["ipencap", 4],
  ["st", 5],
  ["tcp", 6],
  ["egp", 8],
  ["igp", 9],
  ["pup", 12],
  ["udp", 17],
  ["hmp", 20],
  ["xns-idp", 22],
  ["rdp", 27],
  ["iso-tp4", 29],
  ["dccp", 33],
  ["xtp", 36],
  ["ddp", 37],
  ["idpr-cmtp", 38],
  ["ipv6", 41],
  ["ipv6-route", 43],
  ["ipv6-frag", 44],
  ["idrp", 45],
  ["rsvp", 46],
  ["gre", 47],
  ["esp", 50],
  ["ipv6-crypt", 50],
  ["ah", 51],
  ["ipv6-auth", 51],
  ["skip", 57],
  ["ipv6-icmp", 58],
  ["icmpv6", 58],
  ["ipv6-nonxt", 59],
  ["ipv6-opts", 60],
  ["rspf", 73],
  ["vmtp", 81],
  ["eigrp", 88],
  ["ospf", 89],
  ["ospfigp", 89],
  ["ax.25", 93],
  ["ipip", 94],
  ["etherip", 97],
  ["encap", 98],
  ["pim", 103],
  ["ipcomp", 108],
  ["comp", 108],
  ["vrrp", 112],
  ["l2tp", 115],
  ["isis", 124],
  ["sctp", 132],
  ["fc", 133],
  ["mobility-header", 135],
  ["ipv6-mh", 135],
  ["udplite", 136],
  ["mpls-in-ip", 137],
  ["manet", 138],
  ["hip", 139],
  ["shim6", 140],
  ["wesp", 141],
  ["rohc", 142],
]);

export const ICMP = 1;
export const TCP = 6;
export const UDP = 17;
export const ICMPV6 = 58;
export const SCTP = 132;
export const UDPLITE = 136;

/** Protocols that both tools can ask for ports: TCP, UDP, DCCP, SCTP, UDP-Lite. */
export const PROTOCOLS_WITH_PORTS: ReadonlySet<number> = new Set([TCP, UDP, 33, SCTP, UDPLITE]);

/** Services by name that people write by hand, as IANA registers them. The tools print numbers. */
const SERVICES: ReadonlyMap<string, number> = new Map([
  ["ftp-data", 20],
  ["ftp", 21],
  ["ssh", 22],
  ["telnet", 23],
  ["smtp", 25],
  ["time", 37],
  ["whois", 43],
  ["domain", 53],
  ["bootps", 67],
  ["bootpc", 68],
  ["tftp", 69],
  ["http", 80],
  ["www", 80],
  ["kerberos", 88],
  ["pop3", 110],
  ["sunrpc", 111],
  ["auth", 113],
  ["nntp", 119],
  ["ntp", 123],
  ["netbios-ns", 137],
  ["netbios-dgm", 138],
  ["netbios-ssn", 139],
  ["imap2", 143],
  ["imap", 143],
  ["snmp", 161],
  ["snmp-trap", 162],
  ["bgp", 179],
  ["ldap", 389],
  ["https", 443],
  ["microsoft-ds", 445],
  ["submissions", 465],
  ["isakmp", 500],
  ["syslog", 514],
  ["submission", 587],
  ["ldaps", 636],
  ["domain-s", 853],
  ["rsync", 873],
  ["imaps", 993],
  ["pop3s", 995],
  ["openvpn", 1194],
  ["mysql", 3306],
  ["ipsec-nat-t", 4500],
  ["postgresql", 5432],
  ["mdns", 5353],
]);

/** A decimal or `0x` number of at most `largest`; null for anything else. */
export function numberIn(text: string, largest: number): number | null {
  if (!/^(?:[0-9]{1,10}|0[xX][0-9a-fA-F]{1,8})$/.test(text)) return null;
  // A leading zero is octal to iptables and decimal to nft; nobody prints one.
  if (/^0[0-9]/.test(text)) return null;
  const number = Number(text);
  return number <= largest ? number : null;
}

/** A protocol by number or name; null where it is neither. */
export function protocolOf(text: string): number | null {
  return numberIn(text, 255) ?? PROTOCOLS.get(text.toLowerCase()) ?? null;
}

/** A port by number or service name; null where it is neither. */
export function portOf(text: string): number | null {
  return numberIn(text, 65535) ?? SERVICES.get(text) ?? null;
}
