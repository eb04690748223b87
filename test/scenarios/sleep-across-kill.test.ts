import { expect } from "vitest";
import { durableTypes } from "../support/durable-types.ts";
import { type Bench, EMBEDDED, type Open, testOn } from "../support/test.ts";

const test = testOn(EMBEDDED);
/** As users have it: the tests' own tick is shorter. */
const FLAGS = { "worker.tick": "250ms" };

interface Lived {
  /** When the first effect happened: everything is measured from there. */
  readonly fromMs: number;
  readonly jobId: string;
  readonly own: Bench;
}

/** Starts a worker on a job that writes A, sleeps and writes B, and kills it so long after A. */
async function liveAndDie(open: Open, sleepMs: number, killAfterMs: number): Promise<Lived> {
  const bench = await open();
  const own = await open({ folder: bench.folder, own: durableTypes(bench.folder) });
  const first = await own.spawn({ durable: true, flags: FLAGS });
  const jobId = await own.submit("app.sleeper", { sleepMs });
  const { atMs: fromMs } = await own.effects.seen("A", "end");
  await until(fromMs + killAfterMs);
  await first.kill();
  expect((await own.status(jobId)).state).toBe("waiting");
  return { fromMs, jobId, own };
}

/** Real time: what is tested is that it passes while nobody looks. */
function until(atMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, atMs - Date.now()));
}

test("A, sleep 8 s, B: killed at 4 s and restarted at 6 s, A happens once and B between 8.0 and 8.5 s after A", async ({
  open,
}) => {
  const { fromMs, jobId, own } = await liveAndDie(open, 8_000, 4_000);
  await until(fromMs + 6_000);
  const second = own.start({ durable: true, flags: FLAGS });
  await second.ready();
  const readyMs = Date.now() - fromMs;
  expect(await own.settled(jobId)).toMatchObject({ state: "completed", crashes: 0 });
  const [b] = own.effects.of("B", "end");
  const tookMs = (b?.atMs ?? Number.NaN) - fromMs;
  console.log(`B came ${tookMs} ms after A; the second worker was ready after ${readyMs} ms`);
  expect([own.effects.count("A", "end"), own.effects.count("B", "end")]).toEqual([1, 1]);
  expect(tookMs).toBeGreaterThanOrEqual(8_000);
  // On a machine so busy that the second worker came too late, half a second after that.
  expect(tookMs, `the second worker was ready after ${readyMs} ms`).toBeLessThanOrEqual(Math.max(8_000, readyMs) + 500);
});

test("A, sleep 2 s, B: killed at 1 s and restarted at 3 s, when B is overdue: A happens once, and B as soon as a worker runs", async ({
  open,
}) => {
  const { fromMs, jobId, own } = await liveAndDie(open, 2_000, 1_000);
  await until(fromMs + 3_000);
  expect((await own.status(jobId)).state).toBe("waiting");
  const second = own.start({ durable: true, flags: FLAGS });
  await second.ready();
  const readyMs = Date.now();
  await own.settled(jobId);
  const [b] = own.effects.of("B", "end");
  const lateMs = (b?.atMs ?? Number.NaN) - readyMs;
  console.log(`B came ${lateMs} ms after the second worker said that it was ready`);
  expect([own.effects.count("A", "end"), own.effects.count("B", "end")]).toEqual([1, 1]);
  expect((b?.atMs ?? 0) - fromMs).toBeGreaterThanOrEqual(3_000);
  expect(lateMs).toBeLessThanOrEqual(500);
});
