import { expect } from "vitest";
import { everyMinute, fire, jobs, MINUTE_MS, schedule, timed } from "../support/schedules.ts";
import { conformance } from "./backends.ts";

conformance("schedules whose slots meet or were missed", (test) => {
  test("overlap skip: nothing fires while the job of the slot before is unfinished", async ({ open }) => {
    const { bench, clock } = await timed(open);
    await bench.worker();
    await schedule(bench, { input: { name: "scheduled", hold: true } });
    await clock.advance(3 * MINUTE_MS);
    expect((await jobs(bench)).map(({ state }) => state)).toEqual(["running"]);
    bench.effects.release("scheduled");
    await bench.settled((await jobs(bench))[0]?.jobId ?? "");
    await clock.advance(MINUTE_MS);
    expect((await jobs(bench)).length).toBe(2);
  });

  test("overlap allow: every slot fires", async ({ open }) => {
    const { bench, clock } = await timed(open);
    await bench.worker();
    await schedule(bench, { overlap: "allow", input: { name: "scheduled", hold: true } });
    await clock.advance(3 * MINUTE_MS);
    expect((await jobs(bench)).map(({ state }) => state)).toEqual(["running", "running", "running"]);
  });

  test("overlap cancel-previous: the newest runs and the one before is cancelled", async ({ open }) => {
    const { bench, clock } = await timed(open);
    await bench.worker();
    await schedule(bench, { overlap: "cancel-previous", input: { name: "scheduled", hold: true } });
    await clock.advance(3 * MINUTE_MS);
    expect((await jobs(bench)).map(({ state }) => state)).toEqual(["cancelled", "cancelled", "running"]);
  });

  test("overlap cancel-previous: a second scheduler does not take the new job for the one before", async ({ open }) => {
    const { bench, clock } = await timed(open);
    await schedule(bench, { overlap: "cancel-previous" });
    await clock.advance(MINUTE_MS);
    const [standing] = await bench.backend.schedules.due(clock.now());
    // The other has made the job of this slot and has not yet moved the schedule on.
    const slot = { schedule: "tick", instantMs: standing?.nextAtMs ?? 0, missed: 0 };
    const { jobId } = await bench.accept("app.work", everyMinute.input, {}, { slot });
    await fire(bench);
    expect((await bench.status(jobId)).state).toBe("queued");
    expect((await bench.backend.schedules.get("tick"))?.nextAtMs).toBe(clock.now() + MINUTE_MS);
  });

  test("catch-up once: one job stands for all slots that nobody was there to fire", async ({ open }) => {
    const { bench, clock } = await timed(open);
    await schedule(bench);
    await clock.advance(10 * MINUTE_MS + 30_000);
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
    const { bench, clock } = await timed(open);
    await schedule(bench, { catchUp: "skip" });
    await clock.advance(10 * MINUTE_MS + 30_000);
    await fire(bench);
    expect(await jobs(bench)).toEqual([]);
    expect((await bench.backend.schedules.get("tick"))?.nextAtMs).toBe(clock.now() + 30_000);
  });
});
