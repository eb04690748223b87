import { expect } from "vitest";
import { Approvers } from "../../../test/support/approvers.ts";
import { needs } from "../../../test/support/system.ts";
import { type Bench, EMBEDDED, TESTER, testOn } from "../../../test/support/test.ts";
import type { Approval } from "../../approval/approval.ts";
import { SKEW_MS } from "../../approval/check-decision.ts";
import { storeDecision } from "./store-decision.ts";

needs("ssh");
const test = testOn(EMBEDDED);

const RULES = ["name: ask, types: [work], approval: { by: [anna, bert], quorum: 2 }", "name: all, allow: true"];

async function askedOn(bench: Bench): Promise<Approval> {
  const { approvalId = "" } = await bench.accept("work", { name: "x" }, {}, { actor: { ...TESTER, kind: "agent" } });
  return (await bench.backend.approvals.find(approvalId)) ?? expect.fail("nothing was asked");
}

test("what has happened since it was looked at decides", async ({ open }) => {
  using people = new Approvers("anna", "bert", "carl");
  const bench = await open({ types: [{ name: "work" }], config: people.policy(RULES) });
  const { backend, windlass } = bench;
  const nowMs = windlass.clock.now();
  const give = (approval: Approval, who: string, more: Parameters<Approvers["sign"]>[3] = {}, atMs = nowMs) =>
    storeDecision(approval, people.sign(approval, who, nowMs, more), {
      approvals: backend.approvals,
      inForce: windlass.gate.inForce,
      nowMs: atMs,
    });
  const seen = await askedOn(bench);
  expect(await give(seen, "anna")).toMatchObject({ state: "pending", verified: { principal: "anna" } });
  // Each of these still holds the approval as nobody had decided about it.
  await expect(give(seen, "anna")).rejects.toMatchObject({ code: "APPROVAL_REPEATED" });
  await expect(give(seen, "carl")).rejects.toMatchObject({ code: "APPROVER_UNKNOWN" });
  await expect(give(seen, "bert", { decidedAtMs: nowMs + SKEW_MS + 1 })).rejects.toMatchObject({
    code: "APPROVAL_ALTERED",
    message: expect.stringContaining("still to come"),
  });
  await expect(give(seen, "bert", {}, seen.expiresAtMs + 1)).rejects.toMatchObject({ code: "APPROVAL_EXPIRED" });
  expect(await give(seen, "bert", { decision: "rejected" })).toMatchObject({ state: "rejected" });
  await expect(give(seen, "bert")).rejects.toMatchObject({ code: "APPROVAL_CLOSED", details: { state: "rejected" } });
  const gone = { ...seen, approvalId: seen.subject.jobId };
  await expect(give(gone, "bert")).rejects.toMatchObject({ code: "APPROVAL_NOT_FOUND" });
});

test("a question whose job was cancelled is withdrawn", async ({ open }) => {
  using people = new Approvers("anna", "bert");
  const bench = await open({ types: [{ name: "work" }], config: people.policy(RULES) });
  const seen = await askedOn(bench);
  await bench.cancel(seen.subject.jobId);
  const signed = people.sign(seen, "anna", bench.windlass.clock.now());
  const parts = {
    approvals: bench.backend.approvals,
    inForce: bench.windlass.gate.inForce,
    nowMs: bench.windlass.clock.now(),
  };
  await expect(storeDecision(seen, signed, parts)).rejects.toMatchObject({
    code: "APPROVAL_CLOSED",
    message: expect.stringContaining("is withdrawn already; its job has ended"),
  });
});
