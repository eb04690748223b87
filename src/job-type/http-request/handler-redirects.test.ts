import { readdir, readFile } from "node:fs/promises";
import type http from "node:http";
import { expect, test } from "vitest";
import { failure, kept, keptIn, origin, send } from "../../../test/support/http-request-bench.ts";

test("redirects are followed up to the limit, and the next one is the answer", async () => {
  const hop: http.RequestListener = (request, response) => {
    const left = Number(request.url?.slice(1));
    if (left === 0) response.end("end");
    else response.writeHead(302, { location: `/${left - 1}` }).end();
  };
  const { url, seen } = await origin(hop);
  expect(await send({ url: `${url}/5` })).toMatchObject({ status: 200, final_url: `${url}/0` });
  expect(seen).toHaveLength(6);
  const failed = await failure({ url: `${url}/6` });
  expect(failed).toMatchObject({
    code: "UNEXPECTED_STATUS",
    status: 302,
    message: expect.stringContaining("after 5 redirects"),
  });
  expect(kept().record["redirects"]).toHaveLength(5);
  expect(await send({ url: `${url}/9`, redirects: 0, expect_status: 302 })).toMatchObject({
    status: 302,
    final_url: `${url}/9`,
  });
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
  const text = await readFile(keptIn("http/response.json"), "utf8");
  expect(JSON.parse(text)).toMatchObject({ status: 302, headers: { location }, body: null });
  expect(await readdir(keptIn("http"))).toEqual(["response.json"]);
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
