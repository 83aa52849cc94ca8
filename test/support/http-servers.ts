import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { join } from "node:path";
import { freePort, type RealServer, startServer, temporaryFolder } from "./servers.ts";

/** nginx in one process, with a file, a few fixed answers, and a proxy in front of another port. */
export async function startNginx(upstreamPort: number): Promise<RealServer> {
  const { folder, remove } = temporaryFolder();
  const port = await freePort();
  writeFileSync(join(folder, "file.txt"), "x".repeat(100_000));
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  const config = `
    daemon off; master_process off; pid ${folder}/pid; error_log stderr;
    events {}
    http {
      access_log off; ${temporary.join(" ")}
      server {
        listen 127.0.0.1:${port}; root ${folder}; etag on; client_max_body_size 1k;
        location /204 { return 204; }
        location /301 { return 301 /; }
        location /503 { return 503 "busy"; }
        location /proxy/ { proxy_pass http://127.0.0.1:${upstreamPort}/; proxy_http_version 1.1; proxy_set_header Connection ""; }
      }
    }`;
  writeFileSync(join(folder, "nginx.conf"), config);
  const words = ["-p", folder, "-c", join(folder, "nginx.conf"), "-e", "stderr"];
  return await startServer({ program: "nginx", words, host: "127.0.0.1", port, options: {}, ready: null, remove });
}

/** What the Node server answers, by path. */
const ANSWERS: Readonly<Record<string, (request: IncomingMessage, response: ServerResponse) => void>> = {
  "/length": (_, response) => response.setHeader("Content-Length", 5).end("hello"),
  "/chunks": (_, response) => {
    for (const piece of ["one", "two", "three"]) response.write(piece);
    response.addTrailers({ "X-Sum": "1" });
    response.end();
  },
  "/echo": (request, response) => void request.pipe(response),
  "/hints": (_, response) => {
    response.writeEarlyHints({ link: "</x.css>; rel=preload" });
    response.end("hinted");
  },
  "/close": ({ socket }) => {
    // What HTTP/1.0 servers do: no length, and the end of the connection.
    socket.write("HTTP/1.0 200 OK\r\n\r\n");
    socket.end("all of it");
  },
  "/events": async (_, response) => {
    response.setHeader("Content-Type", "text/event-stream");
    // One by one: Node 26 makes one chunk of what is written at once.
    for (const n of [1, 2, 3]) await new Promise((resolve) => response.write(`data: ${n}\n\n`, resolve));
    response.end();
  },
  "/refused": (_, response) => response.writeHead(413, { Connection: "close", "Content-Length": 0 }).end(),
};

/** A server of Node's own that knows these paths, switches protocols when asked to, and tunnels to nowhere. */
export async function startNodeServer(): Promise<{ readonly port: number; readonly close: () => Promise<void> }> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, "http://x");
    const answer = ANSWERS[pathname];
    if (answer === undefined) response.writeHead(404).end();
    else answer(request, response);
  });
  server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
    if (request.url !== "/refused") response.writeContinue();
    server.emit("request", request, response);
  });
  const switches = (head: string) => (_: IncomingMessage, socket: Socket) => {
    socket.on("error", () => {});
    socket.write(`${head}\r\n\r\nnot http`);
    socket.on("data", (bytes) => void socket.write(bytes));
    socket.on("end", () => void socket.end());
  };
  server.on("upgrade", switches("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x"));
  server.on("connect", switches("HTTP/1.1 200 Established"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, close: () => closeServer(server) };
}

async function closeServer(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}
