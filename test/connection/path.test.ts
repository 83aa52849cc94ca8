import assert from "node:assert/strict";
import { test } from "node:test";
import type { Side } from "../../src/connection/path.ts";
import { Path } from "../../src/connection/path.ts";

type Step = readonly ["syn" | "synAck" | "connected" | "connectedByData" | "closes" | "opens", atUs: number];

interface Told {
  readonly toServerUs: number;
  readonly toClientUs: number;
  readonly connectUs: number;
  readonly synRetransmissions: number;
}

const HANDSHAKES: readonly (readonly [string, readonly Step[], Told])[] = [
  [
    "each half of a handshake is a round trip",
    [
      ["syn", 100],
      ["synAck", 3200],
      ["connected", 3230],
    ],
    { toServerUs: 3100, toClientUs: 30, connectUs: 3130, synRetransmissions: 0 },
  ],
  [
    "of two SYNs nobody knows which was answered (Karn); connecting took from the first on",
    [
      ["syn", 100],
      ["syn", 1_000_100],
      ["synAck", 1_003_200],
      ["connected", 1_003_230],
    ],
    { toServerUs: -1, toClientUs: 30, connectUs: 1_003_130, synRetransmissions: 1 },
  ],
  [
    "of two answers likewise",
    [
      ["syn", 100],
      ["synAck", 3200],
      ["synAck", 1_003_200],
      ["connected", 1_003_230],
    ],
    { toServerUs: 3100, toClientUs: -1, connectUs: 1_003_130, synRetransmissions: 0 },
  ],
  [
    "where the client's acknowledgement was not captured, data that comes much later ends no round trip, and no connect time",
    [
      ["syn", 100],
      ["synAck", 3200],
      ["connectedByData", 5_000_000],
    ],
    { toServerUs: 3100, toClientUs: -1, connectUs: 3100, synRetransmissions: 0 },
  ],
  [
    "without its SYN a connection has no connect time",
    [["synAck", 3200]],
    { toServerUs: -1, toClientUs: -1, connectUs: -1, synRetransmissions: 0 },
  ],
  [
    "one that was never answered, neither",
    [
      ["syn", 100],
      ["syn", 1_000_100],
    ],
    { toServerUs: -1, toClientUs: -1, connectUs: -1, synRetransmissions: 1 },
  ],
];

function play(steps: readonly Step[], path = new Path()): Path {
  for (const [kind, atUs] of steps) {
    if (kind === "syn") path.syn(atUs);
    else if (kind === "synAck") path.synAck(atUs);
    else if (kind === "connected") path.connected({ timeUs: atUs, payloadLength: 0 });
    else if (kind === "connectedByData") path.connected({ timeUs: atUs, payloadLength: 20 });
    else if (kind === "closes") path.windowCloses(atUs);
    else path.windowOpens(atUs);
  }
  return path;
}

for (const [name, steps, expected] of HANDSHAKES) {
  test(`connecting: ${name}`, () => {
    const { toServer, toClient, connectUs, synRetransmissions } = play(steps);
    assert.deepEqual(
      { toServerUs: toServer.us, toClientUs: toClient.us, connectUs, synRetransmissions },
      { ...expected },
    );
  });
}

test("the round trip is that of the way outside this host, and of both ways where neither end is here", () => {
  const path = play(HANDSHAKES[0]![1]);
  const sides: Record<Side, number> = { client: 3100, local: 3100, server: 30, transit: 3130 };
  for (const [side, us] of Object.entries(sides)) assert.equal(path.roundTripUs(side as Side), us, side);
});

test("time with a closed window counts once, whoever closed it, and up to the moment it is asked for", () => {
  const path = play([
    ["closes", 1000],
    ["closes", 1500],
    ["opens", 1800],
  ]);
  assert.equal(path.closedUs({ timeUs: 1900 }), 900);
  play([["opens", 2000]], path);
  assert.equal(path.closedUs({ timeUs: 9000 }), 1000);
  play(
    [
      ["closes", 10_000],
      ["opens", 10_400],
    ],
    path,
  );
  assert.equal(path.closedUs({ timeUs: 11_000 }), 1400);
});
