import { http } from "../../src/protocols/http.ts";
import { testTranscript } from "../support/transcript.ts";

for (const part of ["", "-broken", "-upgrades", "-secrets", "-holes"]) testTranscript(http, `http${part}.md`, false);
testTranscript(http, "http-details.md");
