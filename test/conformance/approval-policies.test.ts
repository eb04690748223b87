import { expect } from "vitest";
import { pendingOf } from "../support/approvers.ts";
import { durable, emitted, waits } from "../support/durable.ts";
import { AGENT } from "../support/test.ts";
import { approvalConformance } from "./backends.ts";

// Two benches share the records, each with a policy of its own; where an approval is used, that one's policy counts.

approvalConformance("an approval where policies differ", (test) => {
  test("is judged by the worker that uses it: a policy that became stricter asks for more", async ({ openAsking }) => {
    const lax = await openAsking();
    const strict = await openAsking({ folder: lax.folder, approval: "by: [anna, bert, carl], quorum: 2" });
    const { jobId, decide } = await lax.ask();
    await decide("anna");
    expect((await lax.status(jobId)).state).toBe("queued");
    await strict.worker();
    await strict.reaches(jobId, ({ state }) => state === "waiting");
    expect(await pendingOf(lax, jobId)).toMatchObject({ terms: { quorum: 2 } });
    await decide("carl");
    expect(await lax.settled(jobId)).toMatchObject({ state: "completed", attempt: 1 });
  });

  test("a run that has begun keeps its keys while it waits for that more, and goes on with them", async ({
    openAsking,
  }) => {
    const own = [durable((ctx) => ctx.waitFor("go"), { concurrency: [{ limit: 1 }] })];
    const lax = await openAsking({ own });
    const strict = await openAsking({ own, folder: lax.folder, approval: "by: [anna, bert], quorum: 2" });
    const { jobId, decide } = await lax.ask("app.durable", {});
    await decide("anna");
    const worker = await lax.worker();
    await waits(lax, jobId);
    await worker.stop({ graceMs: 0 });
    await emitted(lax, "go", 1);
    await strict.worker();
    await strict.reaches(jobId, ({ state, attempt }) => state === "waiting" && attempt === 1);
    const other = await lax.submit("app.durable", {});
    expect((await lax.backend.explain(other)).reason).toBe("key");
    await decide("bert");
    expect(await lax.settled(jobId)).toMatchObject({ state: "completed", result: 1 });
    await emitted(lax, "go", 2);
    expect(await lax.settled(other)).toMatchObject({ state: "completed", result: 2 });
  });

  test("by somebody whom that policy does not know does not count", async ({ openAsking }) => {
    const lax = await openAsking();
    const strict = await openAsking({ folder: lax.folder, approval: "by: [bert, carl]", known: ["bert", "carl"] });
    const { jobId, decide } = await lax.ask();
    await decide("anna");
    await strict.worker();
    await strict.reaches(jobId, ({ state }) => state === "waiting");
    const refused = (await lax.backend.history(jobId)).filter(({ event }) => event === "approval.refused");
    expect(refused).toMatchObject([{ data: { by: "anna", error: { code: "APPROVER_UNKNOWN" } } }]);
    await decide("bert");
    expect((await lax.settled(jobId)).state).toBe("completed");
  });

  test("whoever's yes did not count there may decide again", async ({ openAsking }) => {
    const lax = await openAsking({ approval: "by: [anna], level: advisory" });
    const strict = await openAsking({ folder: lax.folder, approval: "by: [anna], level: enforced" });
    const again = await lax.ask("app.work", { name: "a" });
    const no = await lax.ask("app.work", { name: "b" });
    await again.decide("anna");
    await no.decide("anna");
    const worker = await strict.worker();
    for (const { jobId } of [again, no]) await strict.reaches(jobId, ({ state }) => state === "waiting");
    await worker.stop({ graceMs: 0 });
    expect(await no.decide("anna", { decision: "rejected" })).toEqual({ kind: "stored", state: "rejected" });
    expect(await again.decide("anna")).toEqual({ kind: "stored", state: "approved" });
    await lax.worker();
    expect((await lax.settled(again.jobId)).state).toBe("completed");
    expect((await lax.settled(no.jobId)).error?.code).toBe("APPROVAL_REJECTED");
  });

  test("a job that was accepted where it needed none waits where it needs one", async ({
    open,
    openAsking,
    people,
  }) => {
    const types = [{ name: "app.work", concurrency: [{ key: "key", limit: 1 }] }];
    const lax = await open({ types, config: people.policy() });
    const strict = await openAsking({ types, folder: lax.folder });
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
});
