import { expect } from "vitest";
import { z } from "zod";
import { fireSchedules } from "../../src/backend/schedule-runner.ts";
import type { ScheduleSpec } from "../../src/backend/schedules.ts";
import { defineJob } from "../../src/job/definition.ts";
import { nextInstant, parseCron } from "../../src/schedule/cron.ts";
import { TestClock } from "../support/clock.ts";
import { type Bench, TESTER } from "../support/test.ts";
import { conformance } from "./backends.ts";

const MINUTE = 60_000;
const work = { name: "app.work", retries: 0 };
const everyMinute: ScheduleSpec = {
  name: "tick",
  cron: "* * * * *",
  timeZone: "UTC",
  type: "app.work",
  input: { name: "scheduled" },
  options: {},
  overlap: "skip",
  catchUp: "once",
};

async function schedule(bench: Bench, more: Partial<ScheduleSpec> = {}, replace = false): Promise<string> {
  const spec = { ...everyMinute, ...more };
  const firstAtMs = nextInstant(parseCron(spec.cron, spec.timeZone), bench.windlass.clock.now()) ?? 0;
  return bench.backend.schedules.put(spec, TESTER, { replace, firstAtMs });
}

async function jobs(bench: Bench): Promise<readonly { jobId: string; state: string }[]> {
  return (await bench.backend.list({ limit: 100 })).jobs.toReversed();
}

/** Fires what is due as a scheduler does, beside whatever worker there is. */
function fire(bench: Bench): Promise<void> {
  return fireSchedules({
    backend: bench.backend,
    submit: bench.windlass.submit,
    clock: bench.windlass.clock,
    graceMs: 21_000,
    onError: (_, error) => expect.fail(String(error)),
  });
}

/** The next slots of a schedule that fire, one after the other. */
async function slots(bench: Bench, clock: TestClock, name: string, count: number): Promise<readonly string[]> {
  const fired: string[] = [];
  while (fired.length < count) {
    const { nextAtMs, lastJobId } = (await bench.backend.schedules.get(name)) ?? {};
    if (nextAtMs == null) break;
    if (lastJobId != null) await bench.cancel(lastJobId);
    clock.jump(nextAtMs - clock.now());
    await fire(bench);
    const made = (await bench.backend.schedules.get(name))?.lastJobId ?? "";
    const [first] = await bench.backend.history(made);
    if (made !== lastJobId) fired.push(new Date(Number(first?.data["slot_at"])).toISOString().replace(":00.000Z", "Z"));
  }
  return fired;
}

conformance("schedules", (test) => {
  test("a schedule makes one job for each slot, with its input and options, as the schedule that it is", async ({
    open,
  }) => {
    const clock = new TestClock();
    const bench = await open({ types: [work], clock });
    await bench.worker();
    const options = { priority: 3, metadata: { of: "tick" }, timeout: "5s" } as const;
    expect(await schedule(bench, { options })).toBe("created");
    for (let minute = 1; minute <= 3; minute++) {
      await clock.advance(MINUTE - 1);
      expect((await jobs(bench)).length).toBe(minute - 1);
      await clock.advance(1);
      expect((await jobs(bench)).length).toBe(minute);
    }
    const [first] = await jobs(bench);
    expect(await bench.status(first?.jobId ?? "")).toMatchObject({
      state: "completed",
      priority: 3,
      metadata: { of: "tick" },
      timeoutMs: 5_000,
      actor: { kind: "schedule", name: "tick" },
    });
  });

  test("the same content again changes nothing; other content is refused, or replaces and starts from now", async ({
    open,
  }) => {
    const clock = new TestClock();
    const bench = await open({ types: [work], clock });
    await schedule(bench);
    expect(await schedule(bench)).toBe("unchanged");
    await expect(schedule(bench, { cron: "0 * * * *" })).rejects.toMatchObject({ code: "SCHEDULE_EXISTS" });
    await clock.advance(10 * MINUTE);
    expect(await schedule(bench, { cron: "0 * * * *" }, true)).toBe("replaced");
    await fire(bench);
    expect(await jobs(bench)).toEqual([]);
    expect((await bench.backend.schedules.get("tick"))?.nextAtMs).toBe(Date.UTC(2026, 10, 21, 13));
  });

  test("schedules are listed, found by name and removed; their jobs stay", async ({ open }) => {
    const clock = new TestClock();
    const bench = await open({ types: [work], clock });
    await bench.worker();
    await schedule(bench);
    await schedule(bench, { name: "other" });
    expect((await bench.backend.schedules.list()).map(({ name }) => name)).toEqual(["other", "tick"]);
    await clock.advance(MINUTE);
    expect(await bench.backend.schedules.get("tick")).toMatchObject({
      ...everyMinute,
      paused: false,
      actor: TESTER,
      lastAtMs: clock.now(),
      nextAtMs: clock.now() + MINUTE,
      lastJobId: expect.any(String),
    });
    expect(await bench.backend.schedules.remove("other")).toBe(true);
    expect(await bench.backend.schedules.remove("other")).toBe(false);
    expect(await bench.backend.schedules.get("other")).toBeUndefined();
    await clock.advance(MINUTE);
    expect((await jobs(bench)).length).toBe(3);
  });

  test("a paused schedule fires nothing, and resumed it goes on from then", async ({ open }) => {
    const clock = new TestClock();
    const bench = await open({ types: [work], clock });
    await bench.worker();
    await schedule(bench);
    expect(await bench.backend.schedules.setNext("tick", undefined)).toBe(true);
    expect(await bench.backend.schedules.get("tick")).toMatchObject({ paused: true, nextAtMs: null });
    await clock.advance(5 * MINUTE);
    expect(await jobs(bench)).toEqual([]);
    await bench.backend.schedules.setNext("tick", clock.now() + MINUTE);
    await clock.advance(MINUTE);
    expect((await jobs(bench)).length).toBe(1);
    expect(await bench.backend.schedules.setNext("nobody", undefined)).toBe(false);
  });

  test("a slot is fired once by however many schedulers, also when they race and when one died in the middle", async ({
    open,
  }) => {
    const clock = new TestClock();
    const bench = await open({ types: [work], clock });
    await schedule(bench, { overlap: "allow" });
    await clock.advance(MINUTE);
    const [standing] = await bench.backend.schedules.due(clock.now());
    // As one that died after it made the job and before it could say so.
    const slot = { schedule: "tick", instantMs: standing?.nextAtMs ?? 0, missed: 0 };
    const first = await bench.accept("app.work", everyMinute.input, {}, { slot });
    await Promise.all([fire(bench), fire(bench), fire(bench)]);
    await fire(bench);
    expect((await jobs(bench)).map(({ jobId }) => jobId)).toEqual([first.jobId]);
    await clock.advance(MINUTE);
    await Promise.all([fire(bench), fire(bench), fire(bench)]);
    expect((await jobs(bench)).length).toBe(2);
  });

  test("a clock that is set back fires no slot again", async ({ open }) => {
    const clock = new TestClock();
    const bench = await open({ types: [work], clock });
    await bench.worker();
    await schedule(bench);
    await clock.advance(3 * MINUTE);
    expect((await jobs(bench)).length).toBe(3);
    clock.jump(-2 * MINUTE);
    await clock.advance(2 * MINUTE);
    await fire(bench);
    expect((await jobs(bench)).length).toBe(3);
    await clock.advance(MINUTE);
    expect((await jobs(bench)).length).toBe(4);
  });

  test("overlap skip: nothing fires while the job of the slot before is unfinished", async ({ open }) => {
    const clock = new TestClock();
    const bench = await open({ types: [work], clock });
    await bench.worker();
    await schedule(bench, { input: { name: "scheduled", hold: true } });
    await clock.advance(3 * MINUTE);
    expect((await jobs(bench)).map(({ state }) => state)).toEqual(["running"]);
    bench.effects.release("scheduled");
    await bench.settled((await jobs(bench))[0]?.jobId ?? "");
    await clock.advance(MINUTE);
    expect((await jobs(bench)).length).toBe(2);
  });

  test("overlap allow: every slot fires", async ({ open }) => {
    const clock = new TestClock();
    const bench = await open({ types: [work], clock });
    await bench.worker();
    await schedule(bench, { overlap: "allow", input: { name: "scheduled", hold: true } });
    await clock.advance(3 * MINUTE);
    expect((await jobs(bench)).map(({ state }) => state)).toEqual(["running", "running", "running"]);
  });

  test("overlap cancel-previous: the newest runs and the one before is cancelled", async ({ open }) => {
    const clock = new TestClock();
    const bench = await open({ types: [work], clock });
    await bench.worker();
    await schedule(bench, { overlap: "cancel-previous", input: { name: "scheduled", hold: true } });
    await clock.advance(3 * MINUTE);
    expect((await jobs(bench)).map(({ state }) => state)).toEqual(["cancelled", "cancelled", "running"]);
  });

  test("overlap cancel-previous: a second scheduler does not take the new job for the one before", async ({ open }) => {
    const clock = new TestClock();
    const bench = await open({ types: [work], clock });
    await schedule(bench, { overlap: "cancel-previous" });
    await clock.advance(MINUTE);
    const [standing] = await bench.backend.schedules.due(clock.now());
    // The other has made the job of this slot and has not yet moved the schedule on.
    const slot = { schedule: "tick", instantMs: standing?.nextAtMs ?? 0, missed: 0 };
    const { jobId } = await bench.accept("app.work", everyMinute.input, {}, { slot });
    await fire(bench);
    expect((await bench.status(jobId)).state).toBe("queued");
    expect((await bench.backend.schedules.get("tick"))?.nextAtMs).toBe(clock.now() + MINUTE);
  });

  test("catch-up once: one job stands for all slots that nobody was there to fire", async ({ open }) => {
    const clock = new TestClock();
    const bench = await open({ types: [work], clock });
    await schedule(bench);
    await clock.advance(10 * MINUTE + 30_000);
    await fire(bench);
    await fire(bench);
    const [caughtUp, ...others] = await jobs(bench);
    expect(others).toEqual([]);
    const slot_at = clock.now() - 30_000;
    const [made] = await bench.backend.history(caughtUp?.jobId ?? "");
    expect(made?.data).toEqual({ schedule: "tick", slot_at, missed_slots: 10 });
    await bench.cancel(caughtUp?.jobId ?? "");
    await clock.advance(30_000);
    await fire(bench);
    const [, onTime] = await jobs(bench);
    const [next] = await bench.backend.history(onTime?.jobId ?? "");
    expect(next?.data).toEqual({ schedule: "tick", slot_at: clock.now(), missed_slots: 0 });
  });

  test("catch-up skip: what nobody was there to fire is not made up for", async ({ open }) => {
    const clock = new TestClock();
    const bench = await open({ types: [work], clock });
    await schedule(bench, { catchUp: "skip" });
    await clock.advance(10 * MINUTE + 30_000);
    await fire(bench);
    expect(await jobs(bench)).toEqual([]);
    expect((await bench.backend.schedules.get("tick"))?.nextAtMs).toBe(clock.now() + 30_000);
  });

  test("a slot whose job is refused for good is passed over, and one that finds the queue full is tried again", async ({
    open,
  }) => {
    const clock = new TestClock();
    const bench = await open({ types: [work, { name: "app.full", queuedMax: 1 }], clock });
    const worker = await bench.worker();
    await schedule(bench, { name: "wrong", input: { nonsense: true } });
    await schedule(bench, { name: "full", type: "app.full", input: { name: "full" }, overlap: "allow" });
    const filler = await bench.submit("app.full", { name: "filler" }, { delay: "90s" });
    await clock.advance(MINUTE);
    expect(worker.events).toContainEqual(
      expect.objectContaining({ kind: "problem", error: expect.objectContaining({ code: "INVALID_INPUT" }) }),
    );
    expect((await bench.backend.schedules.get("wrong"))?.nextAtMs).toBe(clock.now() + MINUTE);
    expect((await jobs(bench)).map(({ jobId }) => jobId)).toEqual([filler]);
    await clock.advance(45_000);
    const made = (await jobs(bench)).filter(({ jobId }) => jobId !== filler);
    expect(made.length).toBe(1);
  });

  test("a fixed time of day keeps its local hour in its time zone", async ({ open }) => {
    const clock = new TestClock(Date.UTC(2026, 9, 24, 12));
    const bench = await open({ types: [work], clock });
    await schedule(bench, { cron: "30 2 * * *", timeZone: "Europe/Berlin" });
    // The clock goes back in the night to the 25th: 02:30 comes twice and fires once, the first time.
    expect((await bench.backend.schedules.get("tick"))?.nextAtMs).toBe(Date.UTC(2026, 9, 25, 0, 30));
    clock.jump(13 * 3_600_000);
    await fire(bench);
    expect((await bench.backend.schedules.get("tick"))?.nextAtMs).toBe(Date.UTC(2026, 9, 26, 1, 30));
    expect((await jobs(bench)).length).toBe(1);
  });

  test("in the spring gap a fixed time fires once, at the first instant after it; a star keeps its pace", async ({
    open,
  }) => {
    // The clock goes from 02:00 to 03:00 in the night to the 29th, at 01:00 UTC.
    const clock = new TestClock(Date.UTC(2026, 2, 28, 12));
    const bench = await open({ types: [work], clock });
    await schedule(bench, { name: "fixed", cron: "30 2 * * *", timeZone: "Europe/Berlin" });
    expect(await slots(bench, clock, "fixed", 2)).toEqual(["2026-03-29T01:00Z", "2026-03-30T00:30Z"]);
    clock.jump(Date.UTC(2026, 2, 29) - clock.now());
    await schedule(bench, { name: "again", cron: "30 * * * *", timeZone: "Europe/Berlin", overlap: "allow" });
    expect(await slots(bench, clock, "again", 3)).toEqual([
      "2026-03-29T00:30Z",
      "2026-03-29T01:30Z",
      "2026-03-29T02:30Z",
    ]);
  });

  test("when the clock goes back a fixed time fires once and a star at each real interval", async ({ open }) => {
    // From 03:00 to 02:00 in the night to the 25th, at 01:00 UTC.
    const clock = new TestClock(Date.UTC(2026, 9, 25) - 1);
    const bench = await open({ types: [work], clock });
    await schedule(bench, { name: "star", cron: "0,30 * * * *", timeZone: "Europe/Berlin", overlap: "allow" });
    expect(await slots(bench, clock, "star", 5)).toEqual([
      "2026-10-25T00:00Z",
      "2026-10-25T00:30Z",
      "2026-10-25T01:00Z",
      "2026-10-25T01:30Z",
      "2026-10-25T02:00Z",
    ]);
    clock.jump(Date.UTC(2026, 9, 24, 22) - clock.now());
    await schedule(bench, { name: "fixed", cron: "30 2 * * *", timeZone: "Europe/Berlin" });
    expect(await slots(bench, clock, "fixed", 2)).toEqual(["2026-10-25T00:30Z", "2026-10-26T01:30Z"]);
  });

  test("a cron line of a type makes a schedule named after it when a worker starts", async ({ open }) => {
    const clock = new TestClock();
    const ran: number[] = [];
    const timed = defineJob({
      name: "app.timed",
      input: z.strictObject({ n: z.number().default(7) }),
      cron: { expression: "* * * * *", timeZone: "Europe/Berlin" },
      run: ({ n }) => void ran.push(n),
    });
    const bench = await open({ own: [timed], clock });
    await bench.worker();
    await clock.advance(0);
    expect(await bench.backend.schedules.get("app.timed")).toMatchObject({
      cron: "* * * * *",
      timeZone: "Europe/Berlin",
      type: "app.timed",
    });
    await clock.advance(2 * MINUTE);
    expect(ran).toEqual([7, 7]);
    await bench.worker();
    await clock.advance(MINUTE);
    expect(ran).toEqual([7, 7, 7]);
  });

  test("a cron line that a type changes or gives up is changed or gone when a worker starts, and nobody else's is touched", async ({
    open,
  }) => {
    const clock = new TestClock();
    const timed = (cron?: string) =>
      defineJob({
        name: "app.timed",
        input: z.strictObject({}),
        run: () => 1,
        ...(cron === undefined ? {} : { cron }),
      });
    const first = await open({ own: [timed("* * * * *")], types: [work], clock });
    await first.worker();
    await schedule(first, { name: "app.work" });
    await clock.advance(30_000);
    const second = await open({ own: [timed("0 * * * *")], types: [work], clock, folder: first.folder });
    await second.worker();
    expect(await second.backend.schedules.get("app.timed")).toMatchObject({
      cron: "0 * * * *",
      nextAtMs: Date.UTC(2026, 10, 21, 13),
    });
    const third = await open({ own: [timed()], types: [work], clock, folder: first.folder });
    await third.worker();
    expect((await third.backend.schedules.list()).map(({ name }) => name)).toEqual(["app.work"]);
  });

  test("a cron line of a type that does not take an empty input is refused when its worker starts", async ({
    open,
  }) => {
    const timed = defineJob({
      name: "app.timed",
      input: z.strictObject({ n: z.number() }),
      cron: "* * * * *",
      run: () => 1,
    });
    const bench = await open({ own: [timed] });
    await expect(bench.worker()).rejects.toMatchObject({ code: "INVALID_DEFINITION" });
  });

  test("jobs of a schedule count as the strictest of it and who made it", async ({ open }) => {
    const clock = new TestClock();
    const bench = await open({ types: [work], clock });
    const firstAtMs = clock.now() + MINUTE;
    const script = { kind: "unattended", name: "nightly", via: "cli" } as const;
    await bench.backend.schedules.put(everyMinute, script, { replace: false, firstAtMs });
    await clock.advance(MINUTE);
    await fire(bench);
    const [job] = await jobs(bench);
    expect((await bench.status(job?.jobId ?? "")).actor).toMatchObject({ kind: "unattended", name: "nightly" });
  });
});
