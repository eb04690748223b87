import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import type { EffectContext } from "../../attempt/handlers.ts";
import { systemClock } from "../../clock.ts";
import { isAppError } from "../../error.ts";
import { resolveSecrets } from "../../job/secret.ts";
import { type HttpRequestOptions, httpRequestHandlers } from "./handler.ts";
import { type HttpRequestResult, httpRequest } from "./http-request.ts";

const loopback = ["127.0.0.1"];
const secrets: Readonly<Record<string, string>> = { KEY: "hunter2", BODY: "s3cret", BROKEN: "a\nb" };

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "http-request-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** What a server saw of a request. */
interface Seen {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

async function listening(server: net.Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function origin(answer: http.RequestListener): Promise<{ readonly url: string; readonly seen: readonly Seen[] }> {
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
async function rawOrigin(
  answer: (socket: net.Socket) => void,
): Promise<{ readonly url: string; readonly server: net.Server }> {
  const server = net.createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => answer(socket));
  });
  return { url: await listening(server), server };
}

interface Call extends Partial<HttpRequestOptions> {
  readonly signal?: AbortSignal;
}

async function send(given: unknown, { signal, ...options }: Call = {}): Promise<HttpRequestResult> {
  const input = resolveSecrets(httpRequest.input.parse(given), (name) => secrets[name] ?? "");
  const handlers = httpRequestHandlers({
    allow: loopback,
    bodyBytes: 1_000_000,
    connectTimeoutMs: 10_000,
    clock: systemClock,
    ...options,
  });
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  const ctx = { folder, signal: signal ?? new AbortController().signal, log } as unknown as EffectContext;
  return httpRequest.result.parse(await handlers.run(input as never, ctx));
}

async function failure(given: unknown, call?: Call): Promise<Record<string, unknown>> {
  try {
    await send(given, call);
  } catch (error) {
    if (!isAppError(error)) throw error;
    return { ...error.details, code: error.code, message: error.message, again: httpRequest.retryable?.(error) };
  }
  throw new Error("it did not fail");
}

async function kept(): Promise<{ readonly record: Record<string, unknown>; readonly body: string }> {
  const record: unknown = JSON.parse(await readFile(join(folder, "http/response.json"), "utf8"));
  return { record: record as Record<string, unknown>, body: await readFile(join(folder, "http/body"), "latin1") };
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

test.each(["GET", "HEAD", "PUT", "DELETE", "POST", "PATCH", "OPTIONS"])(
  "%s arrives with its headers and body",
  async (method) => {
    const { url, seen } = await origin((_request, response) => response.end("done"));
    const hasBody = method !== "GET" && method !== "HEAD";
    const headers = { "X-One": "1", "Content-Type": "text/plain; charset=utf-8" };
    const result = await send({ url: `${url}/a%20b?c=d#e`, method, headers, ...(hasBody ? { body: "grüße" } : {}) });
    const text = method === "HEAD" ? "" : "done";
    expect(result).toMatchObject({
      status: 200,
      bytes: text.length,
      body_sha256: sha256(text),
      final_url: `${url}/a%20b?c=d#e`,
    });
    expect(seen).toMatchObject([{ method, path: "/a%20b?c=d", body: hasBody ? "grüße" : "" }]);
    expect(seen[0]?.headers).toEqual({
      "user-agent": "windlass",
      accept: "*/*",
      "x-one": "1",
      "content-type": "text/plain; charset=utf-8",
      host: new URL(url).host,
      connection: "close",
      ...(hasBody ? { "content-length": "7" } : {}),
    });
  },
);

test("a POST without a body says that it has none, and a header of the job replaces ours", async () => {
  const { url, seen } = await origin((_request, response) => response.end());
  await send({ url, method: "POST", headers: { Accept: "text/html", "User-Agent": "mine" } });
  expect(seen[0]?.headers).toMatchObject({ "content-length": "0", accept: "text/html", "user-agent": "mine" });
});

test("secrets arrive in headers and body", async () => {
  const { url, seen } = await origin((_request, response) => response.end());
  await send({ url, method: "POST", headers: { authorization: { $secret: "KEY" } }, body: { $secret: "BODY" } });
  expect(seen).toMatchObject([{ headers: { authorization: "hunter2" }, body: "s3cret" }]);
});

test("a secret that no header can carry is refused unquoted before anything is sent", async () => {
  const { url, seen } = await origin((_request, response) => response.end());
  const failed = await failure({ url, headers: { "x-key": { $secret: "BROKEN" } } });
  expect(failed).toMatchObject({
    code: "INVALID_INPUT",
    message: expect.stringMatching(/^headers\.x-key: the value holds a line break/),
  });
  expect(seen).toEqual([]);
});

test("the kept files say exactly what came", async () => {
  const { url } = await origin((request, response) => {
    if (request.url === "/") response.writeHead(301, { location: "/end?q=1" }).end("moved");
    else
      response
        .writeHead(
          201,
          [
            ["X-A", "1"],
            ["x-a", "2"],
            ["Set-Cookie", "a=1, b"],
            ["set-cookie", "c=2"],
            ["Date", "now"],
          ].flat(),
        )
        .end("body \xff");
  });
  const clock = { ...systemClock, now: () => 1_700_000_000_000, monotonic: () => 5 };
  const result = await send({ url }, { clock });
  const { record, body } = await kept();
  const bytes = Buffer.from("body \xff").toString("latin1");
  const hash = sha256("body \xff");
  const headers = {
    "x-a": "1, 2",
    "set-cookie": ["a=1, b", "c=2"],
    date: "now",
    connection: "close",
    "transfer-encoding": "chunked",
  };
  expect(result).toEqual({ status: 201, headers, body_sha256: hash, bytes: 7, final_url: `${url}/end?q=1` });
  expect(body).toBe(bytes);
  expect(record).toEqual({
    method: "GET",
    url: `${url}/`,
    final_url: `${url}/end?q=1`,
    address: "127.0.0.1",
    status: 201,
    headers,
    redirects: [{ method: "GET", url: `${url}/`, status: 301, location: `${url}/end?q=1` }],
    timings: {
      started_at: "2023-11-14T22:13:20.000Z",
      resolve_ms: 0,
      connect_ms: 0,
      tls_ms: null,
      first_byte_ms: 0,
      total_ms: 0,
    },
    body: { path: "http/body", bytes: 7, sha256: hash, complete: true },
  });
  for (const name of ["response.json", "body"])
    expect((await stat(join(folder, "http", name))).mode & 0o777).toBe(0o600);
});

test.each([
  [200, undefined, true],
  [204, undefined, true],
  [299, undefined, true],
  [404, undefined, false],
  [304, undefined, false],
  [404, 404, true],
  [200, 404, false],
  [418, [200, 418], true],
  [500, [200, 418], false],
])("%i with expect_status %j: completes %s", async (status, expect_status, completes) => {
  const { url } = await origin((_request, response) => response.writeHead(status).end());
  const input = { url, ...(expect_status === undefined ? {} : { expect_status }) };
  if (completes) expect(await send(input)).toMatchObject({ status });
  else expect(await failure(input)).toMatchObject({ code: "UNEXPECTED_STATUS", status, again: false });
});

test("the body of an unexpected answer is kept", async () => {
  const { url } = await origin((_request, response) => response.writeHead(500).end("what went wrong"));
  const failed = await failure({ url: `${url}/x?token=t` });
  expect(failed["message"]).toBe(`GET ${url}/x answered 500; expected 2xx; the answer is kept as http/body`);
  expect(await kept()).toMatchObject({ record: { status: 500, body: { complete: true } }, body: "what went wrong" });
});

test.each([
  ["GET", 503, true],
  ["PUT", 429, true],
  ["DELETE", 502, true],
  ["OPTIONS", 504, true],
  ["GET", 500, false],
  ["POST", 503, false],
  ["PATCH", 429, false],
])("%s answered %i is tried again: %s", async (method, status, again) => {
  const { url } = await origin((_request, response) => response.writeHead(status).end());
  expect(await failure({ url, method })).toMatchObject({ code: "UNEXPECTED_STATUS", again });
});

test("redirects are followed up to the limit, and the next one is the answer", async () => {
  const hop: http.RequestListener = (request, response) => {
    const left = Number(request.url?.slice(1));
    if (left === 0) response.end("end");
    else response.writeHead(302, { location: `/${left - 1}` }).end();
  };
  const { url, seen } = await origin(hop);
  expect(await send({ url: `${url}/5` })).toMatchObject({ status: 200, final_url: `${url}/0` });
  expect(seen).toHaveLength(6);
  await rm(join(folder, "http"), { recursive: true });
  const failed = await failure({ url: `${url}/6` });
  expect(failed).toMatchObject({
    code: "UNEXPECTED_STATUS",
    status: 302,
    message: expect.stringContaining("after 5 redirects"),
  });
  expect((await kept()).record["redirects"]).toHaveLength(5);
  await rm(join(folder, "http"), { recursive: true });
  expect(await send({ url: `${url}/9`, redirects: 0, expect_status: 302 })).toMatchObject({
    status: 302,
    final_url: `${url}/9`,
  });
  await rm(join(folder, "http"), { recursive: true });
  expect(await send({ url: `${url}/9`, expect_status: [200, 302] })).toMatchObject({ status: 302 });
});

test("a POST becomes a GET at 303 and stays a POST at 307", async () => {
  const { url, seen } = await origin((request, response) => {
    if (request.url === "/start") response.writeHead(307, { location: "/again" }).end();
    else if (request.url === "/again") response.writeHead(303, { location: "/end" }).end();
    else response.end();
  });
  await send({ url: `${url}/start`, method: "POST", body: "x", headers: { "content-type": "text/plain" } });
  expect(seen.map(({ method, path, body }) => `${method} ${path} ${body}`)).toEqual([
    "POST /start x",
    "POST /again x",
    "GET /end ",
  ]);
  expect(seen[2]?.headers).not.toHaveProperty("content-type");
  expect(seen[2]?.headers).not.toHaveProperty("content-length");
});

test("secrets and credentials do not cross to another origin", async () => {
  const other = await origin((_request, response) => response.end());
  const first = await origin((request, response) =>
    response.writeHead(307, { location: request.url === "/" ? "/here" : other.url }).end(),
  );
  const headers = { Authorization: "Basic x", cookie: "a=b", "X-Key": { $secret: "KEY" }, "x-plain": "p" };
  await send({ url: first.url, headers });
  const sent = { authorization: "Basic x", cookie: "a=b", "x-key": "hunter2", "x-plain": "p" };
  expect(first.seen).toMatchObject([{ headers: sent }, { path: "/here", headers: sent }]);
  expect(JSON.stringify(other.seen)).not.toMatch(/Basic x|a=b|hunter2/);
  expect(other.seen).toMatchObject([{ headers: { "x-plain": "p" } }]);
});

test("a secret body does not cross to another origin", async () => {
  const other = await origin((_request, response) => response.end());
  const first = await origin((_request, response) => response.writeHead(307, { location: other.url }).end());
  const failed = await failure({ url: first.url, method: "PUT", body: { $secret: "BODY" } });
  expect([failed["code"], other.seen]).toEqual(["ADDRESS_REFUSED", []]);
  await send({ url: first.url, method: "PUT", body: "plain" }, {}).catch(() => {});
  expect(other.seen).toMatchObject([{ method: "PUT", body: "plain" }]);
});

test.each([
  "http://127.0.0.2/",
  "http://2130706434/",
  "http://[::ffff:7f00:2]/",
  "http://169.254.169.254/latest",
  "//127.1.2.3/",
])("a redirect to %s is refused, and what led there is kept", async (location) => {
  const { url } = await origin((_request, response) => response.writeHead(302, { location }).end("moved"));
  const failed = await failure({ url, method: "POST" });
  expect(failed).toMatchObject({ code: "ADDRESS_REFUSED", again: false, repeatable: false });
  const text = await readFile(join(folder, "http/response.json"), "utf8");
  expect(JSON.parse(text)).toMatchObject({ status: 302, headers: { location }, body: null });
  expect(await readdir(join(folder, "http"))).toEqual(["response.json"]);
});

test("this machine is refused by name and by address unless the list has it", async () => {
  const { url, seen } = await origin((_request, response) => response.end());
  const { port } = new URL(url);
  for (const host of ["localhost", "127.0.0.1", "2130706433", "0x7f.1", "127.1", "[::ffff:127.0.0.1]", "[::]"]) {
    const failed = await failure({ url: `http://${host}:${port}/` }, { allow: [] });
    expect(failed, host).toMatchObject({ code: "ADDRESS_REFUSED", again: false });
  }
  expect(seen).toEqual([]);
  expect(await send({ url: `http://localhost:${port}/` }, { allow: ["localhost"] })).toMatchObject({ status: 200 });
  expect(seen[0]?.headers.host).toBe(`localhost:${port}`);
  expect(await failure({ url }, { allow: ["localhost"] })).toMatchObject({ code: "ADDRESS_REFUSED" });
});

test("proxy variables of the environment are not used", async () => {
  const proxy = await origin((_request, response) => response.end("proxy"));
  const { url } = await origin((_request, response) => response.end("origin"));
  process.env["HTTP_PROXY"] = proxy.url;
  process.env["NODE_USE_ENV_PROXY"] = "1";
  onTestFinished(() => {
    delete process.env["HTTP_PROXY"];
    delete process.env["NODE_USE_ENV_PROXY"];
  });
  expect(await send({ url })).toMatchObject({ body_sha256: sha256("origin") });
  expect(proxy.seen).toEqual([]);
});

test.each([
  ["GET", true],
  ["POST", true],
])("a %s that found nobody listening is tried again", async (method, again) => {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  expect(await failure({ url: `http://127.0.0.1:${port}/`, method })).toMatchObject({
    code: "HOST_UNREACHABLE",
    again,
  });
  expect(await readdir(folder)).toEqual([]);
});

test.each([
  ["GET", true],
  ["PUT", true],
  ["POST", false],
  ["PATCH", false],
])("a %s whose connection is cut before the answer is tried again: %s", async (method, again) => {
  const { url } = await rawOrigin((socket) => socket.destroy());
  const failed = await failure({ url, method });
  expect(failed).toMatchObject({ code: "HOST_UNREACHABLE", again });
  expect(String(failed["message"]).includes("may have been received")).toBe(!again);
});

test("a POST that was answered with a redirect to a dead host is not sent again", async () => {
  const dead = await origin((_request, response) => response.end());
  const { url } = await origin((_request, response) =>
    response.writeHead(303, { location: "http://gone.test/" }).end(),
  );
  const lookUp = () => Promise.reject(Object.assign(new Error("gone"), { code: "ENOTFOUND" }));
  expect(await failure({ url, method: "POST" }, { lookUp })).toMatchObject({ code: "HOST_UNREACHABLE", again: false });
  expect(dead.seen).toEqual([]);
});

test.each([
  ["GET", "content-length: 100\r\n\r\n", true],
  ["GET", "transfer-encoding: chunked\r\n\r\n5\r\n", true],
  ["POST", "content-length: 100\r\n\r\n", false],
])("a %s whose answer is cut (%j) keeps what came", async (method, head, again) => {
  const { url } = await rawOrigin((socket) => socket.end(`HTTP/1.1 200 OK\r\n${head}hello`));
  expect(await failure({ url, method })).toMatchObject({ code: "HOST_UNREACHABLE", again, status: 200 });
  expect(await kept()).toMatchObject({
    body: "hello",
    record: { body: { bytes: 5, sha256: sha256("hello"), complete: false } },
  });
});

test("what is no HTTP is a failure, and endless headers are too large", async () => {
  const noise = await rawOrigin((socket) => socket.end("SSH-2.0-OpenSSH\r\n"));
  expect(await failure({ url: noise.url })).toMatchObject({
    code: "HOST_UNREACHABLE",
    message: expect.stringContaining("HPE_"),
  });
  const endless = await rawOrigin((socket) =>
    socket.write(`HTTP/1.1 200 OK\r\n${`a: ${"b".repeat(1_000)}\r\n`.repeat(100)}`),
  );
  expect(await failure({ url: endless.url })).toMatchObject({ code: "TOO_LARGE", again: false });
});

test.each([
  [10, 10, true],
  [10, 11, false],
  [1_000, 3_000_000, false],
  [0, 1, false],
])("with a limit of %i bytes an answer of %i completes: %s", async (bodyBytes, bytes, completes) => {
  const { url } = await origin((_request, response) => response.end("x".repeat(bytes)));
  if (completes) expect(await send({ url }, { bodyBytes })).toMatchObject({ bytes });
  else
    expect(await failure({ url }, { bodyBytes })).toMatchObject({
      code: "TOO_LARGE",
      limit_bytes: bodyBytes,
      again: false,
    });
  const { record, body } = await kept();
  const whole = completes ? { complete: true } : { complete: false, cut_at_bytes: bodyBytes };
  expect(body).toBe("x".repeat(Math.min(bytes, bodyBytes)));
  expect(record["body"]).toEqual({ path: "http/body", bytes: body.length, sha256: sha256(body), ...whole });
});

test("a large body comes whole", async () => {
  const text = "0123456789abcdef".repeat(500_000);
  const { url } = await origin((_request, response) => response.end(text));
  expect(await send({ url }, { bodyBytes: 8_000_000 })).toMatchObject({ bytes: 8_000_000, body_sha256: sha256(text) });
});

test.each([
  ["before the answer", "", "timeout", "TIMEOUT", "GET", true],
  ["before the answer", "", "timeout", "TIMEOUT", "POST", false],
  ["before the answer", "", "cancelled", "CANCELLED", "GET", false],
  ["before the answer", "", "lease_lost", "LEASE_LOST", "GET", false],
  ["in the body", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello", "stopping", "CANCELLED", "GET", false],
])("a stop %s (%j, %s) ends the connection at once as %s", async (_when, bytes, reason, code, method, again) => {
  const control = new AbortController();
  const ended = Promise.withResolvers<void>();
  const { url } = await rawOrigin((socket) => {
    socket.once("close", () => ended.resolve());
    socket.resume();
    socket.write(bytes, () => setImmediate(() => control.abort(reason)));
  });
  expect(await failure({ url, method }, { signal: control.signal })).toMatchObject({ code, again });
  await ended.promise;
});

test("an attempt whose signal has fired connects to nothing", async () => {
  const { url, seen } = await origin((_request, response) => response.end());
  const failed = await failure({ url, method: "POST" }, { signal: AbortSignal.abort("timeout") });
  expect(failed).toMatchObject({ code: "TIMEOUT", repeatable: true });
  expect(seen).toEqual([]);
});
