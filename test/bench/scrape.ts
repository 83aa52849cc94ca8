import { once } from "node:events";
import { createServer, get } from "node:http";
import type { AddressInfo } from "node:net";
import { startRedis } from "../support/servers.ts";
import { accuracyRows, type Comparison, compare } from "./accuracy.ts";
import { Asker, benchmark } from "./load.ts";
import { sleep } from "./measure.ts";
import { needCapture } from "./programs.ts";
import { atMost, type Bench, count, median, milliseconds, plainRow } from "./rows.ts";

/** redis-server listens on at most 16 addresses; each is a server of its own to tcplat. */
const HOSTS = Array.from({ length: 16 }, (_, index) => `127.0.0.${index + 1}`);
/** With as many commands, asked without arguments (an error is an answer, too), a thousand series. */
const COMMANDS = `APPEND BITCOUNT BITOP BITPOS COPY DECR DECRBY DEL DUMP EXISTS EXPIRE GEOADD GEODIST GEOHASH GEOPOS
  GETBIT GETDEL GETEX GETRANGE GETSET HDEL HEXISTS HGET HGETALL HINCRBY HKEYS HLEN HMGET HMSET HSET HSETNX HSTRLEN HVALS
  INCR INCRBY LINDEX LINSERT LLEN LPOP LPOS LPUSH LPUSHX LRANGE LREM LSET LTRIM MGET MSET MSETNX PERSIST PEXPIRE
  PTTL RENAME RPOP RPUSH SADD SCARD SDIFF SINTER SISMEMBER SMEMBERS SPOP SREM STRLEN SUNION TTL TYPE ZADD`
  .trim()
  .split(/\s+/);
const EVERY_MS = 250;
const IS_SERIES = /^tcplat_request_duration_seconds_count\{/gm;

async function makeSeries(port: number): Promise<void> {
  for (const host of HOSTS) {
    const asker = await Asker.connect(1, port, host);
    for (const command of COMMANDS) {
      asker.ask(`*1\r\n$${command.length}\r\n${command}\r\n`);
      await asker.answered();
    }
    asker.close();
  }
}

interface Scrapes {
  readonly timesMs: number[];
  series: number;
}

/** The body as it comes: making a string of 3.6 MB is the reader's business. */
function take(port: number, path: string): Promise<Buffer[]> {
  return new Promise((resolve, reject) => {
    const request = get({ host: "127.0.0.1", port, path, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => resolve(chunks));
    });
    request.on("error", reject);
  });
}

/** What this process needs for its own first request is none of tcplat's time. */
async function askOnce(): Promise<void> {
  const server = createServer((_, response) => response.end());
  await once(server.listen(0, "127.0.0.1"), "listening");
  await take((server.address() as AddressInfo).port, "/");
  server.close();
}

/** Scrapes until the load has ended. */
async function scrapeDuring(load: Promise<unknown>, metricsPort: number, scrapes: Scrapes): Promise<void> {
  let isOver = false;
  const over = load.finally(() => {
    isOver = true;
  });
  while (!isOver) {
    const startedAt = performance.now();
    const answer = await take(metricsPort, "/metrics");
    scrapes.timesMs.push(performance.now() - startedAt);
    scrapes.series = Buffer.concat(answer).toString().match(IS_SERIES)?.length ?? 0;
    await sleep(EVERY_MS);
  }
  await over;
}

export const scrape: Bench = {
  name: "scrape",
  about: `scrapes of a thousand series, each ${EVERY_MS} ms, while redis-benchmark runs at full speed`,
  run: async ({ runs }) => {
    needCapture("tcpdump", "redis-server", "redis-benchmark");
    await askOnce();
    const found: Comparison[] = [];
    const scrapes: Scrapes = { timesMs: [], series: 0 };
    for (let round = 0; round < runs; round++) {
      const redis = await startRedis({ words: ["--bind", ...HOSTS] });
      try {
        const one = await compare(redis.port, async (metricsPort) => {
          await makeSeries(redis.port);
          await scrapeDuring(benchmark(redis.port, 200_000), metricsPort, scrapes);
        });
        found.push(one);
      } finally {
        await redis.stop();
      }
    }
    const work = `scrape of ${count(scrapes.series)} series under full load`;
    return [
      plainRow(
        `${work}: answered, median of ${scrapes.timesMs.length}`,
        median(scrapes.timesMs),
        milliseconds,
        atMost(100, " ms"),
      ),
      plainRow(`${work}: answered, slowest`, Math.max(...scrapes.timesMs), milliseconds, atMost(100, " ms")),
      plainRow(
        `${work}: frames dropped, worst run`,
        Math.max(...found.map((run) => run.framesDropped)),
        count,
        atMost(0),
      ),
      ...accuracyRows("latencies while scraped", found),
    ];
  },
};
