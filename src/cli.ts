#!/usr/bin/env node
// The first statement, and the reason why nothing is imported above it: without a handler SIGUSR1 opens Node's inspector.
// A run adds its own, which prints the summary.
process.on("SIGUSR1", () => {});

// What is imported below does not even load there. Often it is another Node that was meant: sudo's, a distribution's.
if (Number.parseInt(process.versions.node, 10) < 20) {
  console.error(
    `tcplat: it needs Node 20.19 or newer, and ${process.execPath} is ${process.versions.node}: get one from https://nodejs.org`,
  );
  process.exit(1);
}

import("./v8.ts")
  .then(({ settleV8 }) => {
    settleV8();
    return import("./main.ts");
  })
  .then(({ main }) => main(process.argv.slice(2)))
  .then((status) => process.exit(status));

export {};
