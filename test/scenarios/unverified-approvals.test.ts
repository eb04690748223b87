import { afterAll, describe, expect } from "vitest";
import type { Actor } from "../../src/policy/actor.ts";
import { Approvers, pendingOf } from "../support/approvers.ts";
import { recorded, waits } from "../support/durable.ts";
import { durableTypes } from "../support/durable-types.ts";
import { OwnPath } from "../support/own-path.ts";
import { needs } from "../support/system.ts";
import { type Bench, EMBEDDED, testOn } from "../support/test.ts";

// A worker that loses ssh-keygen while it runs: what people signed is no worse for it.

needs("ssh");
const test = testOn(EMBEDDED);
const people = new Approvers("anna");
afterAll(() => people[Symbol.dispose]());

const AGENT: Actor = { kind: "agent", name: "codex", via: "cli" };
const types = [{ name: "app.work" }];
const config = () =>
  people.policy([
    'name: people, actors: ["person:*"], allow: true',
    'name: ask, actors: ["agent:*"], approval: { by: [anna] }',
  ]);

/** Resolves when the job was put off, so often. */
async function putOff(bench: Bench, id: string, times: number): Promise<void> {
  let due = (await bench.status(id)).dueAtMs;
  for (let seen = 0; seen < times; seen++)
    ({ dueAtMs: due } = await bench.reaches(id, ({ state, dueAtMs }) => state === "queued" && dueAtMs > due));
}

const approvalEvents = async (bench: Bench, id: string) =>
  (await bench.events(id)).filter((event) => event.startsWith("approval."));

describe("a job that was approved when its worker cannot run ssh-keygen", () => {
  test.for(["ENOENT", "EACCES"] as const)(
    "waits in the queue and goes on by it when it can again: %s",
    async (how, { open, folder }) => {
      const bench = await open({ types, config: config() });
      const path = new OwnPath(folder);
      const worker = await bench.spawn({}, path.environment);
      const { jobId, approvalId = "" } = await bench.accept("app.work", { name: "a" }, {}, { actor: AGENT });
      path.lose(how);
      await people.decide(bench, approvalId, "anna");
      await putOff(bench, jobId, 2);

      expect(await bench.status(jobId)).toMatchObject({ state: "queued", attempt: 0, failures: 0, crashes: 0 });
      expect(await bench.backend.approvals.find(approvalId)).toMatchObject({ state: "approved", usedAtMs: null });
      const { reason, sentence } = await bench.backend.explain(jobId);
      expect(reason).toBe("verify");
      expect(sentence).toMatch(/could not be verified on .*: ssh-keygen cannot be started \(E.*install openssh-client/);
      const { event } = await worker.says((told) => told.event?.kind === "released", "that it gave a job back");
      expect(event).toMatchObject({ jobId, final: false, error: { code: "APPROVAL_UNVERIFIED" } });
      expect(event).toMatchObject({ error: { message: expect.stringContaining(how) } });
      const { jobs } = await bench.backend.list({ state: "queued", limit: 9 });
      expect(jobs.map((job) => job.jobId)).toEqual([jobId]);

      path.giveBack();
      expect(await bench.settled(jobId)).toMatchObject({ state: "completed", attempt: 1, failures: 0, crashes: 0 });
      expect(bench.effects.order("start")).toEqual(["a"]);
      // One row, however often it was looked at.
      expect(await approvalEvents(bench, jobId)).toEqual([
        "approval.asked",
        "approval.decided",
        "approval.unverified",
        "approval.used",
      ]);
    },
  );

  test("is refused when it can be looked at and was not signed by whom it needs", async ({ open, folder }) => {
    const bench = await open({ types, config: config() });
    const path = new OwnPath(folder);
    await bench.spawn({}, path.environment);
    const { jobId, approvalId = "" } = await bench.accept("app.work", { name: "a" }, {}, { actor: AGENT });
    path.lose("ENOENT");
    const approval = await pendingOf(bench, jobId);
    const [meant, other] = ["looked at it", "did not"].map((reason) =>
      people.sign(approval, "anna", bench.windlass.clock.now(), { reason }),
    );
    await bench.backend.approvals.decide(approvalId, { ...meant, signature: other?.signature } as never);
    await putOff(bench, jobId, 1);
    path.giveBack();
    expect((await bench.reaches(jobId, ({ state }) => state === "waiting")).attempt).toBe(0);
    const refusal = (await bench.backend.history(jobId)).find(({ event }) => event === "approval.refused");
    expect(refusal?.data).toMatchObject({ error: { code: "APPROVAL_SIGNATURE" } });
    expect(bench.effects.order("start")).toEqual([]);
  });

  test("can be taken back meanwhile, and cancelled", async ({ open, folder }) => {
    const bench = await open({ types, config: config() });
    const path = new OwnPath(folder);
    await bench.spawn({}, path.environment);
    const [revoked, cancelled] = await Promise.all(
      ["r", "c"].map((name) => bench.accept("app.work", { name }, {}, { actor: AGENT })),
    );
    if (revoked?.approvalId === undefined || cancelled?.approvalId === undefined) throw new Error("nobody is asked");
    path.lose("ENOENT");
    for (const { jobId, approvalId = "" } of [revoked, cancelled]) {
      await people.decide(bench, approvalId, "anna");
      await putOff(bench, jobId, 1);
    }
    expect(await bench.cancel(cancelled.jobId)).toEqual({ kind: "cancelled" });
    await people.decide(bench, revoked.approvalId, "anna", { decision: "revoked" });
    path.giveBack();
    expect(await bench.settled(revoked.jobId)).toMatchObject({ state: "failed", error: { code: "APPROVAL_REVOKED" } });
    expect((await bench.status(cancelled.jobId)).state).toBe("cancelled");
    expect(bench.effects.order("start")).toEqual([]);
  });
});

test("a durable job whose worker cannot verify what it went on by, and what it waits for, is put off by both", async ({
  open,
  folder,
}) => {
  const first = await open();
  const bench = await open({ folder: first.folder, own: durableTypes(first.folder), config: config() });
  const path = new OwnPath(folder);
  const before = await bench.spawn({ durable: true }, path.environment);
  const id = await bench.submit("app.asks-twice", {});
  await waits(bench, id);
  const one = await pendingOf(bench, id);
  path.lose("ENOENT");
  await people.decide(bench, one.approvalId, "anna");
  await putOff(bench, id, 1);
  expect(await recorded(bench, id)).toEqual(["1 approve Go on"]);
  path.giveBack();
  await waits(bench, id, 2);
  const two = await pendingOf(bench, id);
  expect(await recorded(bench, id)).toEqual(["1 approve Go on", "2 step between", "3 approve And on"]);

  // Another process remembers nothing of what was verified.
  await before.kill();
  await bench.spawn({ durable: true }, path.environment);
  path.lose("EACCES");
  await people.decide(bench, two.approvalId, "anna");
  await putOff(bench, id, 1);
  const explained = await bench.backend.explain(id);
  expect(explained.sentence).toContain(one.approvalId);
  path.giveBack();
  expect(await bench.settled(id)).toMatchObject({
    state: "completed",
    result: ["approved", "approved"],
    failures: 0,
    crashes: 0,
  });
  expect(bench.effects.count("between", "end")).toBe(1);
  expect((await approvalEvents(bench, id)).filter((event) => event === "approval.used")).toHaveLength(2);
});
