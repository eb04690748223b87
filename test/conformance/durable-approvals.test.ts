import { expect } from "vitest";
import { pendingOf, questions } from "../support/approvers.ts";
import { approveOnce, HOUR_MS } from "../support/asking.ts";
import { TestClock } from "../support/clock.ts";
import { durable, emitted, gate, recorded, waits } from "../support/durable.ts";
import { TESTER } from "../support/test.ts";
import { approvalConformance } from "./backends.ts";

const MINUTE_MS = 60_000;

approvalConformance("ctx.approve", (test) => {
  test("asks people, waits without a slot, and answers what they decided", async ({ open, people }) => {
    const bench = await open({ own: [approveOnce()], types: [{ name: "app.work" }], config: people.policy() });
    await bench.worker({ concurrency: 1 });
    const id = await bench.submit("app.durable", {});
    await waits(bench, id);
    const approval = await pendingOf(bench, id);
    expect(approval).toMatchObject({
      state: "pending",
      askedBy: TESTER,
      subject: { kind: "call", jobId: id, runNumber: 1, position: 1, title: "Deploy 7", details: { tag: "v7" } },
      terms: { approvers: [], quorum: 1, level: "advisory" },
      expiresAtMs: approval.askedAtMs + 24 * HOUR_MS,
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

  test("a rejection is an answer, and a veto against any number of approvals", async ({ askedBy }) => {
    const { bench, id, approval, decide } = await askedBy(approveOnce({ quorum: 3 }));
    for (const name of ["anna", "bert"]) await decide(name);
    expect((await bench.status(id)).state).toBe("waiting");
    await decide("carl", { decision: "rejected", reason: "no" });
    expect((await bench.settled(id)).result).toMatchObject({ decision: "rejected", decidedBy: "carl", reason: "no" });
    expect(await bench.backend.approvals.find(approval.approvalId)).toMatchObject({ state: "rejected" });
  });

  test("a quorum names all who approved", async ({ askedBy }) => {
    const { bench, id, decide } = await askedBy(approveOnce({ quorum: 2, approvers: ["anna", "bert"] }));
    // Not asked: it is stored, and does not count.
    await decide("carl");
    await decide("bert");
    await waits(bench, id, 2);
    await decide("anna");
    expect((await bench.settled(id)).result).toMatchObject({ decision: "approved", decidedBy: "bert, anna" });
  });

  test("expiry is an answer, or an error where the code wants one", async ({ open, people }) => {
    for (const onExpiry of ["return", "fail"] as const) {
      const clock = new TestClock();
      const own = [approveOnce({ expiresIn: "10m", onExpiry })];
      const bench = await open({ own, config: { ...people.policy(), "worker.tick": "10s" }, clock });
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

  test("one that was taken back before the job went on is no approval", async ({ askedBy }) => {
    const { bench, worker, id, decide } = await askedBy(approveOnce());
    await worker.stop({ graceMs: 0 });
    await decide("anna");
    expect(await decide("bert", { decision: "revoked", reason: "oh" })).toEqual({ kind: "stored", state: "revoked" });
    await bench.worker();
    expect((await bench.settled(id)).result).toMatchObject({ decision: "revoked", decidedBy: "bert", reason: "oh" });
  });

  test("inside all it is answered although other calls still wait, and while others are made", async ({
    open,
    people,
  }) => {
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
    const bench = await open({ own: [job], config: people.policy() });
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

  test("cancel withdraws the question", async ({ askedBy }) => {
    const { bench, id, decide } = await askedBy(approveOnce());
    expect(await bench.cancel(id)).toEqual({ kind: "cancelled" });
    expect(await decide("anna")).toEqual({ kind: "closed", state: "withdrawn", used: false });
  });

  test("no event answers it", async ({ askedBy }) => {
    const { bench, id, approval } = await askedBy(approveOnce());
    const { approvalId } = approval;
    for (const event of ["approval.decided", "approve", "Deploy 7", approvalId]) {
      const payload = { approval_id: approvalId, decision: "approved", decided_by: ["anna"] };
      expect((await emitted(bench, event, payload)).given).toBe(0);
    }
    expect(await bench.status(id)).toMatchObject({ state: "waiting", attempt: 1 });
    await bench.cancel(id);
  });

  test("explain and logs show its position, and whose leave it waits for", async ({ open, people }) => {
    const clock = new TestClock(Date.UTC(2026, 10, 21, 12));
    const own = [approveOnce({ approvers: ["anna", "bert"], expiresIn: "1h" })];
    const bench = await open({ own, config: people.policy(), clock });
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
