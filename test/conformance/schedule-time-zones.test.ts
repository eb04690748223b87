import { expect } from "vitest";
import type { TestClock } from "../support/clock.ts";
import { fire, jobs, schedule, timed } from "../support/schedules.ts";
import type { Bench } from "../support/test.ts";
import { conformance } from "./backends.ts";

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

conformance("schedules in a time zone", (test) => {
  test("a fixed time of day keeps its local hour in its time zone", async ({ open }) => {
    const { bench, clock } = await timed(open, {}, Date.UTC(2026, 9, 24, 12));
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
    const { bench, clock } = await timed(open, {}, Date.UTC(2026, 2, 28, 12));
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
    const { bench, clock } = await timed(open, {}, Date.UTC(2026, 9, 25) - 1);
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
});
