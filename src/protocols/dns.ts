import { u16 } from "../bytes/read.ts";
import { Datagrams } from "./dns/datagrams.ts";
import { recogniseAnswer, recogniseQuestion } from "./dns/recognise.ts";
import { AnswerParser, QuestionParser } from "./dns/stream.ts";
import { COMMANDS, ERRORS } from "./dns/tables.ts";
import { type Exchange, type Protocol, Recognition, type Session } from "./protocol.ts";

/**
 * The Domain Name System (RFC 1035), in datagrams and over TCP. A client may ask any number of questions at once, from one port; an
 * answer repeats the id and the question. A question that is sent again while it is pending is one question; an answer that did not
 * fit (truncated) is one, and the same question over TCP another transaction.
 *
 * Multicast DNS, LLMNR and NetBIOS names look the same and are something else: nobody there is asked, all listen.
 */
export const dns: Protocol = {
  name: "dns",
  ports: [53],
  commands: COMMANDS,
  errors: ERRORS,
  isConcurrent: true,
  pairsById: true,
  recogniseRequest: (bytes, start, end) => recogniseStream(bytes, start, end, recogniseQuestion),
  recogniseResponse: (bytes, start, end) => recogniseStream(bytes, start, end, recogniseAnswer),
  createSession: (exchange: Exchange): Session => new StreamSession(exchange),
  datagrams: {
    ports: [53],
    otherPorts: [137, 138, 5353, 5355],
    recogniseRequest: (bytes, start, end) => recogniseQuestion(bytes, start, end, end),
    recogniseResponse: (bytes, start, end) => recogniseAnswer(bytes, start, end, end),
    createSession: (exchange) => new Datagrams(exchange),
  },
};

/** Over TCP a message has its length in front. */
function recogniseStream(
  bytes: Uint8Array,
  start: number,
  end: number,
  recognise: typeof recogniseQuestion,
): Recognition {
  if (end - start < 2) return Recognition.undecided;
  const messageEnd = start + 2 + u16(bytes, start);
  return recognise(bytes, start + 2, Math.min(end, messageEnd), messageEnd);
}

class StreamSession implements Session {
  readonly requests: QuestionParser;
  readonly responses: AnswerParser;

  constructor(exchange: Exchange) {
    this.requests = new QuestionParser(exchange);
    this.responses = new AnswerParser(exchange);
  }

  get standing(): number {
    return this.requests.isAtRest && this.responses.isAtRest ? this.responses.standing : -1;
  }

  resume(standing: number): void {
    this.responses.resume(standing);
  }
}
