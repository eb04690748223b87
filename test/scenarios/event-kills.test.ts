import { DatabaseSync } from "node:sqlite";
import { expect } from "vitest";
import { durable, emitted } from "../support/durable.ts";
import { checkRounds, countAnswers, type Round, RoundEmitter, submitRounds } from "../support/event-rounds.ts";
import { pairJob } from "../support/pair-job.ts";
import { seeded } from "../support/random.ts";
import { type Bench, EMBEDDED, type Open, TESTER, testOn } from "../support/test.ts";

const test = testOn(EMBEDDED);
const SEED = Number(process.env["SEED"] ?? 1);
/** `npm run torture` makes 100. */
const KILLS = Number(process.env["EVENT_KILLS"] ?? 6);
/** Rounds whose events come around one kill, and how many milliseconds around it. */
const OF_A_KILL = 10;
const AROUND_MS = 40;

test(`events that come while a worker is killed, ${KILLS} times: none lost, none doubled, in their order`, {
  timeout: 60_000 + KILLS * 2_000,
}, async ({ open }) => {
  const bench = await open({ own: [pairJob], config: { "job.crashes_max": 100 } });
  const random = seeded(SEED);
  const emitter = new RoundEmitter();
  const rounds: Round[] = [];
  const within = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, random() * ms));
  for (let kill = 0; kill < KILLS; kill++) {
    const victim = await bench.spawn({ durable: true, concurrency: 2 * OF_A_KILL });
    const made = await submitRounds(bench, rounds.length, OF_A_KILL);
    rounds.push(...made);
    // Every other time some of them wait already.
    const ids = new Set(made.map(({ jobId }) => jobId));
    if (kill % 2 === 1)
      await victim.says(({ event }) => event?.kind === "suspended" && ids.has(event.jobId), "that one of them waits");
    const emissions = made.map(async ({ n }) => {
      for (const event of [0, 1]) {
        await within(AROUND_MS);
        await emitter.emit(bench, { n, event });
      }
    });
    await within(2 * AROUND_MS);
    await Promise.all([victim.kill(), ...emissions]);
  }
  await bench.spawn({ durable: true });
  const replay = `EVENT_KILLS=${KILLS} SEED=${SEED} npx vitest run test/scenarios/event-kills.test.ts`;
  await checkRounds(bench, rounds, replay);
  const answers = countAnswers(bench);
  if (process.env["EVENT_KILLS"] !== undefined) console.log(`${KILLS} kills, ${rounds.length} rounds:`, answers);
  expect(Math.min(answers.atOnce, answers.later)).toBeGreaterThan(0);
});

const MANY = 2_500;

/** Jobs that wait for two events, of which an emitter gave the first to some before it was killed; nobody works. */
async function halfGiven(open: Open): Promise<{ readonly bench: Bench; readonly ids: readonly string[] }> {
  const job = durable(async (ctx) => [await ctx.waitFor("go"), await ctx.waitFor("go")]);
  const bench = await open({ own: [job] });
  const first = await bench.worker({ concurrency: 200 });
  const jobs = await bench.windlass.submit.submit(
    Array.from({ length: MANY }, () => ({ type: "app.durable", input: {}, options: {}, actor: TESTER })),
  );
  const ids = jobs.map(({ jobId }) => jobId);
  for (const id of ids) await bench.reaches(id, ({ state }) => state === "waiting");
  await first.stop({ graceMs: 0 });
  const emitter = bench.start({ gives: "go" });
  expect(await emitter.exit()).toEqual({ code: null, signal: "SIGKILL" });
  const { given, open: isOpen } = firstEvent(bench);
  expect({ isOpen, some: given > 0, all: given === MANY }).toEqual({ isOpen: true, some: true, all: false });
  return { bench, ids };
}

function firstEvent(bench: Bench): { readonly given: number; readonly open: boolean } {
  const db = new DatabaseSync(bench.databasePath, { readOnly: true });
  const row = db.prepare("SELECT given, upto FROM event ORDER BY id LIMIT 1").get();
  db.close();
  return { given: Number(row?.["given"]), open: row?.["upto"] !== null };
}

test("an event that thousands wait for, whose emitter is killed between two commits that give it: any worker goes on, and each job has it once", async ({
  open,
}) => {
  const { bench, ids } = await halfGiven(open);
  await bench.worker({ concurrency: 200 });
  // All of them wait for the second one now.
  for (const id of ids) await bench.reaches(id, ({ state, attempt }) => state === "waiting" && attempt === 2);
  expect(firstEvent(bench)).toEqual({ given: MANY, open: false });
  expect(await emitted(bench, "go", { n: 1 }, "e-1")).toMatchObject({ existing: true });
  expect(await emitted(bench, "go", { n: 2 }, "e-2")).toMatchObject({ existing: false, given: MANY });
  for (const id of ids) expect((await bench.settled(id, 60_000)).result, id).toEqual([{ n: 1 }, { n: 2 }]);
}, 120_000);

test("the next event of the name does not overtake one whose emitter was killed in the middle", async ({ open }) => {
  const { bench, ids } = await halfGiven(open);
  expect(await emitted(bench, "go", { n: 2 }, "e-2")).toMatchObject({ existing: false });
  expect(firstEvent(bench)).toEqual({ given: MANY, open: false });
  await bench.worker({ concurrency: 200 });
  for (const id of ids) expect((await bench.settled(id, 60_000)).result, id).toEqual([{ n: 1 }, { n: 2 }]);
}, 120_000);
