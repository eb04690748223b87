import { afterAll, expect } from "vitest";
import { z } from "zod";
import type { ApproveOptions } from "../../src/job/durable/approve-options.ts";
import { defineDurableJob } from "../../src/job/durable/define-durable-job.ts";
import { secretText } from "../../src/job/secret.ts";
import { Approvers, pendingOf } from "../support/approvers.ts";
import { TestClock } from "../support/clock.ts";
import { durable, emitted, gate, recorded, runDurable, waits } from "../support/durable.ts";
import { needs } from "../support/system.ts";
import { type Bench, TESTER } from "../support/test.ts";
import { conformance } from "./backends.ts";

needs("ssh");
const people = new Approvers("anna", "bert", "carl");
afterAll(() => people[Symbol.dispose]());

const ALLOW = "name: all, allow: true";
const MINUTE_MS = 60_000;
const config = () => people.policy([ALLOW]);

/** Asks once, and answers what came of it. */
const asks = (options: Partial<ApproveOptions> = {}) =>
  durable((ctx) => ctx.approve({ title: "Deploy 7", details: { tag: "v7" }, ...options }));

/** Starts the durable job of a bench; its approval as soon as it waits for one. */
async function asked(bench: Bench, input: object = {}) {
  const id = await bench.submit("app.durable", input);
  await waits(bench, id);
  return { id, approval: await pendingOf(bench, id) };
}

/** The questions of a job that runs, in the order of their positions, as soon as there are so many. */
async function questions(bench: Bench, jobId: string, count: number) {
  for (;;) {
    const { approvals } = await bench.backend.approvals.list({ jobId, limit: 9 });
    if (approvals.length >= count) return approvals.toSorted((a, b) => a.subject.position - b.subject.position);
    await new Promise(setImmediate);
  }
}

conformance("ctx.approve", (test) => {
  test("asks people, waits without a slot, and answers what they decided", async ({ open }) => {
    const bench = await open({ own: [asks()], types: [{ name: "app.work" }], config: config() });
    await bench.worker({ concurrency: 1 });
    const { id, approval } = await asked(bench);
    expect(approval).toMatchObject({
      state: "pending",
      askedBy: TESTER,
      subject: { kind: "call", jobId: id, runNumber: 1, position: 1, title: "Deploy 7", details: { tag: "v7" } },
      terms: { approvers: [], quorum: 1, level: "advisory" },
      expiresAtMs: approval.askedAtMs + 24 * 60 * MINUTE_MS,
    });
    await bench.settled(await bench.submit("app.work", { name: "other" }));
    await people.decide(bench, approval.approvalId, "anna", { reason: "looks well" });
    expect(await bench.settled(id)).toMatchObject({
      state: "completed",
      result: {
        approvalId: approval.approvalId,
        decision: "approved",
        decidedBy: "anna",
        reason: "looks well",
        level: "advisory",
      },
    });
    expect(await bench.backend.approvals.find(approval.approvalId)).toMatchObject({ usedAtMs: expect.any(Number) });
    const events = (await bench.events(id)).filter((event) => event.startsWith("approval."));
    expect(events).toEqual(["approval.asked", "approval.decided", "approval.used"]);
  });

  test("a rejection is an answer, and a veto against any number of approvals", async ({ open }) => {
    const bench = await open({ own: [asks({ quorum: 3 })], config: config() });
    await bench.worker();
    const { id, approval } = await asked(bench);
    for (const name of ["anna", "bert"]) await people.decide(bench, approval.approvalId, name);
    expect((await bench.status(id)).state).toBe("waiting");
    await people.decide(bench, approval.approvalId, "carl", { decision: "rejected", reason: "no" });
    expect((await bench.settled(id)).result).toMatchObject({ decision: "rejected", decidedBy: "carl", reason: "no" });
    expect(await bench.backend.approvals.find(approval.approvalId)).toMatchObject({ state: "rejected" });
  });

  test("a quorum names all who approved", async ({ open }) => {
    const bench = await open({ own: [asks({ quorum: 2, approvers: ["anna", "bert"] })], config: config() });
    await bench.worker();
    const { id, approval } = await asked(bench);
    // Not asked: it is stored, and does not count.
    await people.decide(bench, approval.approvalId, "carl");
    await people.decide(bench, approval.approvalId, "bert");
    await waits(bench, id, 2);
    await people.decide(bench, approval.approvalId, "anna");
    expect((await bench.settled(id)).result).toMatchObject({ decision: "approved", decidedBy: "bert, anna" });
  });

  test("expiry is an answer, or an error where the code wants one", async ({ open }) => {
    for (const onExpiry of ["return", "fail"] as const) {
      const clock = new TestClock();
      const own = [asks({ expiresIn: "10m", onExpiry })];
      const bench = await open({ own, config: { ...config(), "worker.tick": "10s" }, clock });
      await bench.worker();
      const id = await bench.submit("app.durable", {});
      await clock.advance(1_000);
      const approval = await pendingOf(bench, id);
      await clock.advance(10 * MINUTE_MS - 1_000);
      expect((await bench.status(id)).state).toBe("waiting");
      await clock.advance(10_000);
      expect(await bench.backend.approvals.find(approval.approvalId)).toMatchObject({ state: "expired" });
      expect(await bench.status(id)).toMatchObject(
        onExpiry === "return"
          ? { state: "completed", result: { decision: "expired", decidedBy: "", reason: "", level: null } }
          : { state: "failed", error: { code: "APPROVAL_EXPIRED" } },
      );
    }
  });

  test("one that was taken back before the job went on is no approval", async ({ open }) => {
    const bench = await open({ own: [asks()], config: config() });
    const first = await bench.worker();
    const { id, approval } = await asked(bench);
    await first.stop({ graceMs: 0 });
    await people.decide(bench, approval.approvalId, "anna");
    expect(await people.decide(bench, approval.approvalId, "bert", { decision: "revoked", reason: "oh" })).toEqual({
      kind: "stored",
      state: "revoked",
    });
    await bench.worker();
    expect((await bench.settled(id)).result).toMatchObject({ decision: "revoked", decidedBy: "bert", reason: "oh" });
  });

  test("is verified again each time the code passes, in whatever worker, and answers the same", async ({ open }) => {
    const seen: unknown[] = [];
    const job = durable(async (ctx) => {
      seen.push(await ctx.approve({ title: "a", details: { b: [1, null] } }));
      await ctx.waitFor("go");
    });
    const bench = await open({ own: [job], config: config() });
    const first = await bench.worker();
    const { id, approval } = await asked(bench);
    await people.decide(bench, approval.approvalId, "anna");
    await waits(bench, id, 2);
    await first.stop({ graceMs: 0 });
    await bench.worker();
    await emitted(bench, "go");
    expect((await bench.settled(id)).state).toBe("completed");
    expect(seen).toEqual([seen[0], seen[0]]);
    expect((await bench.events(id)).filter((event) => event === "approval.used")).toHaveLength(1);
  });

  test("an approver who was taken out of the policy meanwhile ends the run, past the code's own catch", async ({
    open,
  }) => {
    const seen: unknown[] = [];
    const job = durable(async (ctx) => {
      try {
        await ctx.approve({ title: "a" });
        seen.push("approved");
        await ctx.waitFor("go");
        seen.push("went on");
      } catch {
        seen.push("caught");
      }
    });
    const bench = await open({ own: [job], config: config() });
    const first = await bench.worker();
    const { id, approval } = await asked(bench);
    await people.decide(bench, approval.approvalId, "anna");
    await waits(bench, id, 2);
    await first.stop({ graceMs: 0 });
    const later = await open({ own: [job], folder: bench.folder, config: people.policy([ALLOW], ["bert"]) });
    await later.worker();
    await emitted(bench, "go");
    expect(await bench.settled(id)).toMatchObject({ state: "failed", error: { code: "APPROVER_UNKNOWN" } });
    expect(seen).toEqual(["approved"]);
  });

  test("inside all it is answered although other calls still wait, and while others are made", async ({ open }) => {
    const inside = gate();
    const job = durable(async (ctx) => {
      const { leave, other } = await ctx.all({
        leave: () => ctx.approve({ title: "a" }),
        other: () => ctx.approve({ title: "b", expiresIn: "1h" }),
        step: () => ctx.step("slow", () => inside.pass()),
        paid: () => ctx.waitFor("paid"),
      });
      return [leave.decision, other.decision];
    });
    const bench = await open({ own: [job], config: config() });
    await bench.worker();
    const id = await bench.submit("app.durable", {});
    await inside.reached;
    const [leave, other] = await questions(bench, id, 2);
    // While its job runs.
    await people.decide(bench, leave?.approvalId ?? "", "anna");
    inside.open();
    await waits(bench, id);
    expect(await bench.backend.approvals.find(leave?.approvalId ?? "")).toMatchObject({ usedAtMs: expect.any(Number) });
    expect((await bench.backend.explain(id)).sentence).toMatch(
      /for an approval \(\S+\) by any approver .*\(position 2\)/,
    );
    await people.decide(bench, other?.approvalId ?? "", "bert", { decision: "rejected" });
    await waits(bench, id, 2);
    expect(await bench.backend.approvals.find(other?.approvalId ?? "")).toMatchObject({ state: "rejected" });
    await emitted(bench, "paid");
    expect((await bench.settled(id)).result).toEqual(["approved", "rejected"]);
    expect(await recorded(bench, id)).toEqual(["1 approve a", "2 approve b", "3 step slow", "4 waitFor paid"]);
  });

  test("other arguments at its position are NON_DETERMINISTIC, before anything that was approved counts", async ({
    open,
  }) => {
    let tag = "v7";
    const job = durable(async (ctx) => {
      await ctx.approve({ title: "Deploy", details: { tag } });
      await ctx.waitFor("go");
    });
    const bench = await open({ own: [job], config: config() });
    const first = await bench.worker();
    const { id, approval } = await asked(bench);
    await people.decide(bench, approval.approvalId, "anna");
    await waits(bench, id, 2);
    await first.stop({ graceMs: 0 });
    tag = "v8";
    await bench.worker();
    await emitted(bench, "go");
    expect(await bench.settled(id)).toMatchObject({ state: "failed", error: { code: "NON_DETERMINISTIC" } });
  });

  test("cancel withdraws the question", async ({ open }) => {
    const bench = await open({ own: [asks()], config: config() });
    await bench.worker();
    const { id, approval } = await asked(bench);
    expect(await bench.cancel(id)).toEqual({ kind: "cancelled" });
    expect(await people.decide(bench, approval.approvalId, "anna")).toEqual({
      kind: "closed",
      state: "withdrawn",
      used: false,
    });
  });

  test("is good for its run: a run that is started over, or continues, asks again", async ({ open }) => {
    const job = durable(async (ctx, { n }) => {
      const { decidedBy } = await ctx.approve({ title: "a" });
      if (n === 1) await ctx.continueAs({ n: 2 });
      return decidedBy;
    });
    const bench = await open({ own: [job], config: config() });
    await bench.worker();
    const { id, approval } = await asked(bench, { n: 1 });
    await people.decide(bench, approval.approvalId, "anna");
    await bench.reaches(id, ({ runNumber, state }) => runNumber === 2 && state === "waiting");
    await people.decide(bench, (await pendingOf(bench, id)).approvalId, "bert");
    expect(await bench.settled(id)).toMatchObject({ result: "bert", runNumber: 2 });
    await bench.replay(id);
    await bench.reaches(id, ({ runNumber, state }) => runNumber === 3 && state === "waiting");
    await people.decide(bench, (await pendingOf(bench, id)).approvalId, "carl");
    expect(await bench.settled(id)).toMatchObject({ result: "carl", runNumber: 3 });
    expect((await bench.backend.approvals.list({ jobId: id, limit: 9 })).approvals).toHaveLength(3);
  });

  test("jobs retry --from takes no approval over: it begins at one or before", async ({ open }) => {
    const job = durable(async (ctx) => {
      await ctx.step("build", () => 1);
      await ctx.approve({ title: "leave" });
      await ctx.step("deploy", () => Promise.reject(new Error("no")));
    });
    const bench = await open({ own: [job], config: config() });
    await bench.worker();
    const { id, approval } = await asked(bench);
    await people.decide(bench, approval.approvalId, "anna");
    await bench.settled(id);
    await expect(bench.backend.replay(id, TESTER, { from: "deploy" })).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: expect.stringContaining("give a position up to 2"),
    });
    await bench.backend.replay(id, TESTER, { from: "leave" });
    await bench.reaches(id, ({ runNumber, state }) => runNumber === 2 && state === "waiting");
    expect(await pendingOf(bench, id)).toMatchObject({ subject: { runNumber: 2, position: 2 } });
    await bench.cancel(id);
  });

  test("no event answers it", async ({ open }) => {
    const bench = await open({ own: [asks()], config: config() });
    await bench.worker();
    const { id, approval } = await asked(bench);
    const { approvalId } = approval;
    for (const event of ["approval.decided", "approve", "Deploy 7", approvalId]) {
      const payload = { approval_id: approvalId, decision: "approved", decided_by: ["anna"] };
      expect((await emitted(bench, event, payload)).given).toBe(0);
    }
    expect(await bench.status(id)).toMatchObject({ state: "waiting", attempt: 1 });
    await bench.cancel(id);
  });

  test("explain and logs show its position, and whose leave it waits for", async ({ open }) => {
    const clock = new TestClock(Date.UTC(2026, 10, 21, 12));
    const own = [asks({ approvers: ["anna", "bert"], expiresIn: "1h" })];
    const bench = await open({ own, config: config(), clock });
    await bench.worker();
    const id = await bench.submit("app.durable", {});
    await clock.advance(100);
    const { approvalId } = await pendingOf(bench, id);
    const { reason, sentence } = await bench.backend.explain(id);
    expect(reason).toBe("approval");
    expect(sentence).toMatch(
      new RegExp(
        `^It waits for an approval \\(${approvalId}\\) by anna or bert until 2026-11-21T13:\\S+ \\(in \\S+\\) \\(position 1\\): windlass approvals show ${approvalId}\\.$`,
      ),
    );
    const issued = (await bench.backend.history(id)).find(({ event }) => event === "call.issued");
    expect(issued?.data).toMatchObject({
      position: 1,
      call: "approve",
      name: "Deploy 7",
      waits_for: "approval",
      approval_id: approvalId,
    });
    await bench.cancel(id);
  });
});

conformance("what ctx.approve asks for", (test) => {
  test("is refused before anything is recorded where it cannot be asked", async ({ open }) => {
    const wrong: readonly Partial<ApproveOptions>[] = [
      { title: "" },
      { title: "x".repeat(201) },
      { title: "two\nlines" },
      { title: "red \u001b[31m" },
      { title: "\u202eevil" },
      { title: " x" },
      { approvers: ["anna", "anna"] },
      { approvers: ["anna"], quorum: 2 },
      { quorum: 0 },
      { quorum: 1.5 },
      { expiresIn: "59s" },
      { expiresIn: "367d" },
      { details: "x".repeat(70_000) },
    ];
    const job = durable(async (ctx) => {
      const codes: string[] = [];
      for (const options of wrong)
        await ctx
          .approve({ title: "a", ...options })
          .then(() => codes.push("none"))
          .catch((error: { code: string }) => codes.push(error.code));
      return codes;
    });
    const bench = await open({ own: [job], config: config() });
    await bench.worker();
    const done = await runDurable(bench);
    expect(done.result).toEqual([
      ...Array.from({ length: 10 }, () => "INVALID_INPUT"),
      ...["INVALID_DURATION", "INVALID_DURATION", "TOO_LARGE"],
    ]);
    expect(await recorded(bench, done.jobId)).toEqual([]);
  });

  test("nobody could decide: that is its answer, recorded, now and on replay", async ({ open }) => {
    const seen: unknown[] = [];
    const ask = (options: Partial<ApproveOptions>) =>
      durable(async (ctx) => {
        seen.push(
          await ctx.approve({ title: "a", ...options }).catch(({ code, message }) => `${code}: ${message as string}`),
        );
        await ctx.waitFor("go", { timeout: "1ms" });
      });
    const cases = [
      [{}, undefined, /^APPROVER_UNKNOWN: nobody can decide/],
      [{ approvers: ["zoe"] }, config(), /^APPROVER_UNKNOWN: zoe may not decide/],
      [{ quorum: 4 }, config(), /^APPROVER_UNKNOWN: 4 must approve, and only 3 may/],
      [
        { approvers: ["anna"] },
        people.policy(["name: ask, operations: [approvals.ask], approval: { by: [bert] }", ALLOW]),
        /^APPROVER_UNKNOWN: none of anna may decide: the rule ask names bert/,
      ],
    ] as const;
    for (const [options, policy, message] of cases) {
      const bench = await open({ own: [ask(options)], ...(policy === undefined ? {} : { config: policy }) });
      await bench.worker();
      expect((await runDurable(bench)).state).toBe("completed");
      expect(seen.pop()).toMatch(message);
    }
  });

  test("is at least what the policy wants of it", async ({ open }) => {
    const policy = people.policy([
      "name: ask, operations: [approvals.ask], approval: { by: [anna, bert], quorum: 2, expires: 1h }",
      ALLOW,
    ]);
    const own = [asks({ approvers: ["carl", "bert", "anna"], quorum: 1, expiresIn: "2h" })];
    const bench = await open({ own, config: policy });
    await bench.worker();
    const { id, approval } = await asked(bench);
    expect(approval).toMatchObject({
      terms: { approvers: ["bert", "anna"], quorum: 2, level: "advisory", rule: "ask" },
      expiresAtMs: approval.askedAtMs + 60 * MINUTE_MS,
    });
    for (const name of ["anna", "bert"]) await people.decide(bench, approval.approvalId, name);
    expect((await bench.settled(id)).result).toMatchObject({ decision: "approved", decidedBy: "anna, bert" });
  });

  test("enforced is not what a plain key can give", async ({ open }) => {
    const bench = await open({ own: [asks({ level: "enforced" })], config: config() });
    await bench.worker();
    const { id, approval } = await asked(bench);
    await people.decide(bench, approval.approvalId, "anna");
    await waits(bench, id, 2);
    const refused = (await bench.backend.history(id)).filter(({ event }) => event === "approval.refused");
    expect(refused).toMatchObject([{ data: { by: "anna", error: { code: "APPROVAL_LEVEL" } } }]);
    expect(await bench.backend.approvals.find(approval.approvalId)).toMatchObject({ state: "pending" });
    await bench.cancel(id);
  });

  test("shows no secret that the job resolved", async ({ open }) => {
    const job = defineDurableJob({
      name: "app.durable",
      input: z.strictObject({ token: secretText() }),
      secrets: ["TOKEN"],
      run: ({ token }, ctx) => ctx.approve({ title: `Use ${String(token)}`, details: { token } }),
    });
    const bench = await open({ own: [job], config: config(), environment: { TOKEN: "s3cr3t-value" } });
    await bench.worker();
    const { id, approval } = await asked(bench, { token: { $secret: "TOKEN" } });
    expect(JSON.stringify(approval)).not.toContain("s3cr3t-value");
    await people.decide(bench, approval.approvalId, "anna");
    expect((await bench.settled(id)).state).toBe("completed");
  });
});
