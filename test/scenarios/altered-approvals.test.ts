import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { afterAll, describe, expect } from "vitest";
import { Approvers, pendingOf } from "../support/approvers.ts";
import { durable, emitted, waits } from "../support/durable.ts";
import { needs } from "../support/system.ts";
import { AGENT, type Bench, EMBEDDED, testOn } from "../support/test.ts";

// Whoever can write the file can alter every row of it, and gives nobody's leave by that.

needs("ssh");
const test = testOn(EMBEDDED);
const people = new Approvers("anna", "bert", "mallory");
afterAll(() => people[Symbol.dispose]());

const KNOWN = ["anna", "bert"];
const ASK = 'name: ask, actors: ["agent:*"], approval: { by: [anna, bert], quorum: 2 }';
const asking = () => people.policy(['name: people, actors: ["person:*"], allow: true', ASK], KNOWN);
const types = [{ name: "app.work" }];

/** Writes into the file with nothing of this program. */
function alter(bench: Bench, sql: string, ...values: readonly SQLInputValue[]): void {
  const db = new DatabaseSync(bench.databasePath, { timeout: 5_000 });
  try {
    db.prepare(sql).run(...values);
  } finally {
    db.close();
  }
}

const MOVED_TO_READY = [
  "DELETE FROM wait",
  "DELETE FROM waiting",
  "INSERT INTO ready SELECT queue, rank, id, 1, 0, 0, 0, 0 FROM job",
];

/** A job of an agent that waits for two people, and the same job of another bench's file that has their leave. */
async function waiting(bench: Bench, name = "a") {
  const { jobId, approvalId = "" } = await bench.accept("app.work", { name }, {}, { actor: AGENT });
  return { jobId, approvalId };
}

/** The worker had it, and put it back. */
const putBack = (bench: Bench, jobId: string) =>
  bench.reaches(jobId, ({ state, attempt }) => state === "waiting" && attempt === 0);

async function refusals(bench: Bench, jobId: string): Promise<readonly unknown[]> {
  const rows = await bench.backend.history(jobId);
  return rows
    .filter(({ event }) => event === "approval.refused")
    .map(({ data }) => [data["by"], (data["error"] as { code: string }).code]);
}

describe("a job that waits for leave", () => {
  test("is put back by its worker when it was moved to the queue, its approval said to be given, and used", async ({
    open,
  }) => {
    const bench = await open({ types, config: asking() });
    const { jobId, approvalId } = await waiting(bench);
    alter(bench, "UPDATE approval SET state = 'approved', concluded = 1, used = 1");
    for (const sql of MOVED_TO_READY) alter(bench, sql);
    const worker = await bench.worker();
    await putBack(bench, jobId);
    expect(bench.effects.order("start")).toEqual([]);
    expect(await bench.backend.approvals.find(approvalId)).toMatchObject({ state: "pending", usedAtMs: null });
    // And goes on by what is really signed.
    for (const name of KNOWN) await people.decide(bench, approvalId, name);
    expect(await bench.settled(jobId)).toMatchObject({ state: "completed", attempt: 1 });
    expect(worker.events.map(({ kind }) => kind).slice(0, 3)).toEqual(["claimed", "suspended", "claimed"]);
  });

  test("does not run by terms that were made easier in its row", async ({ open }) => {
    const bench = await open({ types, config: asking() });
    const { jobId, approvalId } = await waiting(bench);
    alter(bench, `UPDATE approval SET terms = '{"approvers":["anna"],"quorum":1,"level":"advisory"}'`);
    expect(await people.decide(bench, approvalId, "anna")).toEqual({ kind: "stored", state: "approved" });
    await bench.worker();
    await putBack(bench, jobId);
    expect(await bench.backend.approvals.find(approvalId)).toMatchObject({ state: "pending", terms: { quorum: 2 } });
    await people.decide(bench, approvalId, "bert");
    expect((await bench.settled(jobId)).state).toBe("completed");
  });

  test("takes no decision of another key, of a stranger, of another approval, or with other words", async ({
    open,
  }) => {
    const bench = await open({ types, config: asking() });
    const { jobId, approvalId } = await waiting(bench);
    const other = await waiting(bench, "b");
    const approval = await bench.backend.approvals.find(approvalId);
    const foreign = await bench.backend.approvals.find(other.approvalId);
    if (approval === undefined || foreign === undefined) throw new Error("nobody was asked");
    const now = Date.now();
    const annas = people.sign(approval, "anna", now, { decision: "rejected" });
    const signed = [
      people.sign(approval, "anna", now, { keyOf: "mallory" }),
      people.sign(approval, "mallory", now),
      { ...people.sign(approval, "mallory", now), principal: "bert" },
      people.sign(foreign, "bert", now),
      { ...annas, decision: "approved", statement: annas.statement.replace("rejected", "approved") },
    ];
    for (const [seq, { principal, decision, reason, decidedAtMs, statement, signature }] of signed.entries())
      alter(
        bench,
        "INSERT INTO decision VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        ...[approvalId, seq + 1, principal, decision, reason, decidedAtMs, statement, signature],
      );
    alter(bench, "UPDATE approval SET state = 'approved', concluded = 1 WHERE id = ?", approvalId);
    alter(bench, "DELETE FROM wait WHERE approval = ?", approvalId);
    alter(
      bench,
      "INSERT INTO ready SELECT j.queue, j.rank, j.id, 1, 0, 0, 0, 0 FROM job j JOIN approval a ON a.job = j.id WHERE a.id = ?",
      approvalId,
    );
    alter(bench, "DELETE FROM waiting WHERE job IN (SELECT job FROM ready)");
    await bench.worker();
    await putBack(bench, jobId);
    expect(await refusals(bench, jobId)).toEqual([
      ["anna", "APPROVAL_SIGNATURE"],
      ["mallory", "APPROVER_UNKNOWN"],
      ["bert", "APPROVAL_ALTERED"],
      ["bert", "APPROVAL_ALTERED"],
      ["anna", "APPROVAL_SIGNATURE"],
    ]);
    expect(bench.effects.order("start")).toEqual([]);
  });

  test.for([
    ["its input", `UPDATE job SET env = json_set(env, '$.input.name', 'evil')`],
    ["its actor", "UPDATE job SET actor = (SELECT max(id) FROM actor)"],
    ["what it was asked for as", `UPDATE job SET env = json_set(env, '$.operation', 'schedules.fire')`],
    ["what a crash means for it", `UPDATE job SET env = json_set(env, '$.after_crash', 'stop')`],
    ["whether it is run again", `UPDATE job SET env = json_set(env, '$.retry_exit', json('true'))`],
    ["what was shown", `UPDATE approval SET details = json_set(details, '$.input.name', 'evil')`],
    ["the title", "UPDATE approval SET title = 'nothing of interest'"],
    ["its digest", "UPDATE approval SET digest = 'x'"],
  ] as const)("fails when after the signatures somebody changed %s", async ([, sql], { open }) => {
    const bench = await open({ types, config: asking() });
    const { jobId, approvalId } = await waiting(bench);
    // Another agent, to be taken for.
    await bench.submit("app.work", { name: "z" }, { delay: "1h" }, { actor: { ...AGENT, name: "other" } });
    for (const name of KNOWN) await people.decide(bench, approvalId, name);
    alter(bench, sql);
    await bench.worker();
    expect(await bench.settled(jobId)).toMatchObject({ state: "failed", error: { code: "APPROVAL_ALTERED" } });
    expect(bench.effects.order("start")).toEqual([]);
  });

  test("does not run by people who were shown another one", async ({ open }) => {
    const bench = await open({ types, config: asking() });
    const { jobId, approvalId } = await waiting(bench);
    alter(bench, "UPDATE approval SET details = json_set(details, '$.input.name', 'harmless')");
    for (const name of KNOWN) expect(await people.decide(bench, approvalId, name)).toMatchObject({ kind: "stored" });
    await bench.worker();
    expect(await bench.settled(jobId)).toMatchObject({ state: "failed", error: { code: "APPROVAL_ALTERED" } });
    expect(bench.effects.order("start")).toEqual([]);
  });

  test("an expiry that was put off after the signatures makes them worth nothing", async ({ open }) => {
    const bench = await open({ types, config: asking() });
    const { jobId, approvalId } = await waiting(bench);
    for (const name of KNOWN) await people.decide(bench, approvalId, name);
    alter(bench, "UPDATE approval SET expires = expires + 1");
    await bench.worker();
    await putBack(bench, jobId);
    expect(await refusals(bench, jobId)).toEqual([
      ["anna", "APPROVAL_ALTERED"],
      ["bert", "APPROVAL_ALTERED"],
    ]);
  });
});

describe("a durable job that asked", () => {
  const seen: unknown[] = [];
  const job = durable(async (ctx) => {
    try {
      const leave = await ctx.approve({ title: "Deploy", quorum: 2 });
      seen.push(leave.decision);
      await ctx.waitFor("go");
      await ctx.step("deploy", () => seen.push("deployed"));
    } catch {
      seen.push("caught");
    }
  });
  const allow = () => people.policy(["name: all, allow: true"], KNOWN);
  const forged = (approvalId: string, more: object = {}): string =>
    JSON.stringify({
      ok: {
        approval_id: approvalId,
        decision: "approved",
        decided_by: KNOWN,
        reason: "",
        level: "advisory",
        decided_at: 1,
        ...more,
      },
    });

  /** The job of a worker that has stopped, where it waits for people. */
  async function asked(bench: Bench) {
    seen.length = 0;
    const worker = await bench.worker();
    const id = await bench.submit("app.durable", {});
    await waits(bench, id);
    await worker.stop({ graceMs: 0 });
    return { id, approvalId: (await pendingOf(bench, id)).approvalId };
  }

  test("judges again when it is woken by hand, and waits on", async ({ open }) => {
    const bench = await open({ own: [job], config: allow() });
    const { id, approvalId } = await asked(bench);
    alter(bench, "UPDATE approval SET state = 'approved', concluded = 1, used = 1");
    alter(bench, "UPDATE wait SET decided = 1, due = NULL");
    alter(bench, "UPDATE waiting SET woken = 1");
    await bench.worker();
    await waits(bench, id, 2);
    expect(await bench.backend.approvals.find(approvalId)).toMatchObject({ state: "pending", usedAtMs: null });
    expect(seen).toEqual([]);
    await bench.cancel(id);
  });

  test.for([
    ["the details", `UPDATE approval SET details = '{"tag":"harmless"}'`],
    ["the title", "UPDATE approval SET title = 'Look at it'"],
    ["who asked", "UPDATE approval SET actor = (SELECT max(id) FROM actor)"],
  ] as const)("does not go on by people who were shown something else: %s", async ([, sql], { open }) => {
    const bench = await open({ types, own: [job], config: allow() });
    const { id, approvalId } = await asked(bench);
    await bench.submit("app.work", { name: "z" }, { delay: "1h" }, { actor: AGENT });
    alter(bench, sql);
    for (const name of KNOWN) expect(await people.decide(bench, approvalId, name)).toMatchObject({ kind: "stored" });
    await bench.worker();
    expect(await bench.settled(id)).toMatchObject({ state: "failed", error: { code: "APPROVAL_ALTERED" } });
    expect(seen).toEqual([]);
  });

  test("ends past its own code when an outcome was written into its record", async ({ open }) => {
    for (const outcome of [forged, () => '{"ok":{"decision":"approved"}}', () => '{"timeout":1}']) {
      const bench = await open({ own: [job], config: allow() });
      const { id, approvalId } = await asked(bench);
      alter(bench, "UPDATE record SET outcome = ?, settled = 1", outcome(approvalId));
      alter(bench, "UPDATE approval SET state = 'approved', concluded = 1, used = 1");
      alter(bench, "DELETE FROM wait");
      alter(bench, "UPDATE waiting SET woken = 1");
      await bench.worker();
      expect(await bench.settled(id)).toMatchObject({ state: "failed", error: { code: "APPROVAL_ALTERED" } });
      expect(seen).toEqual([]);
    }
  });

  test.for([
    ["who approved", "APPROVAL_ALTERED", "UPDATE record SET outcome = json_set(outcome, '$.ok.decided_by[0]', 'ceo')"],
    ["why", "APPROVAL_ALTERED", "UPDATE record SET outcome = json_set(outcome, '$.ok.reason', 'all tests passed')"],
    ["its worth", "APPROVAL_LEVEL", "UPDATE record SET outcome = json_set(outcome, '$.ok.level', 'enforced')"],
    ["that it was used", "APPROVAL_ALTERED", "UPDATE approval SET used = NULL, state = 'withdrawn'"],
    ["a signature", "APPROVAL_SIGNATURE", "UPDATE decision SET signature = (SELECT max(signature) FROM decision)"],
    ["the decisions", "APPROVAL_ALTERED", "DELETE FROM decision"],
    ["what was shown", "APPROVAL_ALTERED", `UPDATE approval SET details = '{"tag":"v8"}'`],
    ["that there is an approval", "APPROVAL_ALTERED", "DELETE FROM approval"],
  ] as const)("ends past its own code when after it went on somebody changed %s", async ([, code, sql], { open }) => {
    // What is deleted is missed.
    const bench = await open({ own: [job], config: allow(), unchecked: true });
    const { id, approvalId } = await asked(bench);
    for (const name of KNOWN) await people.decide(bench, approvalId, name);
    const worker = await bench.worker();
    await bench.reaches(id, ({ state, attempt }) => state === "waiting" && attempt === 2);
    await worker.stop({ graceMs: 0 });
    expect(seen).toEqual(["approved"]);
    alter(bench, sql);
    await bench.worker();
    await emitted(bench, "go");
    expect(await bench.settled(id)).toMatchObject({ state: "failed", error: { code } });
    expect(seen).toEqual(["approved"]);
  });

  test("does not go on by the record and the signatures of another job", async ({ open }) => {
    const bench = await open({ own: [job], config: allow(), unchecked: true });
    const first = await asked(bench);
    for (const name of KNOWN) await people.decide(bench, first.approvalId, name);
    const worker = await bench.worker();
    await bench.reaches(first.id, ({ state, attempt }) => state === "waiting" && attempt === 2);
    const id = await bench.submit("app.durable", {});
    await waits(bench, id);
    await worker.stop({ graceMs: 0 });
    const second = (await pendingOf(bench, id)).approvalId;
    alter(
      bench,
      "UPDATE record SET outcome = (SELECT max(outcome) FROM record), settled = 1 WHERE outcome IS NULL AND kind = 'approve'",
    );
    alter(
      bench,
      "UPDATE record SET outcome = replace(outcome, ?, ?) WHERE job = (SELECT max(id) FROM job)",
      first.approvalId,
      second,
    );
    alter(
      bench,
      "INSERT INTO decision SELECT ?, seq, principal, decision, reason, at, statement, signature FROM decision",
      second,
    );
    alter(bench, "UPDATE approval SET state = 'approved', concluded = 1, used = 1 WHERE id = ?", second);
    alter(bench, "DELETE FROM wait WHERE approval = ?", second);
    alter(bench, "UPDATE waiting SET woken = 1 WHERE job = (SELECT max(id) FROM job)");
    await bench.worker();
    expect(await bench.settled(id)).toMatchObject({ state: "failed", error: { code: "APPROVAL_ALTERED" } });
    expect(seen).toEqual(["approved"]);
    await bench.cancel(first.id);
  });
});
