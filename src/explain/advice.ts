import { LARGE_BYTES } from "../outputs/line-shares.ts";
import { milliseconds, requestText } from "../outputs/plain-text.ts";
import { TransactionClass } from "../protocols/protocol.ts";
import { commandName, idText } from "../transactions/names.ts";
import { Resend, resentDirection } from "../transactions/resend.ts";
import { Flag, type UnansweredReason } from "../transactions/transaction.ts";
import type { Account } from "./account.ts";
import { isElision, isSentAgain, type Rung } from "./steps.ts";

/** Less is not worth anybody's time. */
const QUICK_US = 1_000;

/** What happened and what to do next, in a few sentences as a colleague would say them. */
export function adviceOf(account: Account): string {
  const { request, cause } = account;
  if (request.unanswered !== "") return UNANSWERED[request.unanswered];
  if (request.class === TransactionClass.blocking) {
    return `${commandName(request.protocol, request.commandId)} waits on purpose until there is something for it, or its own time-out has passed: this is no slowness.`;
  }
  if ((request.flags & Flag.gap) !== 0) {
    return "Bytes of it were never captured, so that its phases cannot be told apart. Look at the capture's own losses first (the summary's dropped frames; a larger -B).";
  }
  if ((request.flags & Flag.clockSkew) !== 0) {
    return "The response is stamped before the request, so that its times mean nothing: two clocks, or two queues of one network card, stamped these frames.";
  }
  if (request.latencyUs < QUICK_US) return `It took ${milliseconds(request.latencyUs)} ms: nothing here was slow.`;
  return BY_CAUSE[cause](account) + besides(account);
}

const UNANSWERED: Record<UnansweredReason, string> = {
  closed:
    "The connection was closed before a response came. Look who closed it (the first FIN above): the server on a kill, a shutdown or its own time-out, the client when it lost patience.",
  reset:
    "The connection was reset before a response came. Look who sent the RST above: a server that died or refused, a client that gave up, or a firewall between them.",
  timeout:
    "No response came within --request-timeout. If the request was acknowledged above, the server has it and is busy or stuck; if it was sent again and again, the network or the server's host is down.",
  gap: "Bytes were lost by the capture, so that nobody can say which response is whose. Look at the capture's own losses (the summary's dropped frames; a larger -B).",
  evicted:
    "There were more connections than --max-connections, and this one was given up for room: give a larger number, or a narrower filter.",
  end: "The capture ended before a response came: whether one came later is not known.",
};

const BY_CAUSE: Record<Account["cause"], (account: Account) => string> = {
  retransmission: retransmissionAdvice,
  queue: queueAdvice,
  server: serverAdvice,
  network: networkAdvice,
  send: sendAdvice,
  receive: receiveAdvice,
  unknown: unknownAdvice,
};

const LOOK_HERE =
  'It came here each time, and was not acknowledged before the last: look at that host\'s firewall ("nft list ruleset") and at what its ' +
  'kernel dropped ("nstat -az" beside it: TcpInCsumErrors, TcpExtTCPRcvQDrop, TcpExtTCPBacklogDrop).';

const LOOK_BETWEEN =
  'Look for drops between the two hosts: "nstat -az TcpRetransSegs" and "ip -s link" on both; with a capture of the other host, too, ' +
  "tcplat diff tells on which side they are.";

function retransmissionAdvice({ request, phases, ladder }: Account): string {
  const direction = resentDirection(request.resends);
  const [sender, receiver] = direction === "request" ? ["client", "server"] : ["server", "client"];
  const isFirstSeen = rungsOf(ladder).some(
    ({ isFromClient, oddities }) =>
      isFromClient === (direction === "request") && oddities.some(({ what }) => what === "retransmission"),
  );
  const isHere = isFirstSeen && direction === "request" && (request.side === "server" || request.side === "local");
  const where = isHere
    ? "on the server's own host, behind the capture,"
    : isFirstSeen
      ? `between here and the ${receiver} (it, or its acknowledgement)`
      : `between the ${sender} and here`;
  const what =
    request.retransmissions > 1
      ? `Segments of the ${direction} were lost ${where} and sent again, ${request.retransmissions === 2 ? "twice" : `${request.retransmissions} times`}`
      : `One segment of the ${direction} was lost ${where} and sent again`;
  const isTimeout = (request.resends & Resend.timeout) !== 0;
  const how = isTimeout ? `when the ${sender}'s timer ran out` : "before any timer ran out";
  return (
    `${what}, ${how}: that cost ${milliseconds(shareUs(phases, "retransmission"))} ms. ${serverAside(request, phases)}` +
    (isHere ? LOOK_HERE : LOOK_BETWEEN)
  );
}

function queueAdvice(account: Account): string {
  const { request, ladder, phases } = account;
  const { behind } = request;
  const longest =
    behind === null
      ? ""
      : `; the longest of them was ${nameOfBehind(account)}, ${milliseconds(behind.us)} ms (explain that one, too)`;
  const isAgain = rungsOf(ladder).some((rung) => rung.atUs > 0 && rung.atUs <= request.latencyUs && isSentAgain(rung));
  const doubt = isAgain
    ? " Segments were sent again meanwhile, as shown above: part of that wait is the network's."
    : "";
  return (
    `It waited ${milliseconds(shareUs(phases, "queue"))} ms for requests that were sent before it on the same connection, which are answered in order${longest}.` +
    `${doubt} Give slow commands a connection of their own, or make them quicker.`
  );
}

function serverAdvice(account: Account): string {
  const { request, phases } = account;
  const us = shareUs(phases, "server");
  if (request.behind === null || request.behind.client === null) {
    return `The server took ${milliseconds(us)} ms of it. ${NEXT_AT_SERVER[request.protocol.name] ?? "Look at the server's own log of slow requests."}${doubtFromHere(request)}`;
  }
  return (
    `The server was busy for another connection: ${nameOfBehind(account)} held it for ${milliseconds(Math.min(us, request.behind.us))} ms ` +
    `of this wait, and it does one thing at a time. Explain ${idText(request.behind)}, and make that one quicker or send it to a replica.`
  );
}

/** Away from the server, a way there that was slower than usual this once looks like its work. */
function doubtFromHere({ side }: Account["request"]): string {
  if (side === "server" || side === "local") return "";
  return " If it knows of nothing, the way there was slow this once: a capture of its host and tcplat diff tell.";
}

const NEXT_AT_SERVER: Readonly<Record<string, string>> = {
  redis:
    "Ask the server: SLOWLOG GET tells whether the command itself ran so long, LATENCY DOCTOR about forks, swapping and disk; on a busy host the process may have waited for a CPU.",
  memcached:
    'Ask the server: "stats" (threads, listen_disabled_num), and the host for swapping and CPU: memcached itself answers within microseconds.',
};

function networkAdvice({ request, phases }: Account): string {
  return (
    `Most of it is the way there and back: one round trip takes ${milliseconds(request.toServerUs)} ms. ${serverAside(request, phases)}` +
    "Fewer round trips help (pipelines, commands with many keys), or a client nearer to the server."
  );
}

function sendAdvice({ request }: Account): string {
  if (request.zeroWindowUs > 0) {
    return `The server's receive window was closed for ${milliseconds(request.zeroWindowUs)} ms meanwhile: it did not read the request as fast as the client sent it. Look what kept the server busy then.`;
  }
  const size = `${request.requestBytes} bytes`;
  if (request.requestBytes < LARGE_BYTES) {
    return `The client took ${milliseconds(request.sendUs)} ms to send ${size}: that is little, so look at the client, which writes its request in pieces (buffers, Nagle's algorithm, a busy event loop).`;
  }
  return `Sending the ${size} of the request took ${milliseconds(request.sendUs)} ms: smaller values, compression, or more bandwidth from the client.`;
}

function receiveAdvice({ request }: Account): string {
  if (request.zeroWindowUs > 0) {
    return `The client's receive window was closed for ${milliseconds(request.zeroWindowUs)} ms meanwhile: it did not read the response as fast as the server sent it. Look at the client (a busy event loop, too small a buffer), not at the server.`;
  }
  const size = `${request.responseBytes} bytes`;
  if (request.responseBytes < LARGE_BYTES) {
    return `The response is small (${size}), and came in pieces over ${milliseconds(request.receiveUs)} ms: look at the pauses between its segments above, and what the server did in them.`;
  }
  return `Transferring the ${size} of the response took ${milliseconds(request.receiveUs)} ms: ask for less at once (ranges, scans, fewer fields), or look at the bandwidth on the way to the client.`;
}

function unknownAdvice({ request }: Account): string {
  return (
    `${milliseconds(request.waitUs)} ms passed until the response began, and from here nobody can tell the network from the server: the connection's round trip was not seen. ` +
    "Capture from the connection's beginning, on the server's host, or on both and compare them with tcplat diff; if this file is of the server's host, say --side server."
  );
}

/** What the server took, where that is known. */
function serverAside({ toServerUs }: Account["request"], phases: Account["phases"]): string {
  return toServerUs < 0 ? "" : `The server itself took ${milliseconds(shareUs(phases, "server"))} ms. `;
}

/** What else is worth a word: a fifth of all, and more than a moment. */
function besides({ request, phases, cause }: Account): string {
  const isServerKnown = request.toServerUs >= 0;
  const isTold = (name: Account["cause"]): boolean => {
    if (name !== "server") return name === cause;
    return isServerKnown
      ? cause === "server" || cause === "retransmission" || cause === "network"
      : cause === "unknown";
  };
  const others = phases.filter(({ name, us }) => !isTold(name) && us >= QUICK_US && us * 5 >= request.latencyUs);
  if (others.length === 0) return "";
  const names = others.map(
    ({ name, us }) => `${name === "server" && !isServerKnown ? "server or network" : name} ${milliseconds(us)} ms`,
  );
  return ` Besides: ${names.join(", ")}.`;
}

function shareUs(phases: Account["phases"], name: Account["cause"]): number {
  return phases.find((phase) => phase.name === name)?.us ?? 0;
}

function rungsOf({ steps }: Account["ladder"]): Rung[] {
  return steps.filter((step): step is Rung => !isElision(step));
}

/** `17-203 KEYS *`. */
function nameOfBehind({ request, behind }: Account): string {
  if (request.behind === null) return "an earlier one";
  const command = commandName(request.protocol, request.behind.commandId);
  return `${idText(request.behind)} ${behind === null ? command : requestText(behind)}`;
}
