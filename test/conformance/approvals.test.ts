import { afterAll, expect } from "vitest";
import type { Actor } from "../../src/policy/actor.ts";
import { Approvers, pendingOf, type Saying } from "../support/approvers.ts";
import { TestClock } from "../support/clock.ts";
import { durable, waits } from "../support/durable.ts";
import { needs } from "../support/system.ts";
import { type Bench, TESTER } from "../support/test.ts";
import { conformance } from "./backends.ts";

needs("ssh");
const people = new Approvers("anna", "bert", "carl");
afterAll(() => people[Symbol.dispose]());

const types = [{ name: "app.work" }, { name: "app.other" }];
const AGENT: Actor = { kind: "agent", name: "codex", via: "cli" };
const HOUR_MS = 3_600_000;
const PEOPLE = 'name: people, actors: ["person:*", "job:*"], allow: true';
const ASK = 'name: ask, actors: ["agent:*"], approval: { by: [anna, bert], expires: 1h }';
const asking = (ask = ASK) => people.policy([PEOPLE, ask]);
const slowly = (ask = ASK) => ({ ...asking(ask), "worker.tick": "10s" });

/** An agent asks for a job; the approval that it waits for. */
async function asAgent(bench: Bench, name: string, options = {}, type = "app.work") {
  const { jobId, approvalId = "" } = await bench.accept(type, { name }, options, { actor: AGENT });
  return { jobId, approvalId, by: (who: string, saying?: Saying) => people.decide(bench, approvalId, who, saying) };
}

conformance("a job that needs an approval", (test) => {
  test("waiting to queued: it waits and holds nothing, and runs when it was approved", async ({ open }) => {
    const bench = await open({ types, config: asking() });
    await bench.worker();
    const { jobId, approvalId, by } = await asAgent(bench, "a");
    const approval = await pendingOf(bench, jobId);
    expect(approval).toMatchObject({
      approvalId,
      state: "pending",
      askedBy: AGENT,
      subject: {
        kind: "job",
        jobId,
        runNumber: 1,
        position: 0,
        title: "app.work for agent:codex",
        details: { operation: "jobs.enqueue", type: "app.work", input: { name: "a" }, labels: {} },
      },
      terms: { approvers: ["anna", "bert"], quorum: 1, level: "advisory", rule: "ask" },
      expiresAtMs: approval.askedAtMs + HOUR_MS,
    });
    expect(await bench.status(jobId)).toMatchObject({ state: "waiting", attempt: 0 });
    expect(await by("bert", { reason: "go on" })).toEqual({ kind: "stored", state: "approved" });
    expect(await bench.settled(jobId)).toMatchObject({ state: "completed", attempt: 1 });
    const used = await bench.backend.approvals.find(approvalId);
    expect(used).toMatchObject({ state: "approved", usedAtMs: expect.any(Number) });
    expect(await bench.events(jobId)).toEqual([
      "job.queued",
      "approval.asked",
      "approval.decided",
      "job.claimed",
      "approval.used",
      "job.completed",
    ]);
  });

  test("waiting to failed: one rejection is a veto, at once and whoever else approved", async ({ open }) => {
    const config = asking('name: ask, actors: ["agent:*"], approval: { by: [anna, bert], quorum: 2 }');
    const bench = await open({ types, config });
    const { jobId, approvalId, by } = await asAgent(bench, "a");
    expect(await by("bert")).toEqual({ kind: "stored", state: "pending" });
    expect(await by("anna", { decision: "rejected", reason: "not today" })).toEqual({
      kind: "stored",
      state: "rejected",
    });
    expect(await bench.status(jobId)).toMatchObject({
      state: "failed",
      attempt: 0,
      error: { code: "APPROVAL_REJECTED", message: `anna rejected it (approval ${approvalId}): not today` },
    });
    expect(await by("bert")).toEqual({ kind: "closed", state: "rejected", used: false });
  });

  test("waiting to expired: nobody decided in time", async ({ open }) => {
    const clock = new TestClock();
    const bench = await open({ types, config: slowly(), clock });
    await bench.worker();
    const { jobId, approvalId, by } = await asAgent(bench, "a");
    await clock.advance(HOUR_MS);
    expect((await bench.status(jobId)).state).toBe("waiting");
    await clock.advance(1_000);
    expect(await bench.status(jobId)).toMatchObject({ state: "expired", error: { code: "APPROVAL_EXPIRED" } });
    expect(await bench.backend.approvals.find(approvalId)).toMatchObject({ state: "expired" });
    expect(await by("anna")).toEqual({ kind: "closed", state: "expired", used: false });
  });

  test("waiting to expired: it was approved, and no worker used that in time", async ({ open }) => {
    const clock = new TestClock();
    const bench = await open({ types, config: slowly(), clock });
    const { jobId, approvalId, by } = await asAgent(bench, "a");
    await by("anna");
    await clock.advance(HOUR_MS + 1);
    expect((await bench.status(jobId)).state).toBe("queued");
    await bench.worker();
    // Its worker looks at what was signed, and then the timer ends it.
    await bench.reaches(jobId, ({ state }) => state === "waiting");
    await clock.advance(1_000);
    expect(await bench.status(jobId)).toMatchObject({
      state: "expired",
      attempt: 0,
      error: { code: "APPROVAL_EXPIRED" },
    });
    expect(await bench.backend.approvals.find(approvalId)).toMatchObject({ state: "expired", usedAtMs: null });
  });

  test("a decision after its time is refused, also where no worker has ended it yet", async ({ open }) => {
    const clock = new TestClock();
    const bench = await open({ types, config: slowly(), clock });
    const { jobId, by } = await asAgent(bench, "a");
    await clock.advance(HOUR_MS + 1);
    expect(await by("anna")).toEqual({ kind: "closed", state: "expired", used: false });
    expect((await bench.status(jobId)).state).toBe("waiting");
  });

  test("waiting to cancelled: at once, and its question is withdrawn", async ({ open }) => {
    const bench = await open({ types, config: asking() });
    const { jobId, approvalId, by } = await asAgent(bench, "a");
    expect(await bench.cancel(jobId)).toEqual({ kind: "cancelled" });
    expect(await bench.backend.approvals.find(approvalId)).toMatchObject({ state: "withdrawn" });
    expect(await by("anna")).toEqual({ kind: "closed", state: "withdrawn", used: false });
  });

  test("waiting to scheduled: one that is due later says so, and waits for its time when it was approved", async ({
    open,
  }) => {
    const clock = new TestClock();
    const bench = await open({ types, config: slowly(), clock });
    await bench.worker();
    const { jobId, by } = await asAgent(bench, "a", { delay: "2h" });
    const { subject, expiresAtMs } = await pendingOf(bench, jobId);
    expect(subject.details).toMatchObject({ due_at: new Date(clock.now() + 2 * HOUR_MS).toISOString() });
    // Its time begins when the job is due.
    expect(expiresAtMs).toBe(clock.now() + 3 * HOUR_MS);
    await by("anna");
    expect((await bench.status(jobId)).state).toBe("scheduled");
    await clock.advance(2 * HOUR_MS);
    expect((await bench.settled(jobId)).state).toBe("completed");
  });

  test("takes its concurrency keys when it is approved, and waits for them then", async ({ open }) => {
    const keyed = [{ name: "app.work", concurrency: [{ key: "key", limit: 1 }] }];
    const bench = await open({ types: keyed, config: asking() });
    await bench.worker();
    const waiting = await bench.accept("app.work", { name: "a", key: "k" }, {}, { actor: AGENT });
    const held = await bench.submit("app.work", { name: "b", key: "k", hold: true });
    await bench.effects.seen("b", "start");
    await people.decide(bench, waiting.approvalId ?? "", "anna");
    expect((await bench.status(waiting.jobId)).state).toBe("queued");
    expect((await bench.backend.explain(waiting.jobId)).reason).toBe("key");
    bench.effects.release("b");
    await bench.settled(held);
    expect((await bench.settled(waiting.jobId)).state).toBe("completed");
  });

  test("is cancelled when it is approved and its key says that the newest gives way", async ({ open }) => {
    const keyed = [{ name: "app.work", concurrency: [{ key: "key", limit: 1, strategy: "cancel-newest" as const }] }];
    const bench = await open({ types: keyed, config: asking() });
    await bench.worker();
    const waiting = await bench.accept("app.work", { name: "a", key: "k" }, {}, { actor: AGENT });
    const held = await bench.submit("app.work", { name: "b", key: "k", hold: true });
    await bench.effects.seen("b", "start");
    await people.decide(bench, waiting.approvalId ?? "", "anna");
    expect(await bench.status(waiting.jobId)).toMatchObject({ state: "cancelled", error: { code: "CANCELLED" } });
    bench.effects.release("b");
    await bench.settled(held);
  });

  test("its deadline and its expiry hold while it waits", async ({ open }) => {
    const clock = new TestClock();
    const bench = await open({ types, config: slowly(), clock });
    await bench.worker();
    const late = await asAgent(bench, "late", { deadline: "10m" });
    const stale = await asAgent(bench, "stale", { expiresIn: "10m" });
    await clock.advance(11 * 60_000);
    expect(await bench.status(late.jobId)).toMatchObject({ state: "failed", error: { code: "DEADLINE_EXCEEDED" } });
    expect(await bench.status(stale.jobId)).toMatchObject({ state: "expired", error: { code: "EXPIRED" } });
    expect((await bench.backend.approvals.list({ state: "pending", limit: 9 })).approvals).toEqual([]);
  });

  test("an idempotency key gives the waiting job back, with its approval", async ({ open }) => {
    const bench = await open({ types, config: asking() });
    const ask = () => bench.accept("app.work", { name: "a" }, { idempotencyKey: "k" }, { actor: AGENT });
    const first = await ask();
    expect(await ask()).toEqual({ ...first, existing: true });
    await people.decide(bench, first.approvalId ?? "", "anna");
    const { approvalId: _, ...rest } = first;
    expect(await ask()).toEqual({ ...rest, state: "queued", existing: true });
  });

  test("it counts against the limit of its type, its rule's limit counts it, and lists show it waiting", async ({
    open,
  }) => {
    const config = asking('name: ask, actors: ["agent:*"], approval: { by: [anna] }, limit: 2/h');
    const bench = await open({ types: [{ name: "app.work" }, { name: "app.other", queuedMax: 1 }], config });
    const { jobId } = await asAgent(bench, "a", {}, "app.other");
    await expect(bench.submit("app.other", { name: "b" })).rejects.toMatchObject({ code: "QUEUE_FULL" });
    await asAgent(bench, "c");
    await expect(asAgent(bench, "d")).rejects.toMatchObject({ code: "POLICY_DENIED" });
    expect((await bench.backend.list({ state: "waiting", type: "app.other", limit: 9 })).jobs).toMatchObject([
      { jobId, state: "waiting" },
    ]);
    expect((await bench.backend.stats()).counts).toContainEqual({ type: "app.other", state: "waiting", count: 1 });
  });

  test("explain says whose leave it waits for, and what to do", async ({ open }) => {
    const clock = new TestClock(Date.UTC(2026, 10, 21, 12));
    const config = asking('name: ask, actors: ["agent:*"], approval: { by: [anna, bert], quorum: 2, expires: 1h }');
    const bench = await open({ types, config, clock });
    const { jobId, approvalId } = await asAgent(bench, "a");
    expect(await bench.backend.explain(jobId)).toEqual({
      state: "waiting",
      reason: "approval",
      sentence: `It waits for an approval (${approvalId}) by 2 of anna, bert until 2026-11-21T13:00:00.000Z (in 1h): windlass approvals show ${approvalId}.`,
    });
    // No worker has ended it.
    await clock.advance(2 * HOUR_MS);
    expect((await bench.backend.explain(jobId)).sentence).toContain(
      "until 2026-11-21T13:00:00.000Z, which is over (the next worker sees to that): windlass approvals",
    );
  });
});

conformance("approvals", (test) => {
  test("a quorum is of different people, and nobody decides twice", async ({ open }) => {
    const config = asking('name: ask, actors: ["agent:*"], approval: { by: [anna, bert, carl], quorum: 2 }');
    const bench = await open({ types, config });
    await bench.worker();
    const { jobId, approvalId, by } = await asAgent(bench, "a");
    expect(await by("anna")).toEqual({ kind: "stored", state: "pending" });
    expect(await by("anna")).toEqual({ kind: "repeated" });
    expect(await by("anna", { decision: "rejected" })).toEqual({ kind: "repeated" });
    expect((await bench.status(jobId)).state).toBe("waiting");
    expect(await by("carl")).toEqual({ kind: "stored", state: "approved" });
    expect((await bench.settled(jobId)).state).toBe("completed");
    const used = await bench.backend.approvals.find(approvalId);
    expect(used?.decisions.map(({ principal, decision }) => [principal, decision])).toEqual([
      ["anna", "approved"],
      ["carl", "approved"],
    ]);
  });

  test("one can be taken back until the job goes on by it: a job that is still to run fails at once", async ({
    open,
  }) => {
    const bench = await open({ types, config: asking() });
    const { jobId, approvalId, by } = await asAgent(bench, "a");
    expect(await by("anna", { decision: "revoked" })).toEqual({ kind: "closed", state: "pending", used: false });
    await by("anna");
    expect((await bench.status(jobId)).state).toBe("queued");
    expect(await by("bert", { decision: "revoked", reason: "a mistake" })).toEqual({
      kind: "stored",
      state: "revoked",
    });
    expect(await bench.status(jobId)).toMatchObject({
      state: "failed",
      error: { code: "APPROVAL_REVOKED", message: `bert took the approval ${approvalId} back: a mistake` },
    });
  });

  test("one that waits for a second yes can be taken back too", async ({ open }) => {
    const config = asking('name: ask, actors: ["agent:*"], approval: { by: [anna, bert, carl], quorum: 2 }');
    const bench = await open({ types, config });
    const { jobId, approvalId, by } = await asAgent(bench, "a");
    await by("anna");
    expect(await by("anna", { decision: "revoked" })).toEqual({ kind: "stored", state: "revoked" });
    expect(await bench.status(jobId)).toMatchObject({
      state: "failed",
      error: { code: "APPROVAL_REVOKED", message: `anna took the approval ${approvalId} back` },
    });
    expect(await by("bert")).toEqual({ kind: "closed", state: "revoked", used: false });
  });

  test("and no more afterwards", async ({ open }) => {
    const bench = await open({ types, config: asking() });
    await bench.worker();
    const { jobId, by } = await asAgent(bench, "a");
    await by("anna");
    await bench.settled(jobId);
    expect(await by("bert", { decision: "revoked" })).toEqual({ kind: "closed", state: "approved", used: true });
  });

  test("is good for one run: a run that is started over needs a new one", async ({ open }) => {
    const bench = await open({ types, config: asking() });
    await bench.worker();
    const { jobId, approvalId, by } = await asAgent(bench, "a");
    await by("anna");
    await bench.settled(jobId);
    await bench.replay(jobId);
    await bench.reaches(jobId, ({ state, runNumber }) => state === "waiting" && runNumber === 2);
    const second = await pendingOf(bench, jobId);
    expect(second).toMatchObject({ subject: { runNumber: 2 } });
    expect(second.approvalId).not.toBe(approvalId);
    expect(await bench.status(jobId)).toMatchObject({ attempt: 0 });
    await people.decide(bench, second.approvalId, "bert");
    expect(await bench.settled(jobId)).toMatchObject({ state: "completed", runNumber: 2, attempt: 1 });
    expect(bench.effects.count("a", "start")).toBe(2);
  });

  test("is good for all attempts of its run", async ({ open }) => {
    const bench = await open({
      types: [{ name: "app.work", retries: 2, backoff: { first: "10ms" } }],
      config: asking(),
    });
    await bench.worker();
    const { jobId, approvalId } = await bench.accept("app.work", { name: "a", fails: 2 }, {}, { actor: AGENT });
    await people.decide(bench, approvalId ?? "", "anna");
    expect(await bench.settled(jobId)).toMatchObject({ state: "completed", attempt: 3 });
    expect((await bench.events(jobId)).filter((event) => event === "approval.used")).toHaveLength(1);
  });

  test("is judged by the worker that uses it: a policy that became stricter asks for more", async ({ open }) => {
    const lax = await open({ types, config: asking() });
    const strict = await open({
      types,
      folder: lax.folder,
      config: asking('name: ask, actors: ["agent:*"], approval: { by: [anna, bert, carl], quorum: 2 }'),
    });
    const { jobId, by } = await asAgent(lax, "a");
    await by("anna");
    expect((await lax.status(jobId)).state).toBe("queued");
    await strict.worker();
    await strict.reaches(jobId, ({ state }) => state === "waiting");
    expect(await pendingOf(lax, jobId)).toMatchObject({ terms: { quorum: 2 } });
    await by("carl");
    expect(await lax.settled(jobId)).toMatchObject({ state: "completed", attempt: 1 });
  });

  test("a run that has begun keeps its keys while it waits for that more, and goes on with them", async ({ open }) => {
    const own = [durable((ctx) => ctx.waitFor("go"), { concurrency: [{ limit: 1 }] })];
    const lax = await open({ own, config: asking() });
    const more = asking('name: ask, actors: ["agent:*"], approval: { by: [anna, bert], quorum: 2 }');
    const strict = await open({ own, folder: lax.folder, config: more });
    const { jobId, by } = await asAgent(lax, "a", {}, "app.durable");
    await by("anna");
    const worker = await lax.worker();
    await waits(lax, jobId);
    await worker.stop({ graceMs: 0 });
    await lax.backend.emit({ event: "go", payload: 1 }, TESTER);
    await strict.worker();
    await strict.reaches(jobId, ({ state, attempt }) => state === "waiting" && attempt === 1);
    const other = await lax.submit("app.durable", {});
    expect((await lax.backend.explain(other)).reason).toBe("key");
    await by("bert");
    expect(await lax.settled(jobId)).toMatchObject({ state: "completed", result: 1 });
    await lax.backend.emit({ event: "go", payload: 2 }, TESTER);
    expect(await lax.settled(other)).toMatchObject({ state: "completed", result: 2 });
  });

  test("by somebody whom that policy does not know does not count", async ({ open }) => {
    const lax = await open({ types, config: asking() });
    const ask = 'name: ask, actors: ["agent:*"], approval: { by: [bert, carl] }';
    const config = people.policy([PEOPLE, ask], ["bert", "carl"]);
    const strict = await open({ types, folder: lax.folder, config });
    const { jobId, by } = await asAgent(lax, "a");
    await by("anna");
    await strict.worker();
    await strict.reaches(jobId, ({ state }) => state === "waiting");
    const refused = (await lax.backend.history(jobId)).filter(({ event }) => event === "approval.refused");
    expect(refused).toMatchObject([{ data: { by: "anna", error: { code: "APPROVER_UNKNOWN" } } }]);
    await by("bert");
    expect((await lax.settled(jobId)).state).toBe("completed");
  });

  test("whoever's yes did not count there may decide again", async ({ open }) => {
    const only = (rest: string) => `name: ask, actors: ["agent:*"], approval: { by: [anna], ${rest} }`;
    const lax = await open({ types, config: asking(only("level: advisory")) });
    const strict = await open({ types, folder: lax.folder, config: asking(only("level: enforced")) });
    const again = await asAgent(lax, "a");
    const no = await asAgent(lax, "b");
    await again.by("anna");
    await no.by("anna");
    const worker = await strict.worker();
    for (const { jobId } of [again, no]) await strict.reaches(jobId, ({ state }) => state === "waiting");
    await worker.stop({ graceMs: 0 });
    expect(await no.by("anna", { decision: "rejected" })).toEqual({ kind: "stored", state: "rejected" });
    expect(await again.by("anna")).toEqual({ kind: "stored", state: "approved" });
    await lax.worker();
    expect((await lax.settled(again.jobId)).state).toBe("completed");
    expect((await lax.settled(no.jobId)).error?.code).toBe("APPROVAL_REJECTED");
  });

  test("a job that was accepted where it needed none waits where it needs one", async ({ open }) => {
    const keyed = [{ name: "app.work", concurrency: [{ key: "key", limit: 1 }] }];
    const lax = await open({ types: keyed, config: people.policy(["name: all, allow: true"]) });
    const strict = await open({ types: keyed, folder: lax.folder, config: asking() });
    const id = await lax.submit("app.work", { name: "a", key: "k" }, {}, { actor: AGENT });
    await strict.worker();
    await strict.reaches(id, ({ state }) => state === "waiting");
    expect(await lax.status(id)).toMatchObject({ state: "waiting", attempt: 0 });
    // Its key is free meanwhile.
    const other = await lax.submit("app.work", { name: "b", key: "k" });
    expect((await lax.settled(other)).state).toBe("completed");
    await people.decide(lax, (await pendingOf(lax, id)).approvalId, "anna");
    expect(await lax.settled(id)).toMatchObject({ state: "completed", attempt: 1 });
  });

  test("children, plain and durable, and the jobs of schedules wait as any other", async ({ open }) => {
    const parent = durable(async (ctx) => ctx.run("app.other", { name: "awaited" }));
    const config = people.policy([
      "name: parents, types: [app.work, app.durable], allow: true",
      "name: ask, approval: { by: [anna] }",
    ]);
    const bench = await open({ types, own: [parent], config });
    await bench.worker();
    const ofDurable = await bench.submit("app.durable", {});
    await waits(bench, ofDurable);
    const ofPlain = await bench.submit("app.work", { name: "p", children: ["plain"], childType: "app.other" });
    await bench.settled(ofPlain);
    const slot = { schedule: "s", instantMs: 0, missed: 0 };
    const scheduled = { actor: AGENT, operation: "schedules.fire", slot };
    await bench.submit("app.other", { name: "fired" }, {}, scheduled);
    const { approvals } = await bench.backend.approvals.list({ state: "pending", limit: 9 });
    const asked = approvals.map(({ subject: { details } }) => details as { operation: string; input: object });
    expect(asked.map(({ operation, input }) => ({ operation, input }))).toEqual(
      expect.arrayContaining([
        { operation: "jobs.enqueue", input: { name: "awaited" } },
        { operation: "jobs.enqueue", input: { name: "plain" } },
        { operation: "schedules.fire", input: { name: "fired" } },
      ]),
    );
    expect((await bench.backend.explain(ofDurable)).sentence).toMatch(/its child \S+ \(app\.other, waiting\)/);
    for (const { approvalId, subject } of approvals) {
      await people.decide(bench, approvalId, "anna");
      expect((await bench.settled(subject.jobId)).state).toBe("completed");
    }
    expect(await bench.settled(ofDurable)).toMatchObject({ state: "completed", result: { name: "awaited" } });
  });

  test("a durable job passes its waits by it, and asks again when it continues with another input", async ({
    open,
  }) => {
    const job = durable(async (ctx, { n }) => {
      await ctx.sleep("1ms");
      await ctx.sleep("1ms");
      if (n === 1) await ctx.continueAs({ n: 2 });
      return n;
    });
    const bench = await open({ own: [job], config: asking() });
    const first = await bench.worker();
    const { jobId, approvalId } = await bench.accept("app.durable", { n: 1 }, {}, { actor: AGENT });
    await people.decide(bench, approvalId ?? "", "anna");
    await bench.reaches(jobId, ({ state, runNumber }) => state === "waiting" && runNumber === 2);
    const next = await pendingOf(bench, jobId);
    expect(next.subject).toMatchObject({ runNumber: 2, position: 0, details: { input: { n: 2 } } });
    await first.stop({ graceMs: 0 });
    await people.decide(bench, next.approvalId, "anna");
    await bench.worker();
    expect(await bench.settled(jobId)).toMatchObject({ state: "completed", result: 2, runNumber: 2 });
  });

  test("a job that is enqueued in a user's own transaction waits too", async ({ open, skip }) => {
    const bench = await open({ types, config: asking() });
    const { embedded, submit } = bench.windlass;
    if (!bench.backend.capabilities.transaction || embedded === undefined)
      return skip("this backend has no transaction");
    await submit.load("app.work");
    const request = { type: "app.work", input: { name: "a" }, options: {}, actor: AGENT };
    const accepted = await embedded.enqueueWith((_, accept) => accept(submit.prepare(request)));
    expect(accepted).toMatchObject({
      state: "waiting",
      approvalId: (await pendingOf(bench, accepted.jobId)).approvalId,
    });
  });

  test("all jobs of one list wait, each for its own", async ({ open }) => {
    const bench = await open({ types, config: asking() });
    const request = (name: string) => ({ type: "app.work", input: { name }, options: {}, actor: AGENT });
    const accepted = await bench.windlass.submit.submit([
      request("a"),
      request("b"),
      { ...request("c"), actor: TESTER },
    ]);
    expect(accepted.map(({ state }) => state)).toEqual(["waiting", "waiting", "queued"]);
    expect(new Set(accepted.map(({ approvalId }) => approvalId)).size).toBe(3);
  });

  test("a child that waits is cancelled with its parent", async ({ open }) => {
    const parent = durable(async (ctx) => ctx.run("app.other", { name: "awaited" }));
    const config = people.policy([
      "name: parents, types: [app.durable], allow: true",
      "name: ask, approval: { by: [anna] }",
    ]);
    const bench = await open({ types, own: [parent], config });
    await bench.worker();
    const id = await bench.submit("app.durable", {});
    await waits(bench, id);
    await bench.cancel(id);
    expect((await bench.backend.approvals.list({ limit: 9 })).approvals).toMatchObject([{ state: "withdrawn" }]);
    expect((await bench.backend.list({ state: "cancelled", limit: 9 })).jobs).toHaveLength(2);
  });

  test("no event moves a job that waits for one", async ({ open }) => {
    const bench = await open({ types, config: asking() });
    await bench.worker();
    const { jobId, approvalId } = await asAgent(bench, "a");
    for (const event of ["approval.decided", "approval", approvalId, `approval:${approvalId}`]) {
      const payload = { approval_id: approvalId, decision: "approved", decided_by: "anna", job_id: jobId };
      expect((await bench.backend.emit({ event, payload }, AGENT)).given).toBe(0);
    }
    expect(await bench.status(jobId)).toMatchObject({ state: "waiting", attempt: 0 });
    expect((await pendingOf(bench, jobId)).decisions).toEqual([]);
  });

  test("a list is by state and job, oldest question first, page by page", async ({ open }) => {
    const clock = new TestClock();
    const bench = await open({ types, config: asking(), clock });
    const asked = [];
    for (const name of ["a", "b", "c"]) {
      asked.push(await asAgent(bench, name));
      await clock.advance(5);
    }
    const { list } = bench.backend.approvals;
    const ids = async (filter: Parameters<typeof list>[0]) =>
      (await list(filter)).approvals.map(({ approvalId }) => approvalId);
    const [a, b, c] = asked.map(({ approvalId }) => approvalId);
    expect(await ids({ limit: 9 })).toEqual([a, b, c]);
    const page = await list({ limit: 2 });
    expect(page.cursor).toBe(b);
    expect(await ids({ limit: 2, cursor: page.cursor ?? "" })).toEqual([c]);
    await asked[1]?.by("anna");
    expect(await ids({ state: "pending", limit: 9 })).toEqual([a, c]);
    expect(await ids({ jobId: asked[2]?.jobId ?? "", limit: 9 })).toEqual([c]);
    await expect(list({ limit: 1, cursor: "x" })).rejects.toMatchObject({ code: "INVALID_INPUT" });
    expect(await bench.backend.approvals.find("x")).toBeUndefined();
  });

  test("retention takes them with their job", async ({ open }) => {
    const clock = new TestClock();
    const bench = await open({ types, config: slowly(), clock });
    const { jobId, approvalId, by } = await asAgent(bench, "a");
    await by("anna", { decision: "rejected" });
    // The newest job stays.
    await bench.submit("app.work", { name: "b" });
    await clock.advance(8 * 24 * HOUR_MS);
    await bench.worker();
    await clock.advance(2 * 60_000);
    expect(await bench.backend.status(jobId)).toBeUndefined();
    expect(await bench.backend.approvals.find(approvalId)).toBeUndefined();
  });
});
