import { redis } from "../../src/protocols/redis.ts";
import { testTranscript } from "../support/transcript.ts";

testTranscript(redis, "redis.md");
testTranscript(redis, "redis-resp3.md");
testTranscript(redis, "redis-types.md");
testTranscript(redis, "redis-inline.md");
testTranscript(redis, "redis-pubsub.md");
testTranscript(redis, "redis-transactions.md");
testTranscript(redis, "redis-replication.md");
testTranscript(redis, "redis-keys.md");
testTranscript(redis, "redis-secrets.md");
testTranscript(redis, "redis-holes.md");
testTranscript(redis, "redis-broken.md");
