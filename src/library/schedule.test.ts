import { describe, expect } from "vitest";
import { z } from "zod";
import { test } from "../../test/support/library.ts";
import { type CronTimes, defineJob, type FutureTime } from "../index.ts";

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

describe("a single future time", () => {
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

  test("starts when its time has come, and is then no longer to come", async ({ open }) => {
    const client = await open({ jobs });
    const { jobId } = await client.schedule(report, input, { after: "20ms" });
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

  test("bad times are refused before anything is stored", async ({ open }) => {
    const client = await open({ jobs });
    for (const after of [0, -5, Number.NaN, Number.POSITIVE_INFINITY, 1.5, "soon", "", "0s", "-1m", "367d", "10"])
      await expect(client.schedule(report, input, { after })).rejects.toMatchObject({
        code: "INVALID_DURATION",
        message: expect.stringContaining("after"),
      });
    const wrong: readonly (readonly [object, string])[] = [
      [{ at: new Date(Number.NaN) }, "at is not a date"],
      [{ at: "2027-01-01" }, "at is not a date"],
      [{}, "give one of { after }, { at } and { cron }"],
      [{ after: "1m", at: new Date() }, "not after and at"],
      [{ after: "1m", cron: "* * * * *" }, "not after and cron"],
      [{ after: "1m", delay: "1m" }, "there is no option delay"],
      [{ after: "1m", idempotencykey: "x" }, "did you mean idempotencyKey?"],
    ];
    for (const [time, words] of wrong)
      await expect(client.schedule(report, input, time as FutureTime)).rejects.toMatchObject({
        code: "INVALID_INPUT",
        message: expect.stringContaining(words),
      });
    await expect(client.schedule(report, input, undefined as never)).rejects.toMatchObject({ code: "INVALID_INPUT" });
    await expect(client.schedule("app.reprot", input, { after: "1m" })).rejects.toMatchObject({
      code: "UNKNOWN_JOB_TYPE",
    });
    await expect(client.schedule("app.report", {}, { after: "1m" })).rejects.toMatchObject({ code: "INVALID_INPUT" });
    expect((await client.list()).jobs).toEqual([]);
  });
});

describe("a cron line", () => {
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

  test("bad lines are refused with their field, bad words with theirs, before anything is stored", async ({ open }) => {
    const client = await open({ jobs });
    const cron = "0 0 * * *";
    const lines: readonly (readonly [string, string])[] = [
      ["61 * * * *", "minute"],
      ["* 24 * * *", "hour"],
      ["* * 32 * *", "day-of-month"],
      ["* * * 13 *", "month"],
      ["* * * * 8", "day-of-week"],
      ["* * * *", "4 fields"],
      ["* * * * * *", "6 fields"],
      ["@daily", "1 field"],
      ["0 0 31 2 *", "never comes true"],
      ["", "0 fields"],
    ];
    for (const [line, words] of lines)
      await expect(client.schedule(report, input, { cron: line })).rejects.toMatchObject({
        code: "INVALID_CRON",
        message: expect.stringContaining(words),
      });
    const wrong: readonly (readonly [object, string, string])[] = [
      [{ cron, timeZone: "Berlin" }, "INVALID_CRON", "did you mean Europe/Berlin?"],
      [{ cron, timeZone: "+02:00" }, "INVALID_CRON", "+02:00"],
      [{ cron: 5 }, "INVALID_INPUT", "cron is 5"],
      [{ cron, name: "a b" }, "INVALID_INPUT", "name"],
      [{ cron, name: "" }, "INVALID_INPUT", "name"],
      [{ cron, overlap: "queue" }, "INVALID_INPUT", "overlap"],
      [{ cron, catchUp: "all" }, "INVALID_INPUT", "catchUp"],
      [{ cron, timezone: "UTC" }, "INVALID_INPUT", "did you mean timeZone?"],
      [{ cron, idempotencyKey: "x" }, "INVALID_INPUT", "idempotencyKey"],
      [{ cron, retries: 9 }, "INVALID_INPUT", "retries"],
      [{ cron, timeout: "never" }, "INVALID_DURATION", "timeout"],
    ];
    for (const [times, code, words] of wrong)
      await expect(client.schedule(report, input, times as CronTimes)).rejects.toMatchObject({
        code,
        message: expect.stringContaining(words),
      });
    await expect(client.schedule("app.report", { day: 1 }, { cron })).rejects.toMatchObject({ code: "INVALID_INPUT" });
    await expect(client.schedule("app.other", {}, { cron })).rejects.toMatchObject({ code: "UNKNOWN_JOB_TYPE" });
    expect(await client.scheduled()).toEqual([]);
  });
});

test("what is to come: the soonest first, without retries that wait", async ({ open }) => {
  const client = await open({ jobs });
  const late = await client.schedule(report, input, { after: "400h" });
  const soon = await client.schedule(report, input, { after: "1ms", requires: { site: "nowhere" } });
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
