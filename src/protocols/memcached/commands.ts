import { TransactionClass } from "../protocol.ts";
import { Shape } from "./reply-kind.ts";
import { WordTable } from "./words.ts";

/** What a text command's line looks like and what it may be answered (memcached `protocol.txt`; tried on 1.6.18). */
export interface TextCommand {
  readonly word: string;
  readonly shape: Shape;
  readonly class: TransactionClass;
  /** Index of the first key among the line's words; 0 for none. */
  readonly keyIndex: number;
  /** Index of the data block's length; 0 where no data follows. */
  readonly lengthIndex: number;
  /** Words, the command's own included, of a line whose last one, `noreply`, is obeyed; 0: never. */
  readonly minNoreplyWords: number;
  readonly maxNoreplyWords: number;
  /** The first argument is a subcommand, shown like the command itself. */
  readonly hasSubcommand: boolean;
  /** Flags follow the key (and length): `q`, `k`, `O…`. */
  readonly isMeta: boolean;
}

type Details = Partial<Omit<TextCommand, "word" | "shape">>;

function command(word: string, shape: Shape, details: Details = {}): TextCommand {
  return {
    word,
    shape,
    class: details.class ?? TransactionClass.normal,
    keyIndex: details.keyIndex ?? 0,
    lengthIndex: details.lengthIndex ?? 0,
    minNoreplyWords: details.minNoreplyWords ?? 0,
    maxNoreplyWords: details.maxNoreplyWords ?? -1,
    hasSubcommand: details.hasSubcommand ?? false,
    isMeta: details.isMeta ?? false,
  };
}

/** `set <key> <flags> <exptime> <bytes> [noreply]` */
const STORAGE = { keyIndex: 1, lengthIndex: 4, minNoreplyWords: 6, maxNoreplyWords: 6 };
/** `cas <key> <flags> <exptime> <bytes> <cas unique> [noreply]` */
const CAS = { keyIndex: 1, lengthIndex: 4, minNoreplyWords: 7, maxNoreplyWords: 7 };
/** `incr <key> <value> [noreply]`; the server also obeys `incr <key> noreply`. */
const KEY_AND_VALUE = { keyIndex: 1, minNoreplyWords: 3, maxNoreplyWords: 4 };
const OPTIONAL_VALUE = { minNoreplyWords: 2, maxNoreplyWords: 3 };
const META = { keyIndex: 1, isMeta: true };

/** What no table knows: any single line may answer it. */
export const UNKNOWN_COMMAND = command("", Shape.any);

const TEXT_COMMANDS: readonly TextCommand[] = [
  command("get", Shape.get, { keyIndex: 1 }),
  command("gets", Shape.get, { keyIndex: 1 }),
  command("bget", Shape.get, { keyIndex: 1 }),
  command("gat", Shape.get, { keyIndex: 2 }),
  command("gats", Shape.get, { keyIndex: 2 }),
  command("set", Shape.storage, STORAGE),
  command("add", Shape.storage, STORAGE),
  command("replace", Shape.storage, STORAGE),
  command("append", Shape.storage, STORAGE),
  command("prepend", Shape.storage, STORAGE),
  command("cas", Shape.storage, CAS),
  command("incr", Shape.counter, KEY_AND_VALUE),
  command("decr", Shape.counter, KEY_AND_VALUE),
  command("delete", Shape.delete, KEY_AND_VALUE),
  command("touch", Shape.touch, KEY_AND_VALUE),
  command("mg", Shape.metaGet, META),
  command("ms", Shape.metaSet, { ...META, lengthIndex: 2 }),
  command("md", Shape.metaDelete, META),
  command("ma", Shape.metaArithmetic, META),
  command("me", Shape.metaDebug, { keyIndex: 1 }),
  command("mn", Shape.metaNoop),
  command("flush_all", Shape.any, OPTIONAL_VALUE),
  command("verbosity", Shape.any, OPTIONAL_VALUE),
  command("cache_memlimit", Shape.any, OPTIONAL_VALUE),
  command("version", Shape.version),
  command("stats", Shape.stats, { hasSubcommand: true }),
  command("slabs", Shape.any, { hasSubcommand: true, minNoreplyWords: 3, maxNoreplyWords: 4 }),
  command("lru", Shape.any, { hasSubcommand: true, minNoreplyWords: 2, maxNoreplyWords: 8 }),
  command("lru_crawler", Shape.any, { hasSubcommand: true }),
  command("watch", Shape.watch, { hasSubcommand: true, class: TransactionClass.stream }),
  command("refresh_certs", Shape.any),
  command("misbehave", Shape.any),
  command("extstore", Shape.any, { hasSubcommand: true }),
  command("shutdown", Shape.any),
  command("quit", Shape.none),
];

export const TEXT_COMMAND_WORDS = new WordTable(TEXT_COMMANDS.map(({ word }) => word));

/** By the number TEXT_COMMAND_WORDS gives; its command id is that number + 1. */
export function textCommandAt(index: number): TextCommand {
  return TEXT_COMMANDS[index] ?? UNKNOWN_COMMAND;
}

/** By opcode; "" where there is none (memcached `protocol_binary.txt`, "Command Opcodes"). */
const OPCODE_NAMES: readonly string[] = [
  ..."get set add replace delete incr decr quit flush getq noop version getk getkq append prepend".split(" "),
  ..."stat setq addq replaceq deleteq incrq decrq quitq flushq appendq prependq verbosity touch gat gatq".split(" "),
  ..."_ sasl_list_mechs sasl_auth sasl_step gatk gatkq".split(" "),
].map((name) => (name === "_" ? "" : name));

const NAMES = [...new Set([...TEXT_COMMANDS.map(({ word }) => word), ...OPCODE_NAMES.filter((name) => name !== "")])];

/** Command names by id, in capitals; text and binary commands of one name share an id. */
export const COMMANDS: readonly string[] = ["other", ...NAMES.map((name) => name.toUpperCase())];

/** Command id by opcode; 0 (other) for unknown ones. */
export const OPCODE_COMMANDS = Int16Array.from({ length: 256 }, (_, opcode) => {
  return NAMES.indexOf(OPCODE_NAMES[opcode] || "-") + 1;
});

/** What is shown of a binary command, by opcode: its name as bytes, in lower case like the text protocol's. */
export const OPCODE_TEXTS: readonly Uint8Array[] = Array.from({ length: 256 }, (_, opcode) =>
  new TextEncoder().encode(OPCODE_NAMES[opcode] || `opcode-${opcode}`),
);

/** Error labels. The binary protocol's statuses are counted under the text protocol's words for them. */
export const ERRORS = [
  "other",
  "ERROR",
  "CLIENT_ERROR",
  "SERVER_ERROR",
  "BUSY",
  "BADCLASS",
  "NOSPARE",
  "NOTFULL",
  "UNSAFE",
  "SAME",
  "AUTH_ERROR",
] as const;

export function errorIdOf(name: (typeof ERRORS)[number]): number {
  return ERRORS.indexOf(name);
}
