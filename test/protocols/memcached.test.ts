import { memcached } from "../../src/protocols/memcached.ts";
import { testTranscript } from "../support/transcript.ts";

testTranscript(memcached, "memcached-text.md");
testTranscript(memcached, "memcached-meta.md");
testTranscript(memcached, "memcached-udp.md");
testTranscript(memcached, "memcached-binary.md");
