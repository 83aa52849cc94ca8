import { OTHER } from "../protocol.ts";

/** Types of records by number (IANA, "Domain Name System (DNS) Parameters"): those that somebody asks for. */
const TYPES: readonly (readonly [number, string])[] = [
  [1, "A"],
  [2, "NS"],
  [5, "CNAME"],
  [6, "SOA"],
  [10, "NULL"],
  [12, "PTR"],
  [13, "HINFO"],
  [15, "MX"],
  [16, "TXT"],
  [17, "RP"],
  [18, "AFSDB"],
  [25, "KEY"],
  [28, "AAAA"],
  [29, "LOC"],
  [33, "SRV"],
  [35, "NAPTR"],
  [37, "CERT"],
  [39, "DNAME"],
  [43, "DS"],
  [44, "SSHFP"],
  [45, "IPSECKEY"],
  [46, "RRSIG"],
  [47, "NSEC"],
  [48, "DNSKEY"],
  [49, "DHCID"],
  [50, "NSEC3"],
  [51, "NSEC3PARAM"],
  [52, "TLSA"],
  [53, "SMIMEA"],
  [59, "CDS"],
  [60, "CDNSKEY"],
  [61, "OPENPGPKEY"],
  [62, "CSYNC"],
  [63, "ZONEMD"],
  [64, "SVCB"],
  [65, "HTTPS"],
  [99, "SPF"],
  [108, "EUI48"],
  [109, "EUI64"],
  [249, "TKEY"],
  [250, "TSIG"],
  [251, "IXFR"],
  [252, "AXFR"],
  [255, "ANY"],
  [256, "URI"],
  [257, "CAA"],
];

/** What is asked for where it is no record (RFC 1035 §4.1.1, 1996, 2136), by opcode. */
const OPCODES: readonly (readonly [number, string])[] = [
  [1, "IQUERY"],
  [2, "STATUS"],
  [4, "NOTIFY"],
  [5, "UPDATE"],
];

export const COMMANDS = ["other", ...TYPES.map(([, name]) => name), ...OPCODES.map(([, name]) => name)];

/** RFC 6895 §2.3 and IANA's table, by response code. */
const RCODES: readonly (readonly [number, string])[] = [
  [1, "FORMERR"],
  [2, "SERVFAIL"],
  [3, "NXDOMAIN"],
  [4, "NOTIMP"],
  [5, "REFUSED"],
  [6, "YXDOMAIN"],
  [7, "YXRRSET"],
  [8, "NXRRSET"],
  [9, "NOTAUTH"],
  [10, "NOTZONE"],
  [11, "DSOTYPENI"],
  [16, "BADVERS"],
  [17, "BADKEY"],
  [18, "BADTIME"],
  [19, "BADMODE"],
  [20, "BADNAME"],
  [21, "BADALG"],
  [22, "BADTRUNC"],
  [23, "BADCOOKIE"],
];

export const ERRORS = ["other", ...RCODES.map(([, name]) => name)];

const COMMAND_OF_TYPE = new Map(TYPES.map(([number], index) => [number, index + 1]));
const COMMAND_OF_OPCODE = new Map(OPCODES.map(([number], index) => [number, TYPES.length + index + 1]));
const ERROR_OF_RCODE = new Map(RCODES.map(([number], index) => [number, index + 1]));
const NAME_OF_TYPE = new Map(TYPES);

/** The id of the command of a message with this opcode that asks for this type. */
export function commandOf(opcode: number, type: number): number {
  return (opcode === 0 ? COMMAND_OF_TYPE.get(type) : COMMAND_OF_OPCODE.get(opcode)) ?? OTHER;
}

/** `rcode` is none of 0, which is no error. */
export function errorOf(rcode: number): number {
  return ERROR_OF_RCODE.get(rcode) ?? OTHER;
}

/** RFC 3597 §5 for those without a name. */
export function typeName(type: number): string {
  return NAME_OF_TYPE.get(type) ?? `TYPE${type}`;
}

export const Type = {
  a: 1,
  ns: 2,
  cname: 5,
  soa: 6,
  ptr: 12,
  mx: 15,
  txt: 16,
  aaaa: 28,
  srv: 33,
  opt: 41,
  tsig: 250,
  ixfr: 251,
  axfr: 252,
} as const;
