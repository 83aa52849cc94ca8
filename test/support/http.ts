import { once } from "node:events";
import { connect } from "node:net";

/** An HTTP answer. */
export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

/** Asks a port of 127.0.0.1. */
export async function get(port: number, path: string): Promise<HttpAnswer> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: "close" } });
  return { status: response.status, body: await response.text() };
}

/** What a port of 127.0.0.1 says to somebody who only listens, as telnet does. */
export async function listenTo(port: number): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1" });
  let text = "";
  socket.on("data", (chunk) => {
    text += String(chunk);
  });
  await once(socket, "close");
  return text;
}

/** The value of one series in Prometheus' text format, its labels written exactly so; NaN where there is none. */
export function series(text: string, nameAndLabels: string): number {
  const line = text.split("\n").find((of) => of.startsWith(`${nameAndLabels} `));
  return line === undefined ? Number.NaN : Number(line.slice(nameAndLabels.length + 1));
}
