/** Runs in the middle namespace: passes frames from one interface to another as its parent's policy says. */
import { PacketSocket } from "./packet-socket.ts";
import { Judge, type Policy, type Way } from "./policy.ts";
import { hasPayload, isTcp, setWindow } from "./tcp-frame.ts";

/** A swapped segment with nobody behind it goes on after this long. */
const SWAP_MS = 40;

const [clientDevice = "", serverDevice = ""] = process.argv.slice(2);
const out = { toServer: new PacketSocket(serverDevice), toClient: new PacketSocket(clientDevice) };
const held: Record<Way, Buffer | null> = { toServer: null, toClient: null };
let judge = new Judge({ rules: [] });
let windowOpensAt = 0;

function isClosed(way: Way, { ms, after = 0 }: { readonly ms: number; readonly after?: number }): boolean {
  if (judge.counts[way === "toServer" ? "toClient" : "toServer"] < after) return false;
  if (windowOpensAt === 0) windowOpensAt = performance.now() + ms;
  return performance.now() < windowOpensAt;
}

function forward(way: Way, frame: Buffer): void {
  const closed = judge.policy.closedWindow;
  if (closed?.way === way && isClosed(way, closed) && isTcp(frame)) setWindow(frame, 0);
  if (!hasPayload(frame)) {
    out[way].send(frame);
    return;
  }
  const verdict = judge.verdict(way);
  if (verdict.copyDelayMs !== null) sendLater(way, frame, verdict.copyDelayMs);
  if (verdict.isDropped) return;
  if (verdict.isSwapped && held[way] === null) {
    const copy = Buffer.from(frame);
    held[way] = copy;
    setTimeout(() => held[way] === copy && release(way), SWAP_MS);
    return;
  }
  if (verdict.delayMs > 0) sendLater(way, frame, verdict.delayMs);
  else out[way].send(frame);
  release(way);
}

function release(way: Way): void {
  const frame = held[way];
  held[way] = null;
  if (frame !== null) out[way].send(frame);
}

function sendLater(way: Way, frame: Buffer, ms: number): void {
  const copy = Buffer.from(frame);
  setTimeout(() => out[way].send(copy), ms);
}

/** Frames on a long line, and when they arrive. */
const underWay: { readonly way: Way; readonly frame: Buffer; readonly at: number }[] = [];

/** Looks again and again, since timers are up to a millisecond late. */
function arrive(): void {
  while (underWay.length > 0 && performance.now() >= underWay[0]!.at) {
    const { way, frame } = underWay.shift()!;
    forward(way, frame);
  }
  if (underWay.length > 0) setImmediate(arrive);
}

function take(way: Way, frame: Buffer): void {
  const { wayMs } = judge.policy;
  if (wayMs === undefined && underWay.length === 0) {
    forward(way, frame);
    return;
  }
  underWay.push({ way, frame: Buffer.from(frame), at: performance.now() + (wayMs ?? 0) });
  if (underWay.length === 1) setImmediate(arrive);
}

out.toServer.onFrame((frame) => take("toClient", frame));
out.toClient.onFrame((frame) => take("toServer", frame));

// The parent sets a policy, and is told what the one before it has done.
process.on("message", (policy: Policy) => {
  const { counts } = judge;
  judge = new Judge(policy);
  const { ms = 0, after = 0 } = policy.closedWindow ?? {};
  windowOpensAt = after === 0 ? performance.now() + ms : 0;
  process.send?.(counts);
});
// A thread that waits for frames would keep this process alive without its parent.
process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
process.send?.("ready");
