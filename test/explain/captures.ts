import { captureOf, fileOf } from "../diff/two-hosts.ts";
import { CLIENT, Dialogue, SERVER, sentAgain, type TestSegment } from "../support/segments.ts";
import { runTcplat } from "../support/tcplat.ts";

/** `*2 GET key`. */
export function get(key: string): string {
  return `*2\r\n$3\r\nGET\r\n$${key.length}\r\n${key}\r\n`;
}

/** Writes a capture of these segments, in the order of their times; returns its path. */
export function write(name: string, ...talks: readonly (readonly TestSegment[])[]): string {
  return fileOf(name, captureOf(talks.flat().toSorted((a, b) => a.timeUs - b.timeUs)));
}

/** A connection on which one GET was answered quickly, so that its round trip of 1 ms is known. */
export function talk(host = CLIENT): Dialogue {
  const dialogue = new Dialogue(host, SERVER);
  dialogue.syn(0);
  dialogue.synAck(1000);
  dialogue.ack("client", 1010);
  return dialogue;
}

/** A request that was lost, sent again after 200 ms and answered in 1.5 ms. */
export function lostRequest(): TestSegment[] {
  const dialogue = talk();
  const request = dialogue.client(10_000, get("user:1"));
  dialogue.segments.push(sentAgain(request, 210_000));
  dialogue.server(211_500, "$3\r\nbar\r\n");
  dialogue.ack("client", 211_510);
  return dialogue.segments;
}

/** A GET behind a KEYS of 41.2 ms in the same segment. */
export function pipelined(): TestSegment[] {
  const dialogue = talk();
  dialogue.client(10_000, `*2\r\n$4\r\nKEYS\r\n$1\r\n*\r\n${get("user:1")}`);
  dialogue.ack("server", 11_000);
  dialogue.server(51_200, "*1\r\n$6\r\nuser:1\r\n");
  dialogue.server(51_300, "$3\r\nbar\r\n");
  dialogue.ack("client", 51_310);
  return dialogue.segments;
}

/** A response of 3000 bytes whose reader closes its window for 80 ms in the middle. */
export function slowReader(): TestSegment[] {
  const dialogue = talk();
  dialogue.client(10_000, get("large"));
  dialogue.server(11_500, `$3000\r\n${"x".repeat(993)}`);
  dialogue.ack("client", 11_510, { window: 0 });
  dialogue.ack("server", 51_500, { sequence: 5001 + 1000 - 1 });
  dialogue.ack("client", 51_510, { window: 0 });
  dialogue.ack("client", 91_510, { window: 512 });
  dialogue.server(92_500, "x".repeat(1000));
  dialogue.server(92_510, `${"x".repeat(1007)}\r\n`);
  dialogue.ack("client", 92_520);
  return dialogue.segments;
}

/** A Lua script of 50 ms on one connection, and a GET on another that waits for it. */
export function elsewhere(): TestSegment[][] {
  const script = talk();
  script.client(10_000, "*3\r\n$4\r\nEVAL\r\n$1\r\nx\r\n$1\r\n0\r\n");
  script.server(60_000, ":1\r\n");
  script.ack("client", 60_010);
  const victim = talk({ address: "10.0.0.1", port: 40002 });
  victim.client(20_000, get("user:1"));
  victim.server(60_100, "$3\r\nbar\r\n");
  victim.ack("client", 60_110);
  return [script.segments, victim.segments];
}

/** What `explain` prints, and how it ends: in a pipe, in ASCII, in UTC. */
export async function explained(
  ...words: readonly string[]
): Promise<{ text: string; stderr: string; status: number | null }> {
  const { stdout, stderr, status } = await runTcplat(["explain", ...words], {
    env: { LC_ALL: "C", TZ: "UTC", NO_COLOR: "" },
  });
  return { text: stdout, stderr, status };
}
