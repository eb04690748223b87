import http from "node:http";
import https from "node:https";
import { type CallLimits, onAbort } from "../../clock.ts";

/** A request to a part of the system that an operator configured; a body is sent as JSON. */
export interface HttpRequest {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly body?: unknown;
}

/** What came of a request. */
export type Exchange =
  /** The body may be cut: a connection that ended after the head still says what was decided. */
  | { readonly kind: "answer"; readonly status: number; readonly body: string }
  | {
      readonly kind: "lost";
      readonly reason: string;
      /** The connection was open, so whoever listens may have the request and may have acted on it. */
      readonly sent: boolean;
      /** The same request may fare better in a moment. */
      readonly transient: boolean;
      readonly timedOut: boolean;
    };

/** Nobody reads more of an answer; the page of a debugger has more. */
const BODY_BYTES_MAX = 65_536;

const TRANSIENT = new Set([
  "EAI_AGAIN",
  "ECONNABORTED",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETDOWN",
  "ENETUNREACH",
  "EPIPE",
  "ETIMEDOUT",
]);

/**
 * Sends one request on a connection of its own. Never throws for what the network does.
 *
 * Not for addresses that a job names: `http.request` has rules about those, and streams its answers.
 *
 * @param limits from the look-up of the name to the last byte.
 */
export function exchange({ method, url, body }: HttpRequest, limits: CallLimits): Promise<Exchange> {
  const { promise, resolve } = Promise.withResolvers<Exchange>();
  const text = body === undefined ? undefined : JSON.stringify(body);
  const target = new URL(url);
  const request = (target.protocol === "https:" ? https : http).request(target, {
    method,
    agent: false,
    headers: requestHeaders(text),
  });
  let sent = false;
  let timedOut = false;
  let answered = false;
  request.once("socket", (socket) => {
    // Before it is open nothing has left this machine.
    socket.once("connect", () => {
      sent = true;
    });
  });
  const lost = (reason: string, transient: boolean): void =>
    resolve({ kind: "lost", reason, sent, transient, timedOut });
  const timer = limits.clock.after(limits.timeoutMs, () => {
    timedOut = true;
    request.destroy(new Error(`no answer within ${limits.timeoutMs} ms`));
  });
  request.once("response", (response) => {
    answered = true;
    void readBody(response).then(resolve);
  });
  request.once("error", (error) => lost(reasonOf(error), timedOut || TRANSIENT.has(codeOf(error))));
  request.once("close", () => {
    timer.cancel();
    stop[Symbol.dispose]();
    // A connection that ends without an error and without an answer.
    if (!answered) lost("the connection ended before the answer", true);
  });
  const stop = onAbort(limits.signal, () => void request.destroy(new Error("stopped")));
  if (!limits.signal.aborted) request.end(text);
  return promise;
}

function requestHeaders(body: string | undefined): http.OutgoingHttpHeaders {
  if (body === undefined) return { "user-agent": "windlass", "content-length": 0 };
  const length = Buffer.byteLength(body);
  return { "user-agent": "windlass", "content-type": "application/json", "content-length": length };
}

async function readBody(response: http.IncomingMessage): Promise<Exchange> {
  const parts: Buffer[] = [];
  let bytes = 0;
  await new Promise<void>((resolve) => {
    response.on("data", (part: Buffer) => {
      parts.push(part);
      bytes += part.length;
      if (bytes > BODY_BYTES_MAX) response.destroy();
    });
    response.on("error", () => {});
    response.once("close", resolve);
  });
  return { kind: "answer", status: response.statusCode ?? 0, body: Buffer.concat(parts).toString() };
}

function codeOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : "";
}

/** Node tries all addresses of a name and reports them together, without a text. */
function reasonOf(error: Error): string {
  return error.message || codeOf(error) || error.name;
}
