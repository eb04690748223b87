import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { EffectContext } from "../../src/attempt/handlers.ts";
import { systemClock } from "../../src/clock.ts";
import { isAppError } from "../../src/error.ts";
import { resolveSecrets } from "../../src/job/secret.ts";
import { type HttpRequestOptions, httpRequestHandlers } from "../../src/job-type/http-request/handler.ts";
import { type HttpRequestResult, httpRequest } from "../../src/job-type/http-request/http-request.ts";

/** What the secrets of the tests are. */
const SECRETS: Readonly<Record<string, string>> = { KEY: "hunter2", BODY: "s3cret", BROKEN: "a\nb" };

/** What a server saw of a request. */
interface Seen {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** A server of this machine that notes every request. */
export async function origin(
  answer: http.RequestListener,
): Promise<{ readonly url: string; readonly seen: readonly Seen[] }> {
  const seen: Seen[] = [];
  const server = http.createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const { method, url: path, headers } = request;
      seen.push({ method, path, headers, body: Buffer.concat(parts).toString() });
      answer(request, response);
    });
  });
  return { url: await listening(server), seen };
}

/** A server that speaks bytes: `answer` gets the connection when the first part of a request has come. */
export async function rawOrigin(answer: (socket: net.Socket) => void): Promise<{ readonly url: string }> {
  const server = net.createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => answer(socket));
  });
  return { url: await listening(server) };
}

async function listening(server: net.Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

interface Call extends Partial<HttpRequestOptions> {
  readonly signal?: AbortSignal;
}

/** Where the last attempt of this test keeps its files. */
let folder = "";

/** The folder of the last attempt: what it kept stands in `http`. */
export const keptIn = (...path: readonly string[]): string => join(folder, ...path);

/** Runs one attempt, with a folder of its own; only 127.0.0.1 may be called. */
export async function send(given: unknown, { signal, ...options }: Call = {}): Promise<HttpRequestResult> {
  const own = mkdtempSync(join(tmpdir(), "http-request-"));
  onTestFinished(() => rmSync(own, { recursive: true }));
  folder = own;
  const input = resolveSecrets(httpRequest.input.parse(given), (name) => SECRETS[name] ?? "");
  const handlers = httpRequestHandlers({
    allow: ["127.0.0.1"],
    bodyBytes: 1_000_000,
    connectTimeoutMs: 10_000,
    clock: systemClock,
    ...options,
  });
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  const ctx = { folder, signal: signal ?? new AbortController().signal, log } as unknown as EffectContext;
  return httpRequest.result.parse(await handlers.run(input as never, ctx));
}

/** Runs one attempt, which fails: what its error says, and whether it is tried `again`. */
export async function failure(given: unknown, call?: Call): Promise<Record<string, unknown>> {
  try {
    await send(given, call);
  } catch (error) {
    if (!isAppError(error)) throw error;
    return { ...error.details, code: error.code, message: error.message, again: httpRequest.retryable?.(error) };
  }
  throw new Error("it did not fail");
}

/** What the last attempt kept. */
export function kept(): { readonly record: Record<string, unknown>; readonly body: string } {
  const record: unknown = JSON.parse(readFileSync(keptIn("http/response.json"), "utf8"));
  return { record: record as Record<string, unknown>, body: readFileSync(keptIn("http/body"), "latin1") };
}

export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
