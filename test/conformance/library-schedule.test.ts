import { expect } from "vitest";
import { z } from "zod";
import { type CronTimes, defineJob, type WindlassClient } from "../../src/index.ts";
import { libraryConformance } from "./backends.ts";

const report = defineJob({
  name: "app.report",
  input: z.strictObject({ day: z.string() }),
  run: ({ day }) => day,
});
const fails = defineJob({
  name: "app.fails",
  input: z.strictObject({}),
  backoff: { first: "1h" },
  run: () => {
    throw new Error("not today");
  },
});
const jobs = [report, fails];
const input = { day: "monday" };

/** A short delay that the backend can keep. */
const soonest = ({ capabilities }: WindlassClient): string => (capabilities.subSecond ? "20ms" : "1s");

libraryConformance("library: a single future time", (test) => {
  test("after and at make a job that starts then", async ({ open }) => {
    const client = await open({ jobs });
    const after = await client.schedule(report, input, { after: "10m", priority: 3 });
    expect(after).toMatchObject({ kind: "job", state: "scheduled", existing: false });
    expect(after.at.getTime() - after.queuedAt.getTime()).toBe(600_000);
    const time = new Date(Date.now() + 3_600_000);
    const at = await client.schedule(report, input, { at: time });
    expect(at.at).toEqual(time);
    expect(await client.status(at.jobId)).toMatchObject({ state: "scheduled", dueAt: time, attempt: 0 });
  });

  test("a time span is a text with units or a number of milliseconds", async ({ open }) => {
    const client = await open({ jobs });
    const spans: readonly (readonly [string | number, number])[] = [
      ["1s", 1_000],
      ["10m", 600_000],
      ["1h30m", 5_400_000],
      ["7d", 604_800_000],
      ["366d", 31_622_400_000],
      [90_000, 90_000],
      ...(client.capabilities.subSecond
        ? ([
            ["250ms", 250],
            ["1.5s", 1_500],
            [1, 1],
          ] as const)
        : []),
    ];
    for (const [after, ms] of spans) {
      const { at, queuedAt } = await client.schedule(report, input, { after });
      expect(at.getTime() - queuedAt.getTime(), String(after)).toBe(ms);
    }
    if (!client.capabilities.subSecond)
      for (const after of ["250ms", 1_500])
        await expect(client.schedule(report, input, { after })).rejects.toMatchObject({ code: "UNSUPPORTED" });
  });

  test("starts when its time has come, and is then no longer to come", async ({ open }) => {
    const client = await open({ jobs });
    const { jobId } = await client.schedule(report, input, { after: soonest(client) });
    expect(await client.scheduled()).toMatchObject([{ kind: "job", jobId }]);
    await client.startWorker();
    expect(await client.wait(jobId)).toMatchObject({ state: "completed", result: "monday" });
    expect(await client.scheduled()).toEqual([]);
  });

  test("a time that has passed is now", async ({ open }) => {
    const client = await open({ jobs });
    expect((await client.schedule(report, input, { at: new Date(0) })).state).toBe("queued");
    expect(await client.scheduled()).toEqual([]);
  });
});

libraryConformance("library: a cron line", (test) => {
  test("makes a schedule named after the type, or as one says", async ({ open }) => {
    const client = await open({ jobs });
    const first = await client.schedule(report, input, { cron: "30 2 * * *" });
    expect(first).toMatchObject({ kind: "schedule", name: "app.report", change: "created" });
    expect(first.at?.getUTCHours()).toBe(2);
    const times = { cron: "0 8 * * 1", timeZone: "Europe/Berlin", name: "weekly", overlap: "allow", catchUp: "skip" };
    const second = await client.schedule(report, input, times as CronTimes);
    expect(second.name).toBe("weekly");
    expect([6, 7]).toContain(second.at?.getUTCHours());
    // Which of them comes first depends on today.
    expect(new Set(await client.scheduled())).toEqual(
      new Set([
        {
          kind: "schedule",
          name: "app.report",
          type: "app.report",
          cron: "30 2 * * *",
          timeZone: "UTC",
          paused: false,
          at: first.at,
        },
        {
          kind: "schedule",
          name: "weekly",
          type: "app.report",
          cron: "0 8 * * 1",
          timeZone: "Europe/Berlin",
          paused: false,
          at: second.at,
        },
      ]),
    );
  });

  test("the same content changes nothing; other content needs replace", async ({ open }) => {
    const client = await open({ jobs });
    const times = { cron: "30 2 * * *", priority: 3, timeout: "1m" } as const;
    await client.schedule(report, input, times);
    const { timeout, priority, cron } = times;
    expect((await client.schedule(report, input, { timeout, priority, cron })).change).toBe("unchanged");
    await expect(client.schedule(report, { day: "friday" }, times)).rejects.toMatchObject({
      code: "SCHEDULE_EXISTS",
      message: expect.stringContaining("replace: true"),
    });
    const replaced = await client.schedule(report, { day: "friday" }, { ...times, replace: true });
    expect(replaced.change).toBe("replaced");
    expect(await client.scheduled()).toHaveLength(1);
  });

  test("what is to come: the soonest first, without retries that wait", async ({ open }) => {
    const client = await open({ jobs });
    const late = await client.schedule(report, input, { after: "400h" });
    const soon = await client.schedule(report, input, { after: soonest(client), requires: { site: "nowhere" } });
    const next = await client.schedule(report, input, { cron: "0 0 * * *" });
    const retrying = await client.submit(fails, {});
    let onFailure: () => void = () => undefined;
    const failed = new Promise<void>((resolve) => {
      onFailure = resolve;
    });
    const worker = await client.startWorker({ onEvent: ({ kind }) => kind === "failed" && onFailure() });
    await failed;
    await worker.stop();
    expect(await client.status(retrying.jobId)).toMatchObject({ state: "scheduled", attempt: 1 });
    const items = await client.scheduled();
    const named = items.map((item) => (item.kind === "job" ? item.jobId : item.name));
    expect(named.filter((name) => name !== soon.jobId)).toEqual([next.name, late.jobId]);
  });
});
