import { once } from "node:events";
import { readdir } from "node:fs/promises";
import net, { type AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { failure, kept, keptIn, origin, rawOrigin, send, sha256 } from "../../../test/support/http-request-bench.ts";

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
  expect(await readdir(keptIn())).toEqual([]);
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

test.each([
  ["GET", "content-length: 100\r\n\r\n", true],
  ["GET", "transfer-encoding: chunked\r\n\r\n5\r\n", true],
  ["POST", "content-length: 100\r\n\r\n", false],
])("a %s whose answer is cut (%j) keeps what came", async (method, head, again) => {
  const { url } = await rawOrigin((socket) => socket.end(`HTTP/1.1 200 OK\r\n${head}hello`));
  expect(await failure({ url, method })).toMatchObject({ code: "HOST_UNREACHABLE", again, status: 200 });
  expect(kept()).toMatchObject({
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
  const { record, body } = kept();
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
