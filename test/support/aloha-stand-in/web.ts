import { once } from "node:events";
import http from "node:http";
import type { AddressInfo, Socket } from "node:net";

/** An answer as Flask's development server gives it. */
export interface WebAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a fault does to the next request that it is meant for. */
export interface Fault {
  /** Such as `POST /run_task`. */
  readonly on: string;
  /** Only for a request with such a body. */
  readonly body?: RegExp;
  /**
   * `cut`: the connection ends before anything is done; `cut-after`: it is done and the connection ends without an answer;
   * `half`: done, and the answer ends in the middle of its body; `silent`, `silent-after`: the same without an end.
   */
  readonly kind: "cut" | "cut-after" | "half" | "silent" | "silent-after" | WebAnswer;
}

/** A request as it came. */
export interface SeenRequest {
  readonly on: string;
  readonly contentType: string | undefined;
  readonly body: string;
}

/** A listening stand-in. */
export interface WebServer {
  readonly port: number;
  readonly url: string;
  readonly seen: readonly SeenRequest[];
  /** Faults to come, each for one request. */
  readonly faults: Fault[];
  stop(): Promise<void>;
}

const HTML = "text/html; charset=utf-8";
const WERKZEUG = "Werkzeug/3.1.3 Python/3.12.7";

/** `jsonify`: sorted keys, a line feed at the end. */
export function json(status: number, body: Readonly<Record<string, unknown>>): WebAnswer {
  return { status, type: "application/json", body: `${JSON.stringify(sorted(body))}\n` };
}

const TITLES: Readonly<Record<number, readonly [string, string]>> = {
  404: [
    "Not Found",
    "The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.",
  ],
  405: ["Method Not Allowed", "The method is not allowed for the requested URL."],
  500: [
    "Internal Server Error",
    "The server encountered an internal error and was unable to complete your request. Either the server is overloaded or there is an error in the application.",
  ],
  502: ["Bad Gateway", "The proxy server received an invalid response from an upstream server."],
  503: ["Service Unavailable", "The server is temporarily unable to service your request."],
  504: ["Gateway Timeout", "The connection to an upstream server timed out."],
};

/** An error outside the handlers: a page for people. */
export function htmlError(status: number, headers: Readonly<Record<string, string>> = {}): WebAnswer {
  const [title, text] = TITLES[status] ?? ["Error", "An error."];
  const body = `<!doctype html>\n<html lang=en>\n<title>${status} ${title}</title>\n<h1>${title}</h1>\n<p>${text}</p>\n`;
  return { status, type: HTML, body, headers };
}

/** A plain answer of text. */
export function page(status: number, body: string, headers: Readonly<Record<string, string>> = {}): WebAnswer {
  return { status, type: HTML, body, headers };
}

/** Listens on loopback; `handle` answers, `logged` hears of each answer. */
export async function startWeb(
  port: number,
  handle: (request: SeenRequest) => WebAnswer | Promise<WebAnswer>,
  logged: (request: SeenRequest, status: number) => void = () => {},
): Promise<WebServer> {
  const seen: SeenRequest[] = [];
  const faults: Fault[] = [];
  const sockets = new Set<Socket>();
  const server = http.createServer((message, response) => {
    const parts: Buffer[] = [];
    message.on("data", (part: Buffer) => parts.push(part));
    message.on("error", () => {});
    message.on("end", () => void answer(Buffer.concat(parts).toString(), message, response));
  });
  async function answer(body: string, message: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const on = `${message.method} ${message.url}`;
    const request = { on, contentType: message.headers["content-type"], body };
    seen.push(request);
    const index = faults.findIndex((fault) => fault.on === on && fault.body?.test(body) !== false);
    const fault = index < 0 ? undefined : faults.splice(index, 1)[0]?.kind;
    if (fault === "cut") return void response.destroy();
    if (fault === "silent") return;
    const made = typeof fault === "object" ? fault : await handle(request);
    if (typeof fault !== "object") logged(request, made.status);
    if (fault === "cut-after") return void response.destroy();
    if (fault === "silent-after") return;
    const bytes = Buffer.from(made.body);
    response.writeHead(made.status, {
      Server: WERKZEUG,
      Date: new Date().toUTCString(),
      "Content-Type": made.type,
      "Content-Length": bytes.length,
      ...made.headers,
      Connection: "close",
    });
    if (fault !== "half") return void response.end(message.method === "HEAD" ? undefined : bytes);
    response.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => response.destroy());
  }
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => sockets.delete(socket));
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const bound = (server.address() as AddressInfo).port;
  return {
    port: bound,
    url: `http://127.0.0.1:${bound}`,
    seen,
    faults,
    async stop() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}
