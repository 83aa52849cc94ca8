import { answer, question } from "../support/dns.ts";
import type { Bound } from "./bound.ts";
import { endsOf } from "./wire.ts";

const MANY = 1_000_000;
/** What `--max-connections` leaves to them, and what may wait for its id on one. */
const ROOM = 50_000;
const PENDING = 1024;

const asked = (n: number): Uint8Array => question(n & 0xffff, `n${n >>> 16}.example`);

/** Whoever sends datagrams need not even have the address that he sends from. */
export const DATAGRAMS: readonly Bound[] = [
  {
    name: "1,000,000 questions, each from another port, that nobody answers",
    *frames(wire) {
      for (let n = 0; n < MANY; n++) {
        wire.sendDatagram(endsOf(n, undefined, 53), true, asked(n));
        yield;
      }
    },
    expected: { connections: ROOM, evicted: MANY - ROOM, requests: MANY, "unanswered.evicted": MANY - ROOM },
  },
  {
    name: "500,000 questions, each from another port, answered, 10,000 a second",
    *frames(wire) {
      wire.stepUs = 50;
      for (let n = 0; n < MANY / 2; n++) {
        wire.sendDatagram(endsOf(n, undefined, 53), true, asked(n));
        yield;
        wire.sendDatagram(endsOf(n, undefined, 53), false, answer(n & 0xffff, `n${n >>> 16}.example`));
        yield;
      }
    },
    expected: { evicted: 0, requests: MANY / 2, answered: MANY / 2 },
  },
  {
    name: "200,000 questions from one port that nobody answers",
    *frames(wire) {
      for (let n = 0; n < MANY / 5; n++) {
        wire.sendDatagram(endsOf(0, undefined, 53), true, asked(n));
        yield;
      }
    },
    expected: { connections: 1, requests: MANY / 5, "unanswered.evicted": MANY / 5 - PENDING },
    frameUs: 100,
  },
  {
    name: "1,000,000 datagrams of no protocol, each from another port",
    *frames(wire) {
      const noise = Buffer.from("\x00\x01\x02\x03 no protocol at all");
      for (let n = 0; n < MANY; n++) {
        wire.sendDatagram({ ...endsOf(n), serverPort: 4444 }, true, noise);
        yield;
      }
    },
    expected: { connections: ROOM, evicted: 0, requests: 0 },
  },
];
