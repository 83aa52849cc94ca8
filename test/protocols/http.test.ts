import { http } from "../../src/protocols/http.ts";
import { testTranscript } from "../support/transcript.ts";

testTranscript(http, "http.md");
testTranscript(http, "http-broken.md");
testTranscript(http, "http-upgrades.md");
testTranscript(http, "http-secrets.md");
testTranscript(http, "http-holes.md");
