import { randomBytes } from "node:crypto";
import http from "node:http";
import { type CallLimits, onAbort, withDeadline } from "../../clock.ts";
import { isAppError } from "../../error.ts";
import { authorityOf, type Endpoint, withoutBrackets } from "../model/endpoint.ts";

/** What a browser server answered to the first request of a connection. */
export type Knock =
  | { readonly kind: "accepted" }
  /** Versions do not go together. */
  | { readonly kind: "version_mismatch"; readonly serverVersion: string }
  /** The path is wrong; the server looks at it before it looks at the version. */
  | { readonly kind: "path_rejected" }
  /** Something else answered; `status` is its HTTP status, absent for what is no HTTP. */
  | { readonly kind: "foreign"; readonly status?: number }
  | { readonly kind: "unreachable"; readonly reason: string }
  | { readonly kind: "silent" };

/** Of the text in which the server compares versions. */
const ANSWER_BYTES_MAX = 16_384;

/**
 * Asks for a connection and drops it at once: 10 ms instead of the 0.6 s of loading Playwright, and an answer that is a
 * status, where Playwright's error is a text that holds the secret path.
 *
 * @param version of the client, which the server compares with its own.
 * @throws the reason of the signal.
 */
export async function knock(endpoint: Endpoint, wsPath: string, version: string, limits: CallLimits): Promise<Knock> {
  try {
    return await withDeadline(limits, (signal) => ask(endpoint, wsPath, version, signal));
  } catch (error) {
    limits.signal.throwIfAborted();
    if (isAppError(error)) return { kind: "silent" };
    const reason = error instanceof Error && "code" in error ? String(error.code) : "the connection ended";
    return reason.startsWith("HPE_") ? { kind: "foreign" } : { kind: "unreachable", reason };
  }
}

function ask({ host, port }: Endpoint, path: string, version: string, signal: AbortSignal): Promise<Knock> {
  const { promise, resolve, reject } = Promise.withResolvers<Knock>();
  const headers = {
    host: authorityOf({ host, port }),
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": randomBytes(16).toString("base64"),
    "user-agent": `Playwright/${version} (windlass)`,
  };
  const request = http.request({ host: withoutBrackets(host), port, path, headers, agent: false });
  request.once("error", reject);
  const stop = onAbort(signal, () => {
    reject(signal.reason);
    request.destroy();
  });
  request.once("upgrade", (_response, socket) => {
    socket.on("error", () => {}).destroy();
    resolve({ kind: "accepted" });
  });
  request.once("response", (response) => void judge(response).then(resolve, reject));
  request.end();
  return promise.finally(() => {
    stop[Symbol.dispose]();
    request.on("error", () => {});
    request.destroy();
  });
}

async function judge(response: http.IncomingMessage): Promise<Knock> {
  const { statusCode: status = 0 } = response;
  if (status === 400) return { kind: "path_rejected" };
  if (status !== 428) return { kind: "foreign", status };
  let text = "";
  for await (const chunk of response.setEncoding("latin1")) {
    text += chunk;
    if (text.length > ANSWER_BYTES_MAX) break;
  }
  // Numbers alone: whoever answers was told the secret path by the question, and this is printed.
  return {
    kind: "version_mismatch",
    serverVersion: /server version: v?(\d{1,4}(?:\.\d{1,4}){1,2})/.exec(text)?.[1] ?? "unknown",
  };
}
