/** HTTP/1.1 on connections that stay open. Run by rates.ts: node dist/test/bench/joined/http.js KIND */
import { batchOf, Dialogue, type TestHost, type TestSegment } from "../support/segments.ts";
import { tellRate } from "./rate.ts";

const CONNECTIONS = 50;
const REQUESTS = 20_000;
const SERVER: TestHost = { address: "10.9.0.2", port: 80 };

const CURL = "Host: example.org\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n";
const BROWSER =
  "Host: example.org\r\nConnection: keep-alive\r\nUpgrade-Insecure-Requests: 1\r\n" +
  "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36\r\n" +
  "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n" +
  `Accept-Encoding: gzip, deflate, br\r\nAccept-Language: en-US,en;q=0.9\r\nCookie: sid=${"c".repeat(100)}\r\n\r\n`;
const ANSWER =
  "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Sat, 21 Nov 2026 08:00:00 GMT\r\nContent-Type: text/html\r\n" +
  "Connection: keep-alive\r\n";
const BY_LENGTH = `${ANSWER}Content-Length: 1000\r\n\r\n${"x".repeat(1000)}`;
const BY_CHUNK = `${ANSWER}Transfer-Encoding: chunked\r\n\r\n3e8\r\n${"x".repeat(1000)}\r\n0\r\n\r\n`;

/** Requests and their responses, a segment each, on connections that stay open. */
function traffic(fields: string, response: string): Uint8Array {
  const frames: TestSegment[] = [];
  const dialogues = Array.from(
    { length: CONNECTIONS },
    (_, i) => new Dialogue({ address: "10.9.0.1", port: 40_000 + i }, SERVER),
  );
  for (const dialogue of dialogues) dialogue.open(0);
  for (let n = 0; n < REQUESTS; n++) {
    const dialogue = dialogues[n % CONNECTIONS]!;
    dialogue.client(100 + n * 100, `GET /users/${n % 1000} HTTP/1.1\r\n${fields}`);
    dialogue.server(150 + n * 100, response);
  }
  for (const dialogue of dialogues) frames.push(...dialogue.segments);
  return batchOf(frames.sort((a, b) => a.timeUs - b.timeUs));
}

const KINDS: Readonly<Record<string, readonly [fields: string, response: string]>> = {
  curl: [CURL, BY_LENGTH],
  browser: [BROWSER, BY_LENGTH],
  chunks: [BROWSER, BY_CHUNK],
};
const [kind = "curl"] = process.argv.slice(2);
const batch = traffic(...KINDS[kind]!);
tellRate(batch, 2 * REQUESTS + 3 * CONNECTIONS, REQUESTS);
