import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { machineIdentity } from "../../../src/host/local/machine.ts";
import {
  AGENT,
  ANNA,
  AS_AGENT,
  type Asked,
  copiedDecisions,
  type DecisionPlace,
  decisionPlaceTest,
  decisionRow,
  OPS,
  STILL_WAITS,
} from "../../support/decision-place.ts";
import { APPROVED, RELEASE } from "../../support/forge-rows.ts";
import { until } from "../../support/until.ts";

// The first attack of docs/threat-model.md: an agent decides by itself. It has the shell of its operator (their account and
// their plain key) and writes the database as it likes. Root's policy wants an enforced approval whoever asks; the key for
// that lies with another account, and the worker runs under a third.

const test = decisionPlaceTest();

/** The state without the use: somebody who decides does not write that. */
const SAYS_YES = ["UPDATE approval SET state = 'approved', concluded = asked WHERE id = 'A'", ...RELEASE];
const LAX_TERMS =
  "UPDATE approval SET terms = json_set(terms, '$.level', 'advisory', '$.approvers', json('[]')) WHERE id = 'A'";

describe("an agent in its operator's shell", () => {
  test("is refused by the program, each time with its reason", async ({ place }) => {
    const one = await place.ask();
    const mine = place.give(AGENT, "mine.yaml", place.rules(place.operator));
    const approve = ["approvals", "approve", one.approvalId];
    const foreign = await place.signed(one, OPS, place.operator);
    const files = [place.give(AGENT, "s", foreign.statement), place.give(AGENT, "s.sig", foreign.signature)];
    const calls: readonly (readonly [code: string, args: readonly string[], options?: object])[] = [
      ["APPROVAL_BY_AGENT", approve, AS_AGENT],
      ["APPROVAL_BY_AGENT", [...approve, "--actor", "agent:other"]],
      // Without the variable it is like any script of its operator. Their plain key is not enough for this rule.
      ["APPROVAL_LEVEL", approve],
      ["APPROVAL_LEVEL", [...approve, "--policy", mine]],
      ["APPROVAL_LEVEL", approve, { env: { WINDLASS_POLICY: mine } }],
      ["APPROVER_UNKNOWN", [...approve, "--as", OPS]],
      ["APPROVER_UNKNOWN", [...approve, "--as", "mallory@example.com"]],
      ["USAGE", [...approve, "--key", place.keeper.path]],
      ["APPROVAL_SIGNATURE", [...approve, "--statement", files[0] ?? "", "--signature", files[1] ?? ""]],
    ];
    const codes = await Promise.all(
      calls.map(async ([, args, options]) => (await place.json(AGENT, args, options)).value["code"]),
    );
    expect(codes).toEqual(calls.map(([code]) => code));
    expect(place.rows("SELECT * FROM decision WHERE approval = ?", one.approvalId)).toEqual([]);
    expect(await place.standing(one)).toEqual(STILL_WAITS);
  });

  test.for<
    [what: string, refused: readonly string[], statements: (place: DecisionPlace, one: Asked) => Promise<string[]>]
  >([
    ["that it was approved and used", [], async () => [...APPROVED, ...RELEASE]],
    ["that its job is ready", [], async () => RELEASE],
    [
      "the operator's own yes, which is genuine, and laxer terms",
      ["APPROVAL_LEVEL"],
      async (place, one) => [decisionRow(ANNA, await place.signed(one, ANNA, place.operator)), LAX_TERMS, ...SAYS_YES],
    ],
    [
      "the approver's yes, signed by another key",
      ["APPROVAL_SIGNATURE"],
      async (place, one) => [decisionRow(OPS, await place.signed(one, OPS, place.operator)), ...SAYS_YES],
    ],
    [
      "somebody's yes with the statement of another",
      ["APPROVAL_ALTERED"],
      async (place, one) => [decisionRow("mallory", await place.signed(one, OPS, place.operator)), ...SAYS_YES],
    ],
  ])("does not get its job run by writing %s", async ([, refused, statements], { place }) => {
    const one = await place.ask();
    await place.forge(one, await statements(place, one));
    expect(await place.standing(one)).toEqual({ ...STILL_WAITS, refused });
  });

  test("nor by writing that a worker had begun it, and that nothing came of it", async ({ place }) => {
    const one = await place.ask();
    await place.forge(one, [...beganElsewhere(place, one), ...RELEASE]);
    expect(await place.standing(one)).toEqual({ state: "failed", error: "OUTCOME_UNKNOWN", refused: [], ran: false });
  });
});

describe("a yes of the keeper of the key", () => {
  test("lets the job run once; to start it over is to ask again, and the old yes fits neither that nor another job", async ({
    place,
  }) => {
    const one = await place.ask();
    await place.approve(one);
    expect(await place.standing(one)).toMatchObject({ state: "completed", ran: true });
    rmSync(one.trace);
    expect((await place.call(AGENT, ["jobs", "retry", one.jobId], AS_AGENT)).status).toBe(0);
    const approvalId = await until(() => place.pendingFor(one.trace), { what: "it is asked again" });
    expect(approvalId).not.toBe(one.approvalId);
    const [again, other] = [{ ...one, approvalId }, await place.ask()];
    await place.forge(other, [copiedDecisions(one), ...SAYS_YES]);
    expect(await place.standing(other)).toEqual({ ...STILL_WAITS, refused: ["APPROVAL_ALTERED"] });
    await place.forge(again, [
      copiedDecisions(one),
      "UPDATE approval SET state = 'approved' WHERE id = 'A'",
      ...RELEASE,
    ]);
    await until(() => (place.pendingFor(one.trace) === approvalId ? true : undefined), { what: "it waits on" });
    for (const { trace } of [again, other]) expect(existsSync(trace)).toBe(false);
  });

  test.for<[what: string, statement: string]>([
    ["another input", "UPDATE job SET env = replace(env, 'touch', 'reboot') WHERE id = J"],
    [
      "another actor",
      "INSERT INTO actor (kind, name, via) VALUES ('person', 'anna', 'cli'); UPDATE job SET actor = last_insert_rowid() WHERE id = J",
    ],
    [
      "another input, and its question with it",
      "UPDATE approval SET details = replace(details, 'touch', 'reboot') WHERE id = 'A'; UPDATE job SET env = replace(env, 'touch', 'reboot') WHERE id = J",
    ],
  ])("does not fit a job that got %s since", async ([, statement], { place }) => {
    const one = await place.ask();
    await place.whileWorkerHalts(async () => {
      await place.approve(one);
      await place.forge(one, [statement]);
    });
    expect(await place.standing(one)).toEqual({ state: "failed", error: "APPROVAL_ALTERED", refused: [], ran: false });
  });
});

/** An effect whose folder lies where the agent may write, and says that the program never ran: it would be begun now. */
function beganElsewhere(place: DecisionPlace, { approvalId }: Asked): string[] {
  const name = `begun-${approvalId}`;
  const folder = join(place.folder, "work", name, "exec");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "exit_code.part"), "not-run\n");
  const outside = ["..", "..", "work", name].join("/");
  const facts = { pid: 1, start_time: "1", nonce: "n", started_at_ms: Date.now() };
  // The worker sees an /etc without a machine-id.
  const effect = JSON.stringify({ machine: { ...machineIdentity(), host: hostname() }, facts });
  return [
    `INSERT INTO effect (job, run, at, folder, body) VALUES (J, 1, ${Date.now()}, '${outside}', '${effect}')`,
    "UPDATE waiting SET recover = 1 WHERE job = J",
  ];
}
