import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import {
  AGENT,
  AS_AGENT,
  type Asked,
  decisionPlaceTest,
  FORGER,
  OPS,
  STILL_WAITS,
} from "../../support/decision-place.ts";
import { APPROVED } from "../../support/forge-rows.ts";

// The sixth attack of docs/threat-model.md: an agent emits a forged approval.decided, or writes the answer into the record.
// And what a program that a job runs can do about it, which runs under the worker's account.

const test = decisionPlaceTest();

/** The answer of another job, word for word. */
function answerOf({ approvalId }: Asked): string {
  const answer = `SELECT r.outcome FROM record r JOIN approval a ON a.job = r.job AND a.position = r.position WHERE a.id = '${approvalId}'`;
  return `UPDATE record SET settled = at, outcome = replace((${answer}), '${approvalId}', 'A') WHERE job = J AND position = 1`;
}

const WOKEN = "UPDATE waiting SET woken = 1 WHERE job = J";

describe("a durable job that asks people", () => {
  test("takes no event for their answer, whatever its name and words", async ({ place }) => {
    const one = await place.ask("app.deploy");
    const payload = JSON.stringify({ approval_id: one.approvalId, decision: "approved", decided_by: OPS });
    for (const event of ["approval.decided", "deploy"]) {
      const { value } = await place.json(AGENT, ["jobs", "emit", event, "--input-json", payload], AS_AGENT);
      expect([event, value["given"]]).toEqual([event, 0]);
    }
    expect(await place.standing(one)).toEqual(STILL_WAITS);
  });

  test("takes no row for it, in memory or read again from the record", async ({ place }) => {
    const [genuine, one] = [await place.ask("app.deploy"), await place.ask("app.deploy")];
    await place.approve(genuine);
    expect(await place.standing(genuine)).toMatchObject({ state: "completed" });
    expect(readFileSync(genuine.trace, "utf8")).toBe("approved\n");
    await place.forge(one, [...APPROVED, "UPDATE wait SET decided = 1, due = NULL WHERE job = J", WOKEN]);
    expect(await place.standing(one)).toEqual(STILL_WAITS);
    await place.stopWorker();
    await place.forge(one, [...APPROVED, answerOf(genuine), "DELETE FROM wait WHERE job = J", WOKEN]);
    await place.startWorker();
    expect(await place.standing(one)).toEqual({ state: "failed", error: "APPROVAL_ALTERED", refused: [], ran: false });
  });
});

test("a program that a job runs decides nothing, whichever way it tries", async ({ place }) => {
  const one = await place.ask();
  const report = join(place.folder, "work", "report.json");
  const argv = [process.execPath, FORGER, one.approvalId, place.database, "", report];
  const { value } = await place.json(AGENT, ["jobs", "enqueue", "--type", "exec", "--", ...argv], AS_AGENT);
  const { stderr } = await place.call(AGENT, ["jobs", "wait", String(value["job_id"])]);
  expect(existsSync(report), stderr).toBe(true);
  expect(JSON.parse(readFileSync(report, "utf8"))).toEqual({
    actor: "agent:codex",
    cli: "APPROVAL_BY_AGENT",
    // Without the variable it is like a script of the worker's account, which has no approver's key.
    "cli, as nobody": "APPROVER_UNKNOWN",
    "cli, as the approver": "APPROVER_UNKNOWN",
    library: "APPROVAL_BY_AGENT",
    "library, as the approver": "APPROVAL_BY_AGENT",
    "library, signed by another": "APPROVAL_BY_AGENT",
    event: expect.stringContaining('"given":0'),
    sql: "accepted: undefined",
  });
  expect(await place.standing(one)).toEqual(STILL_WAITS);
});

test("nor does the library in its operator's shell, with the operator's key", async ({ place }) => {
  const one = await place.ask();
  const report = join(place.folder, "work", "report-of-operator.json");
  const argv = [process.execPath, FORGER, one.approvalId, place.database, place.operator.path, report];
  const { status, stderr } = await place.spawn(AGENT, argv).ended;
  expect(status, stderr).toBe(0);
  expect(JSON.parse(readFileSync(report, "utf8"))).toMatchObject({
    actor: null,
    cli: "APPROVAL_LEVEL",
    library: "APPROVAL_LEVEL",
    "library, as the approver": "APPROVER_UNKNOWN",
    "library, signed by another": "APPROVAL_SIGNATURE",
  });
  expect(await place.standing(one)).toEqual(STILL_WAITS);
});
