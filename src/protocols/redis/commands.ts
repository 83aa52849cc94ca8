import { OTHER, TransactionClass } from "../protocol.ts";

/**
 * The commands of Redis 7 and Valkey 8 (https://redis.io/docs/latest/commands/), each with what a latency tool must
 * know of it: where its first key stands, whether it waits on purpose, and what it does to the connection.
 */

/** Where a command's first key is, as an argument number; the name is argument 0. */
export const KeyAt = {
  none: 0,
  first: 1,
  second: 2,
  third: 3,
  /** Argument 1 says how many keys begin at argument 2. */
  counted: 4,
  /** Argument 2 says how many keys begin at argument 3. */
  countedLater: 5,
  /** Behind the word STREAMS. */
  streams: 6,
} as const;
export type KeyAt = (typeof KeyAt)[keyof typeof KeyAt];

/** What a command does beyond being answered by one reply. */
export const Effect = {
  none: 0,
  subscribe: 1,
  unsubscribe: 2,
  monitor: 3,
  multi: 4,
  /** EXEC and DISCARD. */
  multiEnd: 5,
  hello: 6,
  reset: 7,
  client: 8,
  psync: 9,
  sync: 10,
  replconf: 11,
  auth: 12,
  /** Waits only with the argument BLOCK. */
  mayBlock: 13,
  /** CONFIG, ACL, MODULE: may carry passwords. */
  mayTellSecrets: 14,
  /** May carry passwords, and has its keys in one of two places. */
  migrate: 15,
  /** No command, but a field of HTTP: what follows may be secret. */
  unreadable: 16,
  /** May carry passwords, behind names in no fixed places. */
  sentinel: 17,
} as const;
export type Effect = (typeof Effect)[keyof typeof Effect];

const KEYED = `APPEND BITCOUNT BITFIELD BITFIELD_RO BITPOS COPY DECR DECRBY DEL DELIFEQ DUMP EXISTS EXPIRE EXPIREAT EXPIRETIME
GEOADD GEODIST GEOHASH GEOPOS GEORADIUS GEORADIUSBYMEMBER GEORADIUSBYMEMBER_RO GEORADIUS_RO GEOSEARCH GEOSEARCHSTORE
GET GETBIT GETDEL GETEX GETRANGE GETSET HDEL HEXISTS HEXPIRE HEXPIREAT HEXPIRETIME HGET HGETALL HGETDEL HGETEX HINCRBY HINCRBYFLOAT
HKEYS HLEN HMGET HMSET HPERSIST HPEXPIRE HPEXPIREAT HPEXPIRETIME HPTTL HRANDFIELD HSCAN HSET HSETEX HSETNX HSTRLEN HTTL HVALS
INCR INCRBY INCRBYFLOAT LCS LINDEX LINSERT LLEN LMOVE LPOP LPOS LPUSH LPUSHX LRANGE LREM LSET LTRIM MGET MOVE MSET MSETNX
PERSIST PEXPIRE PEXPIREAT PEXPIRETIME PFADD PFCOUNT PFMERGE PSETEX PTTL PUBLISH RENAME RENAMENX RESTORE RESTORE-ASKING
RPOP RPOPLPUSH RPUSH RPUSHX SADD SCARD SDIFF SDIFFSTORE SET SETBIT SETEX SETNX SETRANGE SINTER SINTERSTORE SISMEMBER
SMEMBERS SMISMEMBER SMOVE SORT SORT_RO SPOP SPUBLISH SRANDMEMBER SREM SSCAN STRLEN SUBSTR SUNION SUNIONSTORE
TOUCH TTL TYPE UNLINK WATCH XACK XACKDEL XADD XAUTOCLAIM XCLAIM XDEL XDELEX XLEN XPENDING XRANGE XREVRANGE XSETID XTRIM
ZADD ZCARD ZCOUNT ZDIFFSTORE ZINCRBY ZINTERSTORE ZLEXCOUNT ZMSCORE ZPOPMAX ZPOPMIN ZRANDMEMBER ZRANGE ZRANGEBYLEX
ZRANGEBYSCORE ZRANGESTORE ZRANK ZREM ZREMRANGEBYLEX ZREMRANGEBYRANK ZREMRANGEBYSCORE ZREVRANGE ZREVRANGEBYLEX
ZREVRANGEBYSCORE ZREVRANK ZSCAN ZSCORE ZUNIONSTORE
JSON.GET JSON.SET JSON.DEL JSON.MGET JSON.TYPE JSON.NUMINCRBY JSON.ARRAPPEND BF.ADD BF.EXISTS BF.MADD BF.MEXISTS BF.RESERVE
CF.ADD CF.EXISTS TS.ADD TS.GET TS.RANGE TS.CREATE TS.INCRBY TS.MADD FT.SEARCH FT.AGGREGATE FT.CREATE FT.INFO`;
const KEYLESS = `ASKING BGREWRITEAOF BGSAVE DBSIZE ECHO FAILOVER FLUSHALL FLUSHDB INFO LASTSAVE LOLWUT PING
QUIT RANDOMKEY READONLY READWRITE REPLICAOF ROLE SAVE SCAN SELECT SHUTDOWN SLAVEOF SWAPDB TIME UNWATCH PFSELFTEST`;
/** Their first argument is a word of the command, and is always shown. */
const CONTAINERS = "CLUSTER COMMAND DEBUG FUNCTION LATENCY PUBSUB SCRIPT SLOWLOG COMMANDLOG PFDEBUG";

interface CommandSpec {
  readonly names: string;
  readonly keyAt?: KeyAt;
  readonly class?: TransactionClass;
  readonly effect?: Effect;
  readonly isContainer?: boolean;
}

const { blocking, connect, stream } = TransactionClass;

const SPECS: readonly CommandSpec[] = [
  { names: KEYED, keyAt: KeyAt.first },
  // A pattern is no key, but what makes a KEYS slow.
  { names: "KEYS", keyAt: KeyAt.first },
  { names: KEYLESS },
  { names: CONTAINERS, isContainer: true },
  { names: "OBJECT MEMORY XGROUP XINFO", keyAt: KeyAt.second, isContainer: true },
  { names: "BITOP", keyAt: KeyAt.second, isContainer: true },
  { names: "MIGRATE", keyAt: KeyAt.third, effect: Effect.migrate },
  { names: "ZUNION ZINTER ZDIFF ZINTERCARD SINTERCARD LMPOP ZMPOP", keyAt: KeyAt.counted },
  { names: "EVAL EVALSHA EVAL_RO EVALSHA_RO FCALL FCALL_RO", keyAt: KeyAt.countedLater },
  { names: "BLPOP BRPOP BRPOPLPUSH BLMOVE BZPOPMIN BZPOPMAX", keyAt: KeyAt.first, class: blocking },
  { names: "BLMPOP BZMPOP", keyAt: KeyAt.countedLater, class: blocking },
  { names: "WAIT WAITAOF", class: blocking },
  { names: "XREAD XREADGROUP", keyAt: KeyAt.streams, effect: Effect.mayBlock },
  { names: "SUBSCRIBE PSUBSCRIBE SSUBSCRIBE", keyAt: KeyAt.first, class: stream, effect: Effect.subscribe },
  { names: "UNSUBSCRIBE PUNSUBSCRIBE SUNSUBSCRIBE", keyAt: KeyAt.first, class: stream, effect: Effect.unsubscribe },
  { names: "MONITOR", class: stream, effect: Effect.monitor },
  { names: "PSYNC", class: stream, effect: Effect.psync },
  { names: "SYNC", class: stream, effect: Effect.sync },
  { names: "REPLCONF", class: connect, effect: Effect.replconf, isContainer: true },
  { names: "MULTI", effect: Effect.multi },
  { names: "EXEC DISCARD", effect: Effect.multiEnd },
  { names: "HELLO", class: connect, effect: Effect.hello },
  { names: "AUTH", class: connect, effect: Effect.auth },
  { names: "RESET", class: connect, effect: Effect.reset },
  { names: "CLIENT", effect: Effect.client, isContainer: true },
  { names: "CONFIG ACL MODULE", effect: Effect.mayTellSecrets, isContainer: true },
  { names: "SENTINEL", effect: Effect.sentinel, isContainer: true },
];

const names: string[] = ["other"];
const keyRules: number[] = [KeyAt.none];
const classes: number[] = [TransactionClass.normal];
const effects: number[] = [Effect.none];
const containers: number[] = [0];
for (const spec of SPECS) {
  for (const name of spec.names.split(/\s+/)) {
    names.push(name);
    keyRules.push(spec.keyAt ?? KeyAt.none);
    classes.push(spec.class ?? TransactionClass.normal);
    effects.push(spec.effect ?? Effect.none);
    containers.push(spec.isContainer ? 1 : 0);
  }
}

/** Names by command id. */
export const COMMANDS: readonly string[] = names;
export const KEY_RULES = Uint8Array.from(keyRules);
export const CLASSES = Uint8Array.from(classes);
export const EFFECTS = Uint8Array.from(effects);
export const IS_CONTAINER = Uint8Array.from(containers);

/** Of constant time, or nearly so, whatever their arguments (https://redis.io/commands, "Time complexity"). */
const QUICK =
  "GET SET SETEX PSETEX SETNX GETSET GETEX GETDEL STRLEN APPEND INCR DECR INCRBY DECRBY INCRBYFLOAT SETRANGE GETRANGE SETBIT GETBIT " +
  "EXISTS TYPE TTL PTTL EXPIRE PEXPIRE EXPIREAT PEXPIREAT EXPIRETIME PEXPIRETIME PERSIST TOUCH UNLINK RANDOMKEY " +
  "HGET HSET HSETNX HEXISTS HLEN HSTRLEN HINCRBY HINCRBYFLOAT LLEN LPUSH RPUSH LPUSHX RPUSHX LPOP RPOP SCARD SISMEMBER SADD SREM " +
  "ZADD ZCARD ZSCORE ZINCRBY ZRANK ZREVRANK XLEN XADD PFADD PING ECHO SELECT AUTH HELLO QUIT RESET MULTI DISCARD WATCH UNWATCH " +
  "DBSIZE TIME READONLY READWRITE ASKING PUBLISH";
export const QUICK_COMMANDS: ReadonlySet<number> = new Set(
  QUICK.split(" ").flatMap((name) => (names.includes(name) ? [names.indexOf(name)] : [])),
);

/** First words of error replies; others are "other". */
export const ERRORS: readonly string[] = [
  "other",
  ..."ERR WRONGTYPE NOAUTH WRONGPASS NOPERM NOPROTO MOVED ASK TRYAGAIN CLUSTERDOWN CROSSSLOT LOADING BUSY NOSCRIPT OOM".split(
    " ",
  ),
  ..."READONLY MISCONF MASTERDOWN NOREPLICAS NOREPLICA EXECABORT UNKILLABLE NOTBUSY BUSYKEY BUSYGROUP NOGROUP UNBLOCKED".split(
    " ",
  ),
  ..."INPROG NOGOODSLAVE IOERR INVALIDOBJ DENIED NOMASTERLINK REDIRECT STALE".split(" "),
];

/** Words looked up by their bytes, without making a string of them. Case does not matter. */
export class WordTable {
  private readonly words: Uint8Array[];
  private readonly index = new Int16Array(2048).fill(-1);

  /** `words[i]` has id i; words are ASCII, in capitals. */
  constructor(words: readonly string[]) {
    this.words = words.map((word) => new TextEncoder().encode(word));
    for (let id = 1; id < words.length; id++) {
      let at = hashOf(this.words[id]!, 0, this.words[id]!.length);
      while (this.index[at] !== -1) at = (at + 1) & 2047;
      this.index[at] = id;
    }
  }

  /** The id of the word bytes[start, end), or OTHER. */
  // Runs for every request.
  find(bytes: Uint8Array, start: number, end: number): number {
    for (let at = hashOf(bytes, start, end); ; at = (at + 1) & 2047) {
      const id = this.index[at]!;
      if (id === -1) return OTHER;
      if (isWord(this.words[id]!, bytes, start, end)) return id;
    }
  }
}

function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start;
  // Without bit 5 both cases of a letter are equal; what else becomes equal only collides.
  for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + (bytes[i]! & 0xdf)) | 0;
  return (hash ^ (hash >>> 11)) & 2047;
}

function isWord(word: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  if (word.length !== length) return false;
  for (let i = 0; i < length; i++) if (word[i] !== upper(bytes[start + i]!)) return false;
  return true;
}

/** An ASCII letter in capitals; other bytes as they are. */
export function upper(byte: number): number {
  return byte >= 0x61 && byte <= 0x7a ? byte - 32 : byte;
}
