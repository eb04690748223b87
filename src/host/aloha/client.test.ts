import { mkdtempSync, rmSync } from "node:fs";
import net, { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { type ActionServer, script, startActionServer } from "../../../test/support/aloha-stand-in/action-server.ts";
import { type AlohaClientStandIn, startClient } from "../../../test/support/aloha-stand-in/client.ts";
import { ImpatientClock } from "../../../test/support/aloha-stand-in/impatient-clock.ts";
import { htmlError, json } from "../../../test/support/aloha-stand-in/web.ts";
import { until } from "../../../test/support/until.ts";
import { type AlohaClient, type AlohaTask, alohaClient } from "./client.ts";
import { probeServer } from "./liveness.ts";

let clock: ImpatientClock;
let standIn: AlohaClientStandIn;
let server: ActionServer;
let client: AlohaClient;
/** Lets the model answer. */
let release: () => void;
const { signal } = new AbortController();

beforeEach(async () => {
  clock = new ImpatientClock();
  const folder = mkdtempSync(join(tmpdir(), "aloha-"));
  const held = Promise.withResolvers<void>();
  release = held.resolve;
  server = await startActionServer({
    model: async (call, step) => held.promise.then(() => script("STOP")(call, step)),
  });
  const wait = () => new Promise<void>((resolve) => setImmediate(resolve));
  standIn = await startClient({ logPath: join(folder, "client.log"), wait });
  client = alohaClient({ url: standIn.url, clock, timeoutMs: 10_000 });
  return async () => {
    await Promise.all([standIn.stop(), server.stop()]);
    rmSync(folder, { recursive: true });
  };
});

const task = (more: Partial<AlohaTask> = {}): AlohaTask => ({
  task: "open it",
  selectedScreen: 0,
  demonstration: "demo",
  actionUrl: `${server.url}/generate_action`,
  stepsBound: 4,
  ...more,
});
const post = async (path: string, body?: string, type = "application/json") => {
  const init = { method: "POST", headers: { "content-type": type } };
  const response = await fetch(`${standIn.url}${path}`, body === undefined ? init : { ...init, body });
  return { status: response.status, type: response.headers.get("content-type"), body: await response.text() };
};
const count = (on: string): number => standIn.seen.filter((request) => request.on === on).length;
const busy = (): Promise<true> => until(() => standIn.busy || undefined, { what: "the run is on" });
const idle = (): Promise<true> => until(() => !standIn.busy || undefined, { what: "the run is over" });

test("aloha stand-in: who asks wrongly is told so in JSON, idle or busy", async () => {
  const refusal = {
    status: 400,
    type: "application/json",
    body: '{"message":"Missing required field(s): task","status":"error"}\n',
  };
  const ask = async (): Promise<void> => {
    for (const body of ["", "{", "{}", "[]"]) expect(await post("/run_task", body)).toEqual(refusal);
    expect(await post("/run_task", '{"task":"x"}', "text/plain")).toEqual(refusal);
  };
  await ask();
  await client.start(task(), signal);
  await busy();
  await ask();
});

test("aloha stand-in: errors outside the handlers are pages, and GET /run_task changes nothing", async () => {
  for (const path of ["/", "/health", "/status"]) expect((await fetch(standIn.url + path)).status).toBe(404);
  expect(await post("/run_task/")).toMatchObject({ status: 404, type: "text/html; charset=utf-8" });
  const get = await fetch(`${standIn.url}/run_task`);
  expect([get.status, get.headers.get("allow")]).toEqual([405, "POST, OPTIONS"]);
  expect(await post("/run_task", '["task"]')).toMatchObject({ status: 500, type: "text/html; charset=utf-8" });
  expect(standIn.fields).toMatchObject({ max_steps: 50 });
});

test("a start sends all five fields, because a field that is left out keeps the last value", async () => {
  expect(await client.start(task(), signal)).toEqual({
    kind: "accepted",
    answer: '{"message":"Task started","status":"success","task":"open it"}\n',
  });
  const expected = {
    task: "open it",
    selected_screen: 0,
    trace_id: "demo",
    server_url: `${server.url}/generate_action`,
    max_steps: 4,
  };
  expect(JSON.parse(standIn.seen.at(-1)?.body ?? "")).toEqual(expected);
  release();
  await busy();
  await idle();
  await post("/run_task", '{"task":"another"}');
  expect(standIn.fields).toEqual({ ...expected, task: "another" });
});

test("the busy probe tells idle from busy and writes no state", async () => {
  expect(await client.isBusy(signal)).toBe("idle");
  await client.start(task(), signal);
  await busy();
  for (let look = 0; look < 3; look++) expect(await client.isBusy(signal)).toBe("busy");
  expect(await client.start(task({ task: "other" }), signal)).toEqual({ kind: "busy" });
  release();
  await idle();
  expect(await client.isBusy(signal)).toBe("idle");
  expect(standIn.fields).toMatchObject({ task: "open it", max_steps: 4 });
});

test("a revision that refuses lists does not tell whether it is busy", async () => {
  standIn.faults.push({ on: "POST /run_task", kind: json(400, { status: "error", message: "Missing" }) });
  expect(await client.isBusy(signal)).toBe("unsupported");
});

test("a stop is heard between two messages, and the client is busy until then", async () => {
  expect(await client.stop(signal)).toBe("idle");
  await client.start(task(), signal);
  await until(() => server.calls[0], { what: "the model is asked" });
  expect(await client.stop(signal)).toBe("signalled");
  expect(await client.stop(signal)).toBe("signalled");
  expect(await client.isBusy(signal)).toBe("busy");
  release();
  await idle();
});

test("liveness: the client by 405, the server by 200, anything else is foreign", async () => {
  const options = { clock, timeoutMs: 10_000, signal };
  expect(await client.isAlive(signal)).toEqual({ kind: "alive" });
  expect(await probeServer(server.url, options)).toEqual({ kind: "alive" });
  expect(await probeServer(standIn.url, options)).toEqual({
    kind: "foreign",
    reason: "it answers 404 where Aloha answers 200",
  });
  expect(count("POST /stop")).toBe(0);
});

test.each([502, 503, 504])("an HTTP %i is asked again after 500 ms and after 1 s, and no more", async (status) => {
  const started = clock.now();
  for (let n = 0; n < 2; n++) standIn.faults.push({ on: "GET /run_task", kind: htmlError(status) });
  expect(await client.isAlive(signal)).toEqual({ kind: "alive" });
  expect(clock.now() - started).toBe(1_500);
  for (let n = 0; n < 3; n++) standIn.faults.push({ on: "GET /run_task", kind: htmlError(status) });
  expect(await client.isAlive(signal)).toMatchObject({ kind: "foreign" });
  expect(count("GET /run_task")).toBe(6);
});

test("an HTTP 404 or 500 is not asked again", async () => {
  for (const status of [404, 500]) standIn.faults.push({ on: "GET /run_task", kind: htmlError(status) });
  expect(await client.isAlive(signal)).toMatchObject({ kind: "foreign" });
  expect(await client.isAlive(signal)).toMatchObject({ kind: "foreign" });
  expect(count("GET /run_task")).toBe(2);
});

test("a cut connection is tried again where the call may arrive twice", async () => {
  standIn.faults.push({ on: "GET /run_task", kind: "cut" }, { on: "POST /run_task", kind: "cut-after" });
  expect(await client.isAlive(signal)).toEqual({ kind: "alive" });
  expect(await client.isBusy(signal)).toBe("idle");
  expect(standIn.seen.length).toBe(4);
});

test.each(["cut", "cut-after"] as const)("a start whose connection is cut (%s) is not sent again", async (kind) => {
  standIn.faults.push({ on: "POST /run_task", kind });
  expect(await client.start(task(), signal)).toMatchObject({ kind: "ambiguous" });
  expect(count("POST /run_task")).toBe(1);
});

test.each([500, 502, 503, 504])("a start that is answered HTTP %i is not sent again", async (status) => {
  standIn.faults.push({ on: "POST /run_task", kind: htmlError(status) });
  expect(await client.start(task(), signal)).toEqual({ kind: "ambiguous", reason: `HTTP ${status}` });
  expect(count("POST /run_task")).toBe(1);
});

test("an answer that is cut in its body was still given", async () => {
  standIn.faults.push({ on: "POST /run_task", kind: "half" });
  expect(await client.start(task(), signal)).toMatchObject({ kind: "accepted" });
});

test("a refusal says what Aloha said, and a page says only its status", async () => {
  standIn.faults.push({ on: "POST /run_task", kind: json(400, { status: "error", message: "no" }) });
  expect(await client.start(task(), signal)).toEqual({ kind: "refused", reason: "HTTP 400: no" });
  standIn.faults.push({ on: "POST /run_task", kind: htmlError(404) });
  expect(await client.start(task(), signal)).toEqual({ kind: "refused", reason: "HTTP 404" });
});

test("where nobody listens a start is tried three times and is known not to have begun", async () => {
  await standIn.stop();
  const started = clock.now();
  expect(await client.start(task(), signal)).toMatchObject({ kind: "unreachable", reason: /ECONNREFUSED/ });
  expect(clock.now() - started).toBe(1_500);
  expect(await client.isAlive(signal)).toMatchObject({ kind: "unreachable" });
  expect(await client.isBusy(signal)).toBe("lost");
});

test("a silent listener is left after the timeout", async () => {
  const sockets = new Set<net.Socket>();
  const silent = net.createServer((socket) => sockets.add(socket));
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    silent.close();
  });
  const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const asked = alohaClient({ url, clock, timeoutMs: 10_000 }).isAlive(signal);
  for (let attempt = 1; attempt <= 3; attempt++) {
    await until(() => sockets.size === attempt || undefined, { what: `attempt ${attempt}` });
    clock.pass(10_000);
  }
  expect(await asked).toEqual({ kind: "silent", reason: "no answer within 10000 ms" });
});

test("a signal ends a call at once, and a start that it ends may have begun", async () => {
  standIn.faults.push({ on: "POST /run_task", kind: "silent" });
  const stop = new AbortController();
  const started = client.start(task(), stop.signal);
  await until(() => standIn.seen[0], { what: "the start has arrived" });
  stop.abort();
  expect(await started).toMatchObject({ kind: "ambiguous" });
});
