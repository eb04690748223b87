import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { exec, type OpenOptions } from "../../src/index.ts";
import { makePlainKey, type PlainKey, signPlainly } from "../support/plain-key.ts";
import { needs } from "../support/system.ts";
import { libraryConformance } from "./backends.ts";

needs("ssh");

const JOB = { argv: ["true"] };
const NOBODY = "01900000-0000-7000-8000-000000000000";

/** Two approvers with keys, and how clients are opened by the policy that names them. */
function peopleIn(folder: string): { anna: PlainKey; bert: PlainKey; agent: OpenOptions; person: OpenOptions } {
  const [anna, bert] = [makePlainKey(folder, "anna", "anna"), makePlainKey(folder, "bert", "bert")];
  const policy = join(folder, "policy.yaml");
  writeFileSync(
    policy,
    `version: 1
approvers:
  - { principal: anna, key: "${anna.publicKey}" }
  - { principal: bert, key: "${bert.publicKey}" }
rules:
  - { name: ask, actors: ["agent:*"], types: [exec], approval: { by: [anna, bert], quorum: 2 } }
  - { name: all, allow: true }
`,
  );
  const config = { policy };
  return { anna, bert, agent: { config, actor: "agent:codex" }, person: { config } };
}

libraryConformance("library: approvals through the library", (test) => {
  test("are listed, shown, and decided here and elsewhere; then the job runs", async ({ open, folder }) => {
    const { anna, bert, agent, person } = peopleIn(folder);
    const asking = await open(agent);
    const client = await open(person);
    const { jobId, approvalId: asked, state } = await asking.submit(exec, JOB);
    expect(state).toBe("waiting");
    const { approvals, cursor } = await client.approvals.list({ jobId });
    expect(cursor).toBeNull();
    expect(approvals).toMatchObject([
      {
        kind: "job",
        jobId,
        runNumber: 1,
        position: 0,
        state: "pending",
        title: "exec for agent:codex: true",
        details: { type: "exec", input: JOB },
        askedBy: { kind: "agent", name: "codex", via: "library" },
        approvers: ["anna", "bert"],
        quorum: 2,
        level: "advisory",
        concludedAt: null,
        usedAt: null,
      },
    ]);
    const [{ approvalId, digest, askedAt, expiresAt } = expect.fail("none is listed")] = approvals;
    expect(approvalId).toBe(asked);
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
    expect(expiresAt.getTime() - askedAt.getTime()).toBe(86_400_000);
    expect(await client.approvals.decide(approvalId, { decision: "approved", reason: "fine", key: anna.path })).toEqual(
      {
        approvalId,
        principal: "anna",
        decision: "approved",
        state: "pending",
        level: "advisory",
        advisoryBecause: expect.arrayContaining([expect.stringContaining("the key of anna is a plain one")]),
      },
    );
    const statement = await client.approvals.statement(approvalId, { decision: "approved", as: "bert" });
    const signature = signPlainly(bert.path, statement);
    expect(await client.approvals.decide(approvalId, { statement, signature })).toMatchObject({ state: "approved" });
    expect(await client.approvals.show(approvalId)).toMatchObject({
      state: "approved",
      judgement: "approved",
      decisions: [
        { principal: "anna", decision: "approved", reason: "fine", level: "advisory", error: null },
        { principal: "bert" },
      ],
    });
    await client.startWorker();
    expect((await client.wait(jobId)).state).toBe("completed");
    expect((await client.approvals.list()).approvals).toEqual([]);
    expect((await client.approvals.list({ state: "all" })).approvals).toMatchObject([{ usedAt: expect.any(Date) }]);
  });

  test("are refused with a code: by agents, twice, of nothing, with words that are wrong", async ({ open, folder }) => {
    const { anna, bert, agent, person } = peopleIn(folder);
    const [asking, client] = [await open(agent), await open(person)];
    const { jobId } = await asking.submit(exec, JOB);
    const { approvals } = await client.approvals.list({ jobId });
    const approvalId = approvals[0]?.approvalId ?? "";
    const yes = { decision: "approved", key: anna.path } as const;
    await expect(asking.approvals.decide(approvalId, yes)).rejects.toMatchObject({ code: "APPROVAL_BY_AGENT" });
    await expect(asking.approvals.statement(approvalId, { decision: "rejected" })).rejects.toMatchObject({
      code: "APPROVAL_BY_AGENT",
    });
    expect(await asking.approvals.show(approvalId)).toMatchObject({ state: "pending" });
    expect(await client.approvals.show(NOBODY)).toBeUndefined();
    await expect(client.approvals.decide(NOBODY, yes)).rejects.toMatchObject({ code: "APPROVAL_NOT_FOUND" });
    await client.approvals.decide(approvalId, yes);
    await expect(client.approvals.decide(approvalId, yes)).rejects.toMatchObject({ code: "APPROVAL_REPEATED" });
    const statement = await client.approvals.statement(approvalId, { decision: "approved", as: "bert" });
    const foreign = { statement, signature: signPlainly(anna.path, statement) };
    await expect(client.approvals.decide(approvalId, foreign)).rejects.toMatchObject({ code: "APPROVAL_SIGNATURE" });
    const changed = { statement: `${statement} `, signature: signPlainly(bert.path, `${statement} `) };
    await expect(client.approvals.decide(approvalId, changed)).rejects.toMatchObject({ code: "APPROVAL_ALTERED" });
    const wrong = [
      () => client.approvals.list({ state: "open" as never }),
      () => client.approvals.list({ limit: 0 }),
      () => client.approvals.list({ job: jobId } as never),
      () => client.approvals.decide(approvalId, { decision: "yes" as never }),
      () => client.approvals.decide(approvalId, { ...yes, why: "x" } as never),
    ];
    for (const call of wrong) await expect(call()).rejects.toMatchObject({ code: "INVALID_INPUT" });
  });
});
