#!/usr/bin/env node
// The first statement, and the reason why nothing is imported above it: without a handler SIGUSR1 opens Node's inspector.
// A run adds its own, which prints the summary.
process.on("SIGUSR1", () => {});

const { main } = await import("./main.ts");
process.exit(await main(process.argv.slice(2)));

export {};
