import { stat } from "node:fs/promises";
import { expect, onTestFinished, test } from "vitest";
import { failure, kept, keptIn, origin, send, sha256 } from "../../../test/support/http-request-bench.ts";
import { systemClock } from "../../clock.ts";

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
  const { record, body } = kept();
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
  for (const name of ["response.json", "body"]) expect((await stat(keptIn("http", name))).mode & 0o777).toBe(0o600);
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
  expect(kept()).toMatchObject({ record: { status: 500, body: { complete: true } }, body: "what went wrong" });
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
