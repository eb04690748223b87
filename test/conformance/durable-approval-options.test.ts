import { expect } from "vitest";
import { z } from "zod";
import type { ApproveOptions } from "../../src/job/durable/approve-options.ts";
import { defineDurableJob } from "../../src/job/durable/define-durable-job.ts";
import { secretText } from "../../src/job/secret.ts";
import { approveOnce, HOUR_MS } from "../support/asking.ts";
import { durable, recorded, runDurable, served, waits } from "../support/durable.ts";
import { approvalConformance } from "./backends.ts";

const ALLOW = "name: all, allow: true";

approvalConformance("what ctx.approve asks for", (test) => {
  test("is refused before anything is recorded where it cannot be asked", async ({ open, people }) => {
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
    const bench = await served(open, { own: [job], config: people.policy() });
    const done = await runDurable(bench);
    expect(done.result).toEqual([
      ...Array.from({ length: 10 }, () => "INVALID_INPUT"),
      ...["INVALID_DURATION", "INVALID_DURATION", "TOO_LARGE"],
    ]);
    expect(await recorded(bench, done.jobId)).toEqual([]);
  });

  test("nobody could decide: that is its answer, recorded, now and on replay", async ({ open, people }) => {
    const seen: unknown[] = [];
    const ask = (options: Partial<ApproveOptions>) =>
      durable(async (ctx) => {
        seen.push(
          await ctx.approve({ title: "a", ...options }).catch(({ code, message }) => `${code}: ${message as string}`),
        );
        await ctx.waitFor("go", { timeout: "1ms" });
      });
    const onlyBert = "name: ask, operations: [approvals.ask], approval: { by: [bert] }";
    const cases = [
      [{}, {}, /^APPROVER_UNKNOWN: nobody can decide/],
      [{ approvers: ["zoe"] }, people.policy(), /^APPROVER_UNKNOWN: zoe may not decide/],
      [{ quorum: 4 }, people.policy(), /^APPROVER_UNKNOWN: 4 must approve, and only 3 may/],
      [
        { approvers: ["anna"] },
        people.policy([onlyBert, ALLOW]),
        /^APPROVER_UNKNOWN: none of anna may decide: the rule ask names bert/,
      ],
    ] as const;
    for (const [options, config, message] of cases) {
      const bench = await served(open, { own: [ask(options)], config });
      expect((await runDurable(bench)).state).toBe("completed");
      expect(seen.pop()).toMatch(message);
    }
  });

  test("is at least what the policy wants of it", async ({ askedBy, people }) => {
    const wants = "name: ask, operations: [approvals.ask], approval: { by: [anna, bert], quorum: 2, expires: 1h }";
    const job = approveOnce({ approvers: ["carl", "bert", "anna"], quorum: 1, expiresIn: "2h" });
    const { bench, id, approval, decide } = await askedBy(job, { config: people.policy([wants, ALLOW]) });
    expect(approval).toMatchObject({
      terms: { approvers: ["bert", "anna"], quorum: 2, level: "advisory", rule: "ask" },
      expiresAtMs: approval.askedAtMs + HOUR_MS,
    });
    for (const name of ["anna", "bert"]) await decide(name);
    expect((await bench.settled(id)).result).toMatchObject({ decision: "approved", decidedBy: "anna, bert" });
  });

  test("enforced is not what a plain key can give", async ({ askedBy }) => {
    const { bench, id, approval, decide } = await askedBy(approveOnce({ level: "enforced" }));
    await decide("anna");
    await waits(bench, id, 2);
    const refused = (await bench.backend.history(id)).filter(({ event }) => event === "approval.refused");
    expect(refused).toMatchObject([{ data: { by: "anna", error: { code: "APPROVAL_LEVEL" } } }]);
    expect(await bench.backend.approvals.find(approval.approvalId)).toMatchObject({ state: "pending" });
    await bench.cancel(id);
  });

  test("shows no secret that the job resolved", async ({ askedBy }) => {
    const job = defineDurableJob({
      name: "app.durable",
      input: z.strictObject({ token: secretText() }),
      secrets: ["TOKEN"],
      run: ({ token }, ctx) => ctx.approve({ title: `Use ${String(token)}`, details: { token } }),
    });
    const input = { token: { $secret: "TOKEN" } };
    const { bench, id, approval, decide } = await askedBy(job, { input, environment: { TOKEN: "s3cr3t-value" } });
    expect(JSON.stringify(approval)).not.toContain("s3cr3t-value");
    await decide("anna");
    expect((await bench.settled(id)).state).toBe("completed");
  });
});
