import { dns } from "../../src/protocols/dns.ts";
import { testTranscript } from "../support/transcript.ts";

testTranscript(dns, "dns.md");
