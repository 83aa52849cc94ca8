import { localTime, milliseconds, requestText } from "../outputs/plain-text.ts";
import { CLASS_NAMES } from "../protocols/protocol.ts";
import { commandName, flagNames, idText, statusText } from "../transactions/names.ts";
import { Resend, resentDirection } from "../transactions/resend.ts";
import type { Account } from "./account.ts";
import { type Look, paint, wrap } from "./paint.ts";

/** Who, when, how long, and the cause in words. */
export function headlineText(account: Account, look: Look): string {
  const { request } = account;
  const { client, serverEndpoint, side, startUs, protocol, requestBytes, responseBytes } = request;
  const title = wrap(`${idText(request)}  ${requestText(request)}`, look.columns).map((line) =>
    paint(look, "bold", line),
  );
  const flags = flagNames(request.flags);
  const facts = [
    `${client.text} => ${serverEndpoint.text}, ${protocol.name}, captured ${PLACES[side]}`,
    `began ${localTime(startUs)}, ${lengthText(account)}`,
    `${CLASS_NAMES[request.class]}, ${statusText(request)}; ${requestBytes} bytes up, ${responseBytes} down${flags.length === 0 ? "" : `; ${flags.join(", ")}`}`,
    `cause: ${causeText(account)}`,
  ];
  const lines = facts.flatMap((fact) => wrap(fact, look.columns - 2).map((line) => `  ${line}`));
  return [...title, ...lines].join("\n");
}

const PLACES: Record<Account["request"]["side"], string> = {
  client: "on the client's host",
  server: "on the server's host",
  local: "on the host of both",
  transit: "somewhere between them (--side says where)",
};

function lengthText({ request, wholeUs }: Account): string {
  if (request.unanswered === "") return `took ${milliseconds(wholeUs)} ms`;
  return `given up after ${milliseconds(wholeUs)} ms`;
}

/** `retransmission, 208.080 of 208.600 ms (request sent twice, time-out)`. */
function causeText({ request, cause, phases }: Account): string {
  if (request.unanswered !== "") return `unanswered, ${request.unanswered}`;
  const us = phases.find(({ name }) => name === (cause === "unknown" ? "server" : cause))?.us ?? 0;
  const what = cause === "unknown" ? "server or network" : cause;
  const detail = detailOf(request, cause);
  return `${what}, ${milliseconds(us)} of ${milliseconds(request.latencyUs)} ms${detail === "" ? "" : ` (${detail})`}`;
}

function detailOf(request: Account["request"], cause: Account["cause"]): string {
  if (cause === "retransmission") {
    const times = request.retransmissions > 1 ? `${request.retransmissions + 1} times` : "twice";
    const by = (request.resends & Resend.timeout) !== 0 ? "time-out" : "fast";
    return `${resentDirection(request.resends)} sent ${times}, ${by}`;
  }
  if ((cause === "queue" || cause === "server") && request.behind !== null) {
    const command = commandName(request.protocol, request.behind.commandId);
    const elsewhere = request.behind.client === null ? "" : ` from ${request.behind.client}`;
    return `behind ${command} of ${idText(request.behind)}${elsewhere}, ${milliseconds(request.behind.us)}`;
  }
  const isMoving = cause === "send" || cause === "receive";
  return isMoving && request.zeroWindowUs > 0 ? `window closed ${milliseconds(request.zeroWindowUs)}` : "";
}
