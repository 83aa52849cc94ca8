/** How segments were sent again, beside their number (8 bits): when the sender's timer ran out, or sooner; and which way. */
export const Resend = { count: 0xff, timeout: 0x100, fast: 0x200, request: 0x400, response: 0x800 } as const;

/** The shortest time after which senders send again by themselves (Linux: TCP_RTO_MIN, 200 ms, in ticks of up to 10 ms). */
export const TIMEOUT_US = 190_000;

/** Linux' shortest time-out before a sender sends again (TCP_RTO_MIN). */
export const SHORTEST_TIMEOUT_US = 200_000;

/** Whose segments were sent again, by the bits of Resend: where both, the request's. */
export function resentDirection(resends: number): "request" | "response" {
  return (resends & Resend.request) !== 0 ? "request" : "response";
}
