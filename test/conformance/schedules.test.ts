import { expect } from "vitest";
import { everyMinute, fire, jobs, MINUTE_MS, schedule, timed } from "../support/schedules.ts";
import { TESTER } from "../support/test.ts";
import { conformance } from "./backends.ts";

conformance("schedules", (test) => {
  test("a schedule makes one job for each slot, with its input and options, as the schedule that it is", async ({
    open,
  }) => {
    const { bench, clock } = await timed(open);
    await bench.worker();
    const options = { priority: 3, metadata: { of: "tick" }, timeout: "5s" } as const;
    expect(await schedule(bench, { options })).toBe("created");
    for (let minute = 1; minute <= 3; minute++) {
      await clock.advance(MINUTE_MS - 1);
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
    const { bench, clock } = await timed(open);
    await schedule(bench);
    expect(await schedule(bench)).toBe("unchanged");
    await expect(schedule(bench, { cron: "0 * * * *" })).rejects.toMatchObject({ code: "SCHEDULE_EXISTS" });
    await clock.advance(10 * MINUTE_MS);
    expect(await schedule(bench, { cron: "0 * * * *" }, true)).toBe("replaced");
    await fire(bench);
    expect(await jobs(bench)).toEqual([]);
    expect((await bench.backend.schedules.get("tick"))?.nextAtMs).toBe(Date.UTC(2026, 10, 21, 13));
  });

  test("schedules are listed, found by name and removed; their jobs stay", async ({ open }) => {
    const { bench, clock } = await timed(open);
    await bench.worker();
    await schedule(bench);
    await schedule(bench, { name: "other" });
    expect((await bench.backend.schedules.list()).map(({ name }) => name)).toEqual(["other", "tick"]);
    await clock.advance(MINUTE_MS);
    expect(await bench.backend.schedules.get("tick")).toMatchObject({
      ...everyMinute,
      paused: false,
      actor: TESTER,
      lastAtMs: clock.now(),
      nextAtMs: clock.now() + MINUTE_MS,
      lastJobId: expect.any(String),
    });
    expect(await bench.backend.schedules.remove("other")).toBe(true);
    expect(await bench.backend.schedules.remove("other")).toBe(false);
    expect(await bench.backend.schedules.get("other")).toBeUndefined();
    await clock.advance(MINUTE_MS);
    expect((await jobs(bench)).length).toBe(3);
  });

  test("a paused schedule fires nothing, and resumed it goes on from then", async ({ open }) => {
    const { bench, clock } = await timed(open);
    await bench.worker();
    await schedule(bench);
    expect(await bench.backend.schedules.setNext("tick", undefined)).toBe(true);
    expect(await bench.backend.schedules.get("tick")).toMatchObject({ paused: true, nextAtMs: null });
    await clock.advance(5 * MINUTE_MS);
    expect(await jobs(bench)).toEqual([]);
    await bench.backend.schedules.setNext("tick", clock.now() + MINUTE_MS);
    await clock.advance(MINUTE_MS);
    expect((await jobs(bench)).length).toBe(1);
    expect(await bench.backend.schedules.setNext("nobody", undefined)).toBe(false);
  });

  test("a slot is fired once by however many schedulers, also when they race and when one died in the middle", async ({
    open,
  }) => {
    const { bench, clock } = await timed(open);
    await schedule(bench, { overlap: "allow" });
    await clock.advance(MINUTE_MS);
    const [standing] = await bench.backend.schedules.due(clock.now());
    // As one that died after it made the job and before it could say so.
    const slot = { schedule: "tick", instantMs: standing?.nextAtMs ?? 0, missed: 0 };
    const first = await bench.accept("app.work", everyMinute.input, {}, { slot });
    await Promise.all([fire(bench), fire(bench), fire(bench)]);
    await fire(bench);
    expect((await jobs(bench)).map(({ jobId }) => jobId)).toEqual([first.jobId]);
    await clock.advance(MINUTE_MS);
    await Promise.all([fire(bench), fire(bench), fire(bench)]);
    expect((await jobs(bench)).length).toBe(2);
  });

  test("a clock that is set back fires no slot again", async ({ open }) => {
    const { bench, clock } = await timed(open);
    await bench.worker();
    await schedule(bench);
    await clock.advance(3 * MINUTE_MS);
    expect((await jobs(bench)).length).toBe(3);
    clock.jump(-2 * MINUTE_MS);
    await clock.advance(2 * MINUTE_MS);
    await fire(bench);
    expect((await jobs(bench)).length).toBe(3);
    await clock.advance(MINUTE_MS);
    expect((await jobs(bench)).length).toBe(4);
  });

  test("a slot whose job is refused for good is passed over, and one that finds the queue full is tried again", async ({
    open,
  }) => {
    const { bench, clock } = await timed(open, { types: [{ name: "app.work" }, { name: "app.full", queuedMax: 1 }] });
    const worker = await bench.worker();
    await schedule(bench, { name: "wrong", input: { nonsense: true } });
    await schedule(bench, { name: "full", type: "app.full", input: { name: "full" }, overlap: "allow" });
    const filler = await bench.submit("app.full", { name: "filler" }, { delay: "90s" });
    await clock.advance(MINUTE_MS);
    expect(worker.events).toContainEqual(
      expect.objectContaining({ kind: "problem", error: expect.objectContaining({ code: "INVALID_INPUT" }) }),
    );
    expect((await bench.backend.schedules.get("wrong"))?.nextAtMs).toBe(clock.now() + MINUTE_MS);
    expect((await jobs(bench)).map(({ jobId }) => jobId)).toEqual([filler]);
    await clock.advance(45_000);
    const made = (await jobs(bench)).filter(({ jobId }) => jobId !== filler);
    expect(made.length).toBe(1);
  });

  test("jobs of a schedule count as the strictest of it and who made it", async ({ open }) => {
    const { bench, clock } = await timed(open);
    const firstAtMs = clock.now() + MINUTE_MS;
    const script = { kind: "unattended", name: "nightly", via: "cli" } as const;
    await bench.backend.schedules.put(everyMinute, script, { replace: false, firstAtMs });
    await clock.advance(MINUTE_MS);
    await fire(bench);
    const [job] = await jobs(bench);
    expect((await bench.status(job?.jobId ?? "")).actor).toMatchObject({ kind: "unattended", name: "nightly" });
  });
});
