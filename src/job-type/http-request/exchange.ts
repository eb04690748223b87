import http from "node:http";
import type { Socket } from "node:net";
import { AppError } from "../../error.ts";
import { BodyReader } from "./body-reader.ts";
import type { Leg } from "./redirect.ts";
import { codeOf } from "./resolve-target.ts";

/** The head of an answer, and its body as it comes. */
export interface AnswerHead {
  readonly message: http.IncomingMessage;
  readonly body: BodyReader;
}

/** Header bytes that an answer may have; Node's own 16 KiB is short for a long list of cookies. */
const HEADER_BYTES_MAX = 65_536;

/**
 * Sends one request on a connection of its own and waits for the head of the answer. The connection ends with the answer.
 *
 * The caller destroys the socket to stop; what then fails is the caller's to name.
 *
 * @throws AppError `HOST_UNREACHABLE` when the connection ends before the answer; `TOO_LARGE` for its headers.
 */
export async function exchange(socket: Socket, leg: Leg): Promise<AnswerHead> {
  const { promise, resolve, reject } = Promise.withResolvers<AnswerHead>();
  const body = leg.body === undefined ? undefined : Buffer.from(leg.body);
  const request = http.request({
    createConnection: () => socket,
    method: leg.method,
    path: `${leg.url.pathname}${leg.url.search}`,
    headers: requestHeaders(leg, body),
    setHost: false,
    maxHeaderSize: HEADER_BYTES_MAX,
  });
  request.once("response", (message) => resolve({ message, body: new BodyReader(message) }));
  // After the answer has begun this is heard and ignored: the reader of the answer sees its own error.
  request.on("error", (cause) => reject(failed(leg, cause)));
  request.end(body);
  return await promise;
}

function requestHeaders({ method, url, headers }: Leg, body: Buffer | undefined): Record<string, string> {
  const length = body?.length ?? (method === "POST" || method === "PUT" || method === "PATCH" ? 0 : undefined);
  return {
    "user-agent": "windlass",
    accept: "*/*",
    ...headers,
    host: url.host,
    connection: "close",
    ...(length === undefined ? {} : { "content-length": String(length) }),
  };
}

function failed({ method, url }: Leg, cause: Error): AppError {
  const code = codeOf(cause);
  if (code === "HPE_HEADER_OVERFLOW") {
    return new AppError(
      "TOO_LARGE",
      `${method} ${url.origin}: the answer has more than ${HEADER_BYTES_MAX} bytes of headers`,
      { cause },
    );
  }
  return new AppError("HOST_UNREACHABLE", `${method} ${url.origin}: the connection ended before the answer (${code})`, {
    cause,
  });
}
