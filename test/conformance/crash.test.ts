import { expect } from "vitest";
import type { Bench } from "../support/test.ts";
import { conformance } from "./backends.ts";

const rerun = { name: "app.rerun", backoff: { first: "10ms", jitter: 0 } };
const check = { name: "app.check", afterCrash: "check", checks: true, backoff: { first: "10ms", jitter: 0 } } as const;
const unchecked = { name: "app.unchecked", afterCrash: "check" } as const;
const stop = { name: "app.stop", afterCrash: "stop" } as const;
const table = {
  name: "app.table",
  afterCrash: { field: "rule", cases: { safe: "rerun" }, otherwise: "stop" },
} as const;
const types = [rerun, check, unchecked, stop, table];

/** Submits jobs to a worker, kills it when they all have started, and starts another. */
async function loseWorker(
  bench: Bench,
  jobs: readonly (readonly [type: string, input: { name: string }])[],
): Promise<readonly string[]> {
  const first = await bench.spawn({ concurrency: 20 });
  const ids = await Promise.all(jobs.map(([type, input]) => bench.submit(type, { holds: 1, ...input })));
  await Promise.all(jobs.map(([, { name }]) => bench.effects.seen(name, "start")));
  await first.kill();
  await bench.worker();
  return ids;
}

conformance("crashes", (test) => {
  test("a job whose worker is killed is finished by another, once, within the promised time", async ({ open }) => {
    const bench = await open({ types });
    const first = await bench.spawn();
    await bench.worker({ concurrency: 1 });
    // The second worker is busy; the first has the job.
    const ids = await Promise.all(["a", "b"].map((name) => bench.submit("app.rerun", { name, holds: 1 })));
    const starts = await Promise.all(["a", "b"].map((name) => bench.effects.seen(name, "start")));
    const mine = starts.filter(({ pid }) => pid === process.pid).map(({ name }) => name);
    for (const name of mine) bench.effects.release(name);
    const killedMs = Date.now();
    await first.kill();
    for (const id of ids) expect((await bench.settled(id)).state).toBe("completed");
    for (const { name } of starts.filter(({ pid }) => pid === first.pid)) {
      const [, again] = bench.effects.of(name, "start");
      expect((again?.atMs ?? 0) - killedMs).toBeLessThan(bench.backend.capabilities.crashNoticedMs);
      expect(bench.effects.count(name, "end")).toBe(1);
    }
  });

  test.concurrent("a crash is no failure: both are counted apart, and its history says who lost it", async ({
    open,
  }) => {
    const bench = await open({ types });
    const [id = ""] = await loseWorker(bench, [["app.rerun", { name: "a", fails: 2 } as { name: string }]]);
    expect(await bench.settled(id)).toMatchObject({ state: "completed", attempt: 3, failures: 1, crashes: 1 });
    const reclaimed = (await bench.backend.history(id)).find(({ event }) => event === "lease.reclaimed");
    expect(reclaimed?.data).toMatchObject({ attempt: 1, reason: "dead", crashes: 1, became: "again" });
  });

  test.concurrent("each crash rule: rerun runs again, check asks first, stop and an unanswerable check never run blindly", async ({
    open,
  }) => {
    const bench = await open({ types });
    const [again = "", undone = "", unanswered = "", stopped = "", safe = "", other = "", odd = ""] = await loseWorker(
      bench,
      [
        ["app.rerun", { name: "rerun" }],
        ["app.check", { name: "undone" }],
        ["app.unchecked", { name: "unanswered" }],
        ["app.stop", { name: "stopped" }],
        ["app.table", { name: "safe", rule: "safe" } as { name: string }],
        ["app.table", { name: "other", rule: "unheard-of" } as { name: string }],
        ["app.table", { name: "odd", rule: "constructor" } as { name: string }],
      ],
    );
    const unknown = { state: "failed", outcome: "unknown", error: { code: "OUTCOME_UNKNOWN" } };
    expect(await bench.settled(again)).toMatchObject({ state: "completed", attempt: 2, crashes: 1 });
    expect(await bench.settled(undone)).toMatchObject({ state: "completed", attempt: 2, outcome: null });
    expect(bench.effects.of("undone").map(({ event }) => event)).toEqual(["start", "check", "start", "end"]);
    for (const id of [unanswered, stopped, other, odd]) expect(await bench.settled(id)).toMatchObject(unknown);
    expect((await bench.settled(safe)).state).toBe("completed");
    for (const name of ["unanswered", "stopped", "other", "odd"]) expect(bench.effects.count(name, "start")).toBe(1);
  });

  test.concurrent("work that turns out to be done already is skipped, and its result is the check's", async ({
    open,
  }) => {
    const bench = await open({ types });
    const first = await bench.spawn();
    const id = await bench.submit("app.check", { name: "a", holds: 1 });
    const started = await bench.effects.seen("a", "start");
    await bench.freeze(first);
    // It had done its work, and died before it could say so.
    bench.effects.append({ ...started, event: "end" });
    await first.kill();
    await bench.worker();
    expect(await bench.settled(id)).toMatchObject({
      state: "completed",
      outcome: "skipped",
      result: { name: "a", checked: true },
    });
    expect(bench.effects.count("a", "start")).toBe(1);
  });

  test.concurrent("a check that fails is asked again, and nothing runs before it has answered", async ({ open }) => {
    const bench = await open({ types });
    const [id = ""] = await loseWorker(bench, [["app.check", { name: "a", checkFails: 2 } as { name: string }]]);
    expect(await bench.settled(id)).toMatchObject({ state: "completed", failures: 2, crashes: 1 });
    expect(bench.effects.of("a").map(({ event }) => event)).toEqual([
      "start",
      "check",
      "check",
      "check",
      "start",
      "end",
    ]);
  });

  test.concurrent("no type may say that work of unknown outcome should be done again", async ({ open }) => {
    const eager = { name: "app.eager", afterCrash: "check", retryableOnly: "", retries: 5 } as const;
    const bench = await open({ types: [eager] });
    const [id = ""] = await loseWorker(bench, [["app.eager", { name: "a" }]]);
    expect(await bench.settled(id)).toMatchObject({ state: "failed", error: { code: "OUTCOME_UNKNOWN" } });
    expect(bench.effects.count("a", "start")).toBe(1);
  });

  test.concurrent("a handler that lost sight of its work is looked for by its check, where its type has one", async ({
    open,
  }) => {
    const seeing = { name: "app.seeing", afterCrash: "check", checks: true, backoff: { first: "10ms" } } as const;
    const bench = await open({ types: [seeing, { ...seeing, name: "app.blind", afterCrash: "stop" }] });
    await bench.worker();
    const lost = { fails: 1, code: "OUTCOME_UNKNOWN" };
    const again = await bench.submit("app.seeing", { name: "again", ...lost });
    const blind = await bench.submit("app.blind", { name: "blind", ...lost });
    expect(await bench.settled(again)).toMatchObject({ state: "completed", attempt: 2, failures: 1 });
    expect(bench.effects.of("again").map(({ event }) => event)).toEqual(["start", "failed", "check", "start", "end"]);
    expect(await bench.settled(blind)).toMatchObject({ state: "failed", outcome: "unknown", attempt: 1 });
    const given = await bench.submit("app.seeing", { name: "given", ...lost, fails: 9 }, { retries: 1 });
    expect(await bench.settled(given)).toMatchObject({ state: "failed", outcome: "unknown", attempt: 2 });
  });

  test.concurrent("a call may be stricter than its type and not laxer, unless the type leaves it to the caller", async ({
    open,
  }) => {
    const free = { ...stop, name: "app.free", afterCrashByCaller: true };
    const bench = await open({ types: [...types, free] });
    const first = await bench.spawn();
    const stricter = await bench.submit("app.rerun", { name: "stricter", holds: 1 }, { afterCrash: "stop" });
    const freed = await bench.submit("app.free", { name: "freed", holds: 1 }, { afterCrash: "rerun" });
    await expect(bench.submit("app.stop", { name: "laxer" }, { afterCrash: "rerun" })).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: "after_crash is rerun; app.stop has stop and a call may only be stricter",
    });
    await Promise.all(["stricter", "freed"].map((name) => bench.effects.seen(name, "start")));
    await first.kill();
    await bench.worker();
    expect(await bench.settled(stricter)).toMatchObject({ error: { code: "OUTCOME_UNKNOWN" } });
    expect((await bench.settled(freed)).state).toBe("completed");
  });

  test.concurrent("a job that kills its workers fails after the allowed crashes, and takes none of its neighbours with it", async ({
    open,
  }) => {
    const bench = await open({ types, config: { "job.crashes_max": 2 } });
    const names = ["n1", "n2", "n3"];
    const neighbours = await Promise.all(names.map((name) => bench.submit("app.rerun", { name, hold: true })));
    const poison = await bench.submit("app.rerun", { name: "poison", dies: 99 });
    // One more than it may kill; whichever has it dies.
    await Promise.all(Array.from({ length: 4 }, () => bench.spawn({ concurrency: 4 })));
    expect(await bench.settled(poison, 20_000)).toMatchObject({
      state: "failed",
      attempt: 3,
      crashes: 3,
      failures: 0,
      error: { code: "CRASHED", message: expect.stringContaining("job.crashes_max is 2") },
    });
    for (const name of names) bench.effects.release(name);
    for (const id of neighbours) expect((await bench.settled(id)).state).toBe("completed");
    expect(bench.effects.count("poison", "start")).toBe(3);
  });

  test.concurrent("a job that was to be cancelled when its worker died is cancelled, whatever its crash rule", async ({
    open,
  }) => {
    const bench = await open({ types });
    const first = await bench.spawn();
    const ids = await Promise.all(
      (["app.rerun", "app.check", "app.stop"] as const).map((type) =>
        bench.submit(type, { name: type, hold: true, deaf: true }),
      ),
    );
    await Promise.all(["app.rerun", "app.check", "app.stop"].map((name) => bench.effects.seen(name, "start")));
    for (const id of ids) expect(await bench.cancel(id)).toEqual({ kind: "requested" });
    await first.kill();
    await bench.worker();
    for (const id of ids) expect(await bench.settled(id)).toMatchObject({ state: "cancelled", attempt: 1 });
  });

  test.concurrent("a job that had started does not expire when its worker dies", async ({ open }) => {
    const bench = await open({ types });
    const first = await bench.spawn();
    const id = await bench.submit("app.rerun", { name: "a", holds: 1 }, { expiresIn: "3s" });
    await bench.effects.seen("a", "start");
    const expiresMs = (await bench.status(id)).dueAtMs + 3_000;
    await first.kill();
    await bench.reaches(id, () => Date.now() > expiresMs);
    await bench.worker();
    expect(await bench.settled(id)).toMatchObject({ state: "completed", attempt: 2, crashes: 1 });
  });

  test.concurrent("a job whose deadline passed while its worker was dead is not run again", async ({ open }) => {
    const bench = await open({ types: [rerun, { name: "app.other" }] });
    const first = await bench.spawn();
    const id = await bench.submit("app.rerun", { name: "a", hold: true }, { deadline: "3s" });
    await bench.effects.seen("a", "start");
    await bench.freeze(first);
    const dueMs = (await bench.status(id)).queuedAtMs + 3_000;
    await bench.worker({ claims: false });
    await bench.reaches(id, () => Date.now() > dueMs);
    await first.kill();
    // Nobody here serves its type; the deadline holds all the same.
    await bench.spawn({ types: [{ name: "app.other" }] });
    expect(await bench.settled(id)).toMatchObject({ state: "failed", error: { code: "DEADLINE_EXCEEDED" } });
    expect(bench.effects.count("a", "start")).toBe(1);
  });
});
