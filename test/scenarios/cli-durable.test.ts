import { join } from "node:path";
import { expect, test } from "vitest";
import { CliFolder, pairsOf } from "../support/cli.ts";

const JOBS = `
import { z } from "${new URL("../../node_modules/zod/index.js", import.meta.url).href}";
import { defineDurableJob } from "${new URL("../../src/job/durable/define-durable-job.ts", import.meta.url).href}";
export const order = defineDurableJob({
  name: "app.order",
  input: z.strictObject({ id: z.int() }),
  run: async ({ id }, ctx) => {
    const a = await ctx.step("reserve", () => id + 1);
    const paid = await ctx.waitFor("paid", { match: { id }, timeout: "1d" });
    return { a, by: paid.by };
  },
});
export const tick = defineDurableJob({ name: "app.tick", input: z.strictObject({}), run: async () => 1 });
`;

test("a durable job by the program: it waits, explain and logs say for what, emit lets it go on, retry --from takes over", async () => {
  await using folder = new CliFolder();
  folder.write("jobs.ts", JOBS);
  await folder.worker(["--jobs", "jobs.ts"]);
  const enqueued = await folder.call(["jobs", "enqueue", "--type", "app.order", "--input-json", '{"id":7}']);
  const id = pairsOf(enqueued.stdout)["job_id"] ?? enqueued.stderr;
  const state = async () => (await folder.json<{ state: string }>(["jobs", "status", id])).value.state;
  await expect.poll(state, { timeout: 15_000 }).toBe("waiting");

  const why = await folder.json<{ reason: string; sentence: string }>(["jobs", "explain", id]);
  expect(why.value.reason).toBe("event");
  expect(why.value.sentence).toContain('It waits for the event paid with {"id":7}, until ');
  const logs = (await folder.call(["jobs", "logs", id])).stdout;
  expect(logs).toContain("event=call.recorded position=1 call=step name=reserve");
  expect(logs).toMatch(
    /event=call\.issued position=2 call=waitFor name=paid waits_for=event match="\{\\"id\\":7\}" until=/,
  );
  expect((await folder.call(["jobs", "list", "--state", "waiting"])).stdout).toContain(id);

  expect((await folder.call(["jobs", "stats"])).stdout).toMatch(
    /^waiting_jobs=1 waiting_sleep=0 waiting_event=1 waiting_child=0 waiting_approval=0 waiting_oldest_ms=\d+ waiting_overdue=0$/m,
  );
  const lines = (await folder.call(["queue-metrics"])).stdout;
  for (const metric of [
    "waiting_jobs value=1",
    "waiting_event value=1",
    "waiting_overdue value=0",
    "events_kept value=0",
  ])
    expect(lines).toContain(`metric=${metric} ts=`);
  expect((await folder.call(["doctor"])).stdout).toMatch(
    /^check=waiting_jobs state=ok detail="1 job waiting, the oldest for \S+: 1 for an event; 0 events kept"$/m,
  );

  const emit = ["jobs", "emit", "paid", "--input-json", '{"id":7,"by":"ada"}', "--event-id", "p-1"];
  expect((await folder.call(emit)).stdout).toBe("event=paid event_id=p-1 existing=false given=1\n");
  expect((await folder.call(emit)).stdout).toBe("event=paid event_id=p-1 existing=true given=0\n");
  expect((await folder.call(["jobs", "wait", id])).status).toBe(0);
  expect((await folder.json<{ result: unknown }>(["jobs", "status", id])).value.result).toEqual({ a: 8, by: "ada" });

  const wrong = await folder.call(["jobs", "retry", id, "--from", "nothing"]);
  expect(wrong).toMatchObject({ status: 2, stderr: expect.stringContaining("1 (step reserve), 2 (waitFor paid)") });
  expect(pairsOf((await folder.call(["jobs", "retry", id, "--from", "paid"])).stdout)["run"]?.trim()).toBe("2");
  await expect.poll(state, { timeout: 15_000 }).toBe("waiting");
  expect((await folder.call(["jobs", "cancel", id])).stdout).toContain("state=cancelled");
  expect((await folder.call(["jobs", "emit", "", "--input-json", "1"])).status).toBe(2);
  // Many events carry nothing but their name.
  expect((await folder.call(["jobs", "emit", "closed"])).stdout).toMatch(/^event=closed event_id=\S+ existing=false/);
}, 60_000);

test("a type that is known only because a worker published it: what to type has the file that defines it", async () => {
  await using folder = new CliFolder();
  folder.write("jobs.ts", JOBS);
  expect((await folder.call(["run", "app.tick", "--jobs", "jobs.ts"])).status).toBe(0);
  const enqueue = ["jobs", "enqueue", "--type", "app.tick"];
  expect((await folder.call(enqueue)).stderr).toContain("until one does: windlass worker --jobs FILE");
  expect((await folder.call([...enqueue, "--jobs", "jobs.ts"])).stderr).toContain(
    `until one does: windlass worker --jobs ${join(folder.path, "jobs.ts")}`,
  );
}, 60_000);
