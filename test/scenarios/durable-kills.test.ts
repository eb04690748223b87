import { afterAll, expect } from "vitest";
import type { JobStatus } from "../../src/backend/reading.ts";
import { Approvers } from "../support/approvers.ts";
import { emitted, recorded } from "../support/durable.ts";
import { type Death, durableTypes, LONG_POSITIONS } from "../support/durable-types.ts";
import { seeded } from "../support/random.ts";
import { needs } from "../support/system.ts";
import { type Bench, EMBEDDED, testOn } from "../support/test.ts";

needs("ssh");
const test = testOn(EMBEDDED);
const people = new Approvers("anna");
afterAll(() => people[Symbol.dispose]());
const config = () => people.policy();
const STEPS = [1, 3, 10, 11, 13, 20];

/** Emits what the job waits for before it begins: an event of before, which a crash must not lose. */
async function submitLong(bench: Bench, name: string, death: Death): Promise<string> {
  const id = await bench.submit("app.long", { name, ...death });
  for (const round of [1, 2]) await emitted(bench, "go", { name, round }, `${name}/${round}`);
  return id;
}

/** Somebody approves it as soon as it asks, and the job ends. */
async function approvedAndSettled(bench: Bench, id: string, withinMs = 30_000): Promise<JobStatus> {
  const settled = bench.settled(id, withinMs);
  for (;;) {
    const { approvals } = await bench.backend.approvals.list({ jobId: id, limit: 1 });
    const [asked] = approvals;
    if (asked !== undefined) await people.decide(bench, asked.approvalId, "anna", { reason: "go" });
    const isOver = asked !== undefined || (await Promise.race([settled.then(() => true), pause(10)]));
    if (isOver) return settled;
  }
}

const pause = (ms: number) => new Promise<boolean>((resolve) => setTimeout(() => resolve(false), ms));

test("a worker that is killed at any position, and between effect and record, costs nothing: the same result, each record once", async ({
  open,
}) => {
  const bench = await open();
  const own = await open({ folder: bench.folder, own: durableTypes(bench.folder), config: config() });
  const deaths: Death[] = [
    ...Array.from({ length: LONG_POSITIONS }, (_, n): Death[] => [
      { position: n + 1, moment: "before" },
      { position: n + 1, moment: "after" },
    ]).flat(),
    ...STEPS.map((position): Death => ({ position, moment: "between" })),
  ];
  const worker = () => own.start({ durable: true, concurrency: 5 });
  const plain = await submitLong(own, "plain", { position: 0, moment: "before" });
  let current = worker();
  const expected = await approvedAndSettled(own, plain);
  expect(expected).toMatchObject({ state: "completed", crashes: 0 });
  const calls = await recorded(own, plain);
  expect(calls.length).toBe(LONG_POSITIONS);
  for (const death of deaths) {
    const name = `${death.position}.${death.moment}`;
    const id = await submitLong(own, name, death);
    const ended = approvedAndSettled(own, id);
    await current.exit();
    current = worker();
    const done = await ended;
    expect(JSON.stringify(done.result), name).toBe(JSON.stringify(expected.result));
    expect(done, name).toMatchObject({ state: "completed", failures: 0, runNumber: 1 });
    expect(await recorded(own, id), name).toEqual(calls);
    // Only the step that was under way runs again.
    for (const round of [1, 2])
      for (const step of ["first", "second", "last"]) {
        const position = (round - 1) * 10 + { first: 1, second: 3, last: 10 }[step as "first"];
        const times = death.moment === "between" && death.position === position ? 2 : 1;
        expect(own.effects.count(`${name}.${step} ${round}`, "end"), `${name}: ${step} ${round}`).toBe(times);
      }
  }
  const { approvals } = await own.backend.approvals.list({ limit: 1_000 });
  expect(approvals.map(({ state, usedAtMs }) => state === "approved" && usedAtMs !== null)).toEqual(
    Array.from({ length: deaths.length + 1 }, () => true),
  );
  const children = (await own.backend.list({ type: "app.long-child", limit: 1_000 })).jobs;
  expect(children.length).toBe(4 * (deaths.length + 1));
}, 240_000);

test("several workers, one of them killed again and again: every job ends with the same result, each record once", async ({
  open,
}) => {
  const bench = await open();
  const own = await open({ folder: bench.folder, own: durableTypes(bench.folder), config: config() });
  const random = seeded(11);
  const steady = await own.spawn({ durable: true, concurrency: 3 });
  const never = { position: 0, moment: "before" } as const;
  const ids: string[] = [];
  for (let n = 0; n < 12; n++) ids.push(await submitLong(own, `job${n}`, never));
  for (let round = 0; round < 5; round++) {
    // So many attempts in one process that their records share pages.
    const killed = await own.spawn({ durable: true, concurrency: 8 });
    await new Promise((resolve) => setTimeout(resolve, 20 + random() * 150));
    await killed.kill();
  }
  const ends = await Promise.all(ids.map((id) => approvedAndSettled(own, id, 60_000)));
  const [first] = ends;
  for (const [n, end] of ends.entries()) {
    expect(end, `job${n}`).toMatchObject({ state: "completed", result: first?.result, failures: 0 });
    expect((await recorded(own, ids[n] ?? "")).length, `job${n}`).toBe(LONG_POSITIONS);
  }
  expect(steady.hasExited).toBe(false);
  expect((await own.backend.list({ type: "app.long-child", limit: 1_000 })).jobs.length).toBe(4 * ids.length);
}, 120_000);
