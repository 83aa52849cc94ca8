import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { Snapshot } from "../aggregate/snapshot.ts";
import { cached } from "./document-cache.ts";
import type { Listening } from "./listen.ts";
import { listen } from "./listen.ts";
import type { BuildInfo } from "./prometheus.ts";
import { PrometheusExporter } from "./prometheus.ts";
import { statsDocument } from "./stats-document.ts";

/** A request must be whole, its headers first, and its answer taken, within these; nobody is waited for. */
const REQUEST_MS = 5000;
const HEADERS_MS = 2000;
const IDLE_MS = 5000;
const CHECK_MS = 1000;
const HEADER_BYTES = 8192;
const CONNECTION_CAPACITY = 64;
const TEXT = "text/plain; charset=utf-8";

export interface MetricsServerOptions {
  readonly host: string;
  readonly port: number;
  readonly snapshot: () => Snapshot;
  /** Why frames cannot come at present, or null while they can. */
  readonly health: () => string | null;
  readonly build: BuildInfo;
}

interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string | Buffer;
}

/** The metrics port: `/metrics`, `/stats`, `/healthz`. Bounded in time, size and number of connections. */
export async function startMetricsServer(options: MetricsServerOptions): Promise<Listening> {
  const routes = makeRoutes(options);
  const limits = {
    headersTimeout: HEADERS_MS,
    requestTimeout: REQUEST_MS,
    keepAliveTimeout: IDLE_MS,
    connectionsCheckingInterval: CHECK_MS,
    maxHeaderSize: HEADER_BYTES,
  };
  const server = createServer(limits, (request, response) => {
    request.resume(); // a body is nobody's business
    void answer(routes, request, response);
  });
  server.maxConnections = CONNECTION_CAPACITY;
  server.setTimeout(IDLE_MS, (socket) => socket.destroy());
  server.on("clientError", (_error, socket) => socket.destroy());
  const port = await listen(server, { ...options, portOption: "--metrics-port", hostOption: "--metrics-host" });
  const close = (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    return closed;
  };
  return { port, close };
}

function makeRoutes(options: MetricsServerOptions): ReadonlyMap<string, () => Promise<Answer> | Answer> {
  const exporter = new PrometheusExporter(options);
  const metrics = cached(() => exporter.scrape());
  const stats = cached(() => statsDocument(options.snapshot()));
  return new Map<string, () => Promise<Answer> | Answer>([
    ["/metrics", async () => ({ status: 200, contentType: exporter.contentType, body: await metrics() })],
    ["/stats", () => ({ status: 200, contentType: "application/json", body: stats() })],
    [
      "/healthz",
      () => {
        const reason = options.health();
        return { status: reason === null ? 200 : 503, contentType: TEXT, body: `${reason ?? "ok"}\n` };
      },
    ],
  ]);
}

async function answer(
  routes: ReadonlyMap<string, () => Promise<Answer> | Answer>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const deadline = setTimeout(() => request.socket.destroy(), REQUEST_MS);
  response.on("close", () => clearTimeout(deadline));
  const { status, contentType, body } = await choose(routes, request);
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  if (status === 405) response.setHeader("Allow", "GET, HEAD");
  response.writeHead(status, { "Content-Type": contentType, "Content-Length": bytes.length });
  response.end(request.method === "HEAD" ? undefined : bytes);
}

function choose(
  routes: ReadonlyMap<string, () => Promise<Answer> | Answer>,
  request: IncomingMessage,
): Promise<Answer> | Answer {
  const path = (request.url ?? "").split("?", 1)[0] ?? "";
  const route = routes.get(path);
  if (!route) return { status: 404, contentType: TEXT, body: `Try ${[...routes.keys()].join(", ")}.\n` };
  if (request.method !== "GET" && request.method !== "HEAD") {
    return { status: 405, contentType: TEXT, body: "Only GET and HEAD.\n" };
  }
  return route();
}
