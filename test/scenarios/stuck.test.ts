import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { EMBEDDED, testOn } from "../support/test.ts";
import { until } from "../support/until.ts";

const test = testOn(EMBEDDED);
const work = { name: "app.work" };
const short = { name: "app.short", timeout: { default: "200ms" }, retries: 0 } as const;
const types = [work, short];

test.concurrent("a handler that loops for ever is ended with its process and its job told so; its neighbours are given back uncharged", async ({
  open,
}) => {
  const bench = await open({ types });
  const stuck = await bench.spawn();
  const neighbour = await bench.submit("app.work", { name: "neighbour", holds: 1 });
  await bench.effects.seen("neighbour", "start");
  const queued = await bench.submit("app.work", { name: "queued" }, { delay: "10m" });
  const loops = await bench.submit("app.short", { name: "loops", spins: true });
  expect(await bench.settled(loops)).toMatchObject({
    state: "failed",
    attempt: 1,
    failures: 1,
    crashes: 0,
    error: { code: "TIMEOUT", message: "it ran longer than its timeout of 200ms" },
  });
  expect(await stuck.exit()).toEqual({ code: null, signal: "SIGKILL" });
  expect(stuck.errors).toContain("a handler blocked the event loop beyond its timeout");
  expect(await bench.status(neighbour)).toMatchObject({ state: "queued", crashes: 0, failures: 0 });
  expect((await bench.backend.history(neighbour)).at(-1)).toMatchObject({
    event: "lease.reclaimed",
    data: { reason: "stuck", became: "again", crashes: 0 },
  });
  // Nothing of it is left for others to look at.
  expect(readdirSync(join(bench.folder, "db", "windlass.db.workers"))).toEqual([]);
  await bench.worker();
  expect(await bench.settled(neighbour)).toMatchObject({ state: "completed", attempt: 2, crashes: 0 });
  await bench.cancel(queued);
});

test.concurrent("a handler that loops for ever is tried again elsewhere where its type says so, and by a deadline it is not", async ({
  open,
}) => {
  const bench = await open({ types: [{ ...short, retries: 1, backoff: { first: "10ms", jitter: 0 } }, work] });
  await Promise.all([bench.spawn({ concurrency: 1 }), bench.spawn({ concurrency: 1 })]);
  const again = await bench.submit("app.short", { name: "again", spins: true });
  expect(await bench.settled(again)).toMatchObject({ state: "failed", attempt: 2, failures: 2, crashes: 0 });
  await bench.spawn();
  const late = await bench.submit("app.work", { name: "late", spins: true }, { deadline: "2s" });
  expect(await bench.settled(late)).toMatchObject({ attempt: 1, error: { code: "DEADLINE_EXCEEDED" } });
});

test.concurrent("in somebody's application a handler that blocks is reported and nothing is killed", async ({
  open,
}) => {
  const bench = await open({ types });
  const reporting = await bench.spawn({ onStuck: "report" });
  const id = await bench.submit("app.short", { name: "blocks", spinsHeld: true });
  await expect.poll(() => bench.events(id), { timeout: 15_000 }).toContain("handler.stuck");
  bench.effects.release("blocks");
  await reporting.says(
    ({ event }) => event?.kind === "problem" && event.error.code === "TIMEOUT",
    "that a handler blocks its event loop",
  );
  await bench.settled(id);
  const next = await bench.submit("app.work", { name: "next" });
  expect((await bench.settled(next)).state).toBe("completed");
  expect(reporting.hasExited).toBe(false);
});

test.concurrent("a busy loop within its timeout keeps its lease", async ({ open }) => {
  const bench = await open({ types, config: { "worker.lease": "2s" } });
  await bench.spawn();
  const id = await bench.submit("app.work", { name: "busy", spinsMs: 4_000 });
  await bench.effects.seen("busy", "start");
  await bench.worker();
  expect(await bench.settled(id)).toMatchObject({ state: "completed", attempt: 1 });
});

test.concurrent("a process that was stopped for longer than a timeout is not ended for it", async ({ open }) => {
  const bench = await open({ types });
  const frozen = await bench.spawn();
  const id = await bench.submit("app.short", { name: "a", hold: true });
  await bench.effects.seen("a", "start");
  await bench.freeze(frozen);
  const frozenMs = Date.now();
  await until(() => (Date.now() - frozenMs > 1_200 ? true : undefined), { what: "a stop beyond the timeout" });
  frozen.thaw();
  expect(await bench.settled(id)).toMatchObject({ state: "failed", error: { code: "TIMEOUT" } });
  expect((await bench.effects.seen("a", "stopped")).reason).toBe("timeout");
  const next = await bench.submit("app.work", { name: "next" });
  await bench.settled(next);
  expect(frozen.hasExited).toBe(false);
});
