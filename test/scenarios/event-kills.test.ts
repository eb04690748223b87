import { DatabaseSync } from "node:sqlite";
import { expect } from "vitest";
import { durable, emitted } from "../support/durable.ts";
import { checkRounds, countAnswers, type Round, RoundEmitter, submitRounds } from "../support/event-rounds.ts";
import { pairJob } from "../support/pair-job.ts";
import { seeded } from "../support/random.ts";
import { EMBEDDED, TESTER, testOn } from "../support/test.ts";

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

test("an event that thousands wait for, whose emitter is killed between two commits that give it: a worker goes on, each job has it once, and the next event comes after it", async ({
  open,
}) => {
  const many = 3_000;
  const job = durable(async (ctx) => [await ctx.waitFor("go"), await ctx.waitFor("go")]);
  const bench = await open({ own: [job] });
  const first = await bench.worker({ concurrency: 200 });
  const jobs = await bench.windlass.submit.submit(
    Array.from({ length: many }, () => ({ type: "app.durable", input: {}, options: {}, actor: TESTER })),
  );
  for (const { jobId } of jobs) await bench.reaches(jobId, ({ state }) => state === "waiting");
  await first.stop({ graceMs: 0 });

  const emitter = bench.start({ gives: "go" });
  expect(await emitter.exit()).toEqual({ code: null, signal: "SIGKILL" });
  const db = new DatabaseSync(bench.databasePath, { readOnly: true });
  const { given } = db.prepare("SELECT given FROM event WHERE upto IS NOT NULL").get() as { given: number };
  db.close();
  expect(given).toBeGreaterThan(0);
  expect(given).toBeLessThan(many);

  // It was stored, whether or not its emitter was told; the next one may not overtake it.
  expect(await emitted(bench, "go", { n: 1 }, "e-1")).toMatchObject({ existing: true });
  expect(await emitted(bench, "go", { n: 2 }, "e-2")).toMatchObject({ existing: false });
  await bench.worker({ concurrency: 200 });
  for (const { jobId } of jobs)
    expect((await bench.settled(jobId, 60_000)).result, jobId).toEqual([{ n: 1 }, { n: 2 }]);
}, 120_000);
