import { expect } from "vitest";
import { z } from "zod";
import { defineJob } from "../../src/job/definition.ts";
import { TestClock } from "../support/clock.ts";
import { MINUTE_MS, schedule } from "../support/schedules.ts";
import { conformance } from "./backends.ts";

const types = [{ name: "app.work", retries: 0 }];

conformance("schedules of job types", (test) => {
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
    await clock.advance(2 * MINUTE_MS);
    expect(ran).toEqual([7, 7]);
    await bench.worker();
    await clock.advance(MINUTE_MS);
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
    const first = await open({ own: [timed("* * * * *")], types, clock });
    await first.worker();
    await schedule(first, { name: "app.work" });
    await clock.advance(30_000);
    const second = await open({ own: [timed("0 * * * *")], types, clock, folder: first.folder });
    await second.worker();
    expect(await second.backend.schedules.get("app.timed")).toMatchObject({
      cron: "0 * * * *",
      nextAtMs: Date.UTC(2026, 10, 21, 13),
    });
    const third = await open({ own: [timed()], types, clock, folder: first.folder });
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
});
