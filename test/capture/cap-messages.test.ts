import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { reasonOf } from "../../src/capture/cap-messages.ts";

describe("why the engine cap does not run is told on one line", () => {
  const cases: readonly (readonly [string, unknown, string])[] = [
    [
      "compiled for another Node.js",
      new Error(
        "The module '/x/cap.node'\nwas compiled against a different Node.js version using\nNODE_MODULE_VERSION 115. This version of Node.js requires\n" +
          "NODE_MODULE_VERSION 127. Please try re-compiling or re-installing\nthe module (for instance, using `npm rebuild` or `npm install`).",
      ),
      "The module '/x/cap.node' was compiled against a different Node.js version using NODE_MODULE_VERSION 115. " +
        "This version of Node.js requires NODE_MODULE_VERSION 127",
    ],
    ["not there", new Error("Cannot find module 'cap'\nRequire stack:\n- /x/cap-child.js"), "Cannot find module 'cap'"],
    ["libpcap's own words", new Error("socket: Operation not permitted"), "socket: Operation not permitted"],
    ["what is no error", "odd", "odd"],
  ];
  for (const [name, error, reason] of cases) it(name, () => assert.equal(reasonOf(error), reason));
});
