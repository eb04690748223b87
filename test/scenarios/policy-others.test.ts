import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CliFolder } from "../support/cli.ts";

// What an agent that may do a little can do with what others made.

const AGENT = { env: { WINDLASS_ACTOR: "agent:codex" } };
const RULES = `version: 1
rules:
  - { name: read, access: read, allow: true }
  - { name: agents-true, actors: ["agent:*"], types: [exec], argv: ["true"], allow: true }
  - { name: agents-handle, actors: ["agent:*"], operations: [jobs.retry], allow: true }
  - { name: agents-last, actors: ["agent:last"], operations: [jobs.enqueue], types: [exec], argv: ["false"], allow: true, limit: 1/h }
  - { name: people, actors: ["person:*", "unattended:*", "schedule:*", "job:*"], allow: true }
`;
const SCHEDULE = ["schedules", "add", "nightly", "--cron", "0 3 * * *", "--type", "exec"] as const;
const EXEC = ["jobs", "enqueue", "--type", "exec", "--"] as const;

let cli: CliFolder;
beforeAll(() => {
  cli = new CliFolder();
  cli.write(".windlass/windlass.policy.yaml", RULES);
});
afterAll(() => cli[Symbol.asyncDispose]());

describe("an agent that may add one kind of job", () => {
  test("does not put its schedule in the place of a person's, and may replace its own", async () => {
    expect((await cli.call([...SCHEDULE, "--", "backup"])).status).toBe(0);
    const denied = await cli.json([...SCHEDULE, "--replace", "--", "true"], AGENT);
    expect(denied).toMatchObject({ status: 1, value: { code: "POLICY_DENIED" } });
    expect(denied.value["error"]).toContain("schedules.delete was refused");
    expect((await cli.json(["schedules", "show", "nightly"])).value).toMatchObject({ input: { argv: ["backup"] } });
    const own = [...SCHEDULE.slice(0, 2), "own", ...SCHEDULE.slice(3)];
    expect((await cli.call([...own, "--", "true"], AGENT)).status).toBe(0);
    expect((await cli.json([...own, "--replace", "--", "true", "x"], AGENT)).value).toMatchObject({
      change: "replaced",
    });
    // A person's edit makes it a person's.
    expect((await cli.call([...own, "--replace", "--", "backup"])).status).toBe(0);
    expect((await cli.json([...own, "--replace", "--", "true"], AGENT)).status).toBe(1);
  });

  test("gains nothing by triggering a person's schedule or starting a person's job over", async () => {
    await using own = new CliFolder();
    own.write(".windlass/windlass.policy.yaml", RULES);
    expect((await own.call([...SCHEDULE, "--", "touch", "triggered"])).status).toBe(0);
    expect(await own.json(["schedules", "trigger", "nightly"], AGENT)).toMatchObject({
      status: 1,
      value: { code: "POLICY_DENIED" },
    });
    const { value } = await own.json([...EXEC, "sh", "-c", "echo once >> ran"]);
    const id = String(value["job_id"]);
    const worker = await own.worker();
    expect((await own.call(["jobs", "wait", id])).status).toBe(0);
    expect((await own.call(["jobs", "retry", id], AGENT)).status).toBe(0);
    expect((await own.call(["jobs", "wait", id])).status).toBe(1);
    expect((await own.json(["jobs", "status", id])).value).toMatchObject({
      run: 2,
      state: "failed",
      error: expect.stringContaining("POLICY_DENIED"),
    });
    expect((await own.call(["run", "exec", "--", "cat", "ran"])).stdout).toBe("once\n");
    worker.kill("SIGTERM");
    await worker.ended;
  });
});

test("of processes that race for the last use of a limit one gets it", async () => {
  const last = { env: { WINDLASS_ACTOR: "agent:last" } };
  const ended = await Promise.all(Array.from({ length: 6 }, () => cli.json([...EXEC, "false"], last)));
  expect(ended.map(({ status }) => status).toSorted()).toEqual([0, 1, 1, 1, 1, 1]);
  for (const { status, value } of ended)
    if (status === 1)
      expect(value).toMatchObject({ code: "POLICY_DENIED", error: expect.stringContaining("its limit of 1/h") });
  const { value } = await cli.json<{ denials: { actor: string; rule: string }[] }>(["policy", "denials"]);
  expect(value.denials.filter(({ actor }) => actor === "agent:last")).toEqual(
    Array.from({ length: 5 }, () => expect.objectContaining({ rule: "agents-last" })),
  );
  expect((await cli.json<{ jobs: unknown[] }>(["jobs", "list"])).value.jobs).toHaveLength(1);
});
