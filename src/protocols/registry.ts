import { dns } from "./dns.ts";
import { http } from "./http.ts";
import { kafka } from "./kafka.ts";
import { memcached } from "./memcached.ts";
import type { Protocol } from "./protocol.ts";
import { redis } from "./redis.ts";

/** Every protocol that tcplat speaks. */
export const PROTOCOLS: readonly Protocol[] = [redis, memcached, dns, http, kafka];
