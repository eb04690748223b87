import { expect } from "vitest";
import { approvalConformance } from "./backends.ts";

approvalConformance("decisions of approvals", (test) => {
  test("a quorum is of different people, and nobody decides twice", async ({ openAsking }) => {
    const bench = await openAsking({ approval: "by: [anna, bert, carl], quorum: 2" });
    await bench.worker();
    const { jobId, approvalId, decide } = await bench.ask();
    expect(await decide("anna")).toEqual({ kind: "stored", state: "pending" });
    expect(await decide("anna")).toEqual({ kind: "repeated" });
    expect(await decide("anna", { decision: "rejected" })).toEqual({ kind: "repeated" });
    expect((await bench.status(jobId)).state).toBe("waiting");
    expect(await decide("carl")).toEqual({ kind: "stored", state: "approved" });
    expect((await bench.settled(jobId)).state).toBe("completed");
    const used = await bench.backend.approvals.find(approvalId);
    expect(used?.decisions.map(({ principal, decision }) => [principal, decision])).toEqual([
      ["anna", "approved"],
      ["carl", "approved"],
    ]);
  });

  test("one can be taken back until the job goes on by it: a job that is still to run fails at once", async ({
    openAsking,
  }) => {
    const bench = await openAsking();
    const { jobId, approvalId, decide } = await bench.ask();
    expect(await decide("anna", { decision: "revoked" })).toEqual({ kind: "closed", state: "pending", used: false });
    await decide("anna");
    expect((await bench.status(jobId)).state).toBe("queued");
    expect(await decide("bert", { decision: "revoked", reason: "a mistake" })).toEqual({
      kind: "stored",
      state: "revoked",
    });
    expect(await bench.status(jobId)).toMatchObject({
      state: "failed",
      error: { code: "APPROVAL_REVOKED", message: `bert took the approval ${approvalId} back: a mistake` },
    });
  });

  test("one that waits for a second yes can be taken back too", async ({ openAsking }) => {
    const bench = await openAsking({ approval: "by: [anna, bert, carl], quorum: 2" });
    const { jobId, approvalId, decide } = await bench.ask();
    await decide("anna");
    expect(await decide("anna", { decision: "revoked" })).toEqual({ kind: "stored", state: "revoked" });
    expect(await bench.status(jobId)).toMatchObject({
      state: "failed",
      error: { code: "APPROVAL_REVOKED", message: `anna took the approval ${approvalId} back` },
    });
    expect(await decide("bert")).toEqual({ kind: "closed", state: "revoked", used: false });
  });

  test("one that the job went on by can be taken back no more", async ({ openAsking }) => {
    const bench = await openAsking();
    await bench.worker();
    const { jobId, decide } = await bench.ask();
    await decide("anna");
    await bench.settled(jobId);
    expect(await decide("bert", { decision: "revoked" })).toEqual({ kind: "closed", state: "approved", used: true });
  });
});
