/** What a pending request expects of its response, as its `replyKind`. */
export const Reply = {
  /** Whatever the response's own fields say. */
  plain: 0,
  /** HEAD: fields that tell of a body, and none. */
  head: 1,
  /** Its method was cut off, and may be HEAD or CONNECT: whether a body follows, only what comes next can tell. */
  unsure: 2,
  /** CONNECT: with 2xx, what follows is no HTTP any more. */
  connect: 3,
  /** It had an Upgrade field: with 101, likewise. */
  upgrade: 4,
} as const;
export type Reply = (typeof Reply)[keyof typeof Reply];

/** No request is being read. */
export const NOT_OPEN = -1;

/** What both directions of a connection must know of each other. */
export class HttpState {
  /** An upgrade or a tunnel was agreed to: what follows is no HTTP. */
  isTunnel = false;
  /** What the request being read, not yet complete, expects; NOT_OPEN where none is. */
  open: Reply | typeof NOT_OPEN = NOT_OPEN;
  /** Requests that asked for an upgrade or a tunnel and have no response yet: their client may not wait for it. */
  switchesDue = 0;
  /** The request being read asked for a 100 before its body, and has been given it. */
  isContinued = false;
}
