// Runs one bound in a process of its own, so that its memory is its alone: node dist/test/long/child.js INDEX

import { settleForFrames } from "../../src/v8.ts";
import { measure } from "./bound.ts";
import { BOUNDS } from "./bounds.ts";

settleForFrames();
const bound = BOUNDS[Number(process.argv[2])];
if (bound === undefined) throw new Error(`there is no bound ${process.argv[2]} of ${BOUNDS.length}`);
process.stdout.write(JSON.stringify(measure(bound)));
