import { http } from "../../src/protocols/http.ts";
import { testTranscript } from "../support/transcript.ts";

testTranscript(http, "http.md");
