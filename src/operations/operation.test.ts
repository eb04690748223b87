import { expect, test } from "vitest";
import { z } from "zod";
import { PolicyGate } from "../backend/policy-gate.ts";
import type { PolicyLog } from "../backend/policy-log.ts";
import { systemClock } from "../clock.ts";
import { AppError } from "../error.ts";
import { JobId } from "../id.ts";
import { type Denial, NO_POLICY_FILE } from "../policy/in-force.ts";
import { type CallContext, callOperation, defineOperation } from "./operation.ts";

const touched: unknown[] = [];
const touch = defineOperation({
  name: "things.touch",
  summary: "Touch a thing.",
  access: "write",
  input: z.strictObject({ id: JobId.optional(), times: z.int().max(3).default(1) }),
  output: z.strictObject({ times: z.int() }),
  errors: [],
  database: "none",
  async run({ times }, { actor }) {
    touched.push(actor.name);
    return { times };
  },
});
const look = defineOperation({ ...touch, name: "things.look", access: "read" });

const denials: Denial[] = [];
const log: PolicyLog = {
  recordDenial: async (denial) => void denials.push(denial),
  denials: async () => [],
  takeUse: () => expect.fail("nothing is limited here"),
  usedBy: async () => ({}),
};

const context = (kind: "person" | "agent"): CallContext => ({
  actor: { kind, name: "sam", via: "cli" },
  clock: systemClock,
  signal: new AbortController().signal,
  cwd: "/",
  environment: {},
  loadConfig: () => Promise.reject(new AppError("CONFIG", "not here")),
  accessOf: async () => "write",
  gate: async () => new PolicyGate({ inForce: NO_POLICY_FILE, log, clock: systemClock }),
});

test("the input is read, with its defaults", async () => {
  expect(await callOperation(touch, {}, context("person"))).toEqual({ times: 1 });
});

test.each([
  [{ times: 4 }, "USAGE", "things touch: times must be at most 3, not 4"],
  [{ tims: 1 }, "USAGE", "things touch: has no field tims; did you mean times?"],
  [{ id: "x".repeat(500) }, "INVALID_ID", `id "${"x".repeat(76)}... is not a job id`],
  [{ id: "" }, "INVALID_ID", "things touch: id is not a job id"],
  [{ id: "../../etc/passwd" }, "INVALID_ID", 'things touch: id "../../etc/passwd" is not a job id'],
])("%j is refused", async (input, code, part) => {
  await expect(callOperation(touch, input, context("person"))).rejects.toMatchObject({
    code,
    message: expect.stringContaining(part),
  });
});

test("the policy is asked before anything is done: an agent may look and not touch", async () => {
  touched.length = 0;
  await expect(callOperation(touch, {}, context("agent"))).rejects.toMatchObject({
    code: "POLICY_DENIED",
    message: expect.stringContaining('operations: ["things.touch"]'),
  });
  expect(touched).toEqual([]);
  expect(denials).toMatchObject([{ actor: "agent:sam", operation: "things.touch", type: null, policyDigest: null }]);
  expect(await callOperation(look, {}, context("agent"))).toEqual({ times: 1 });
});

test("while the policy is wrong nothing is done, and what looks for the mistake can still be asked", async () => {
  const broken = { ...context("person"), gate: () => Promise.reject(new AppError("CONFIG", "policy.yaml line 3")) };
  for (const operation of [touch, look, { ...touch, diagnoses: true }])
    await expect(callOperation(operation, {}, broken)).rejects.toMatchObject({ code: "CONFIG" });
  expect(await callOperation({ ...look, diagnoses: true }, {}, broken)).toEqual({ times: 1 });
});

test("what an agent never does is refused before the policy is asked, whatever that says", async () => {
  denials.length = 0;
  const decide = defineOperation({ ...touch, name: "approvals.touch", refusesAgents: true });
  await expect(callOperation(decide, {}, context("agent"))).rejects.toMatchObject({
    code: "APPROVAL_BY_AGENT",
    message: "approvals.touch: agent:sam cannot decide about approvals; a person does, with a key of their own",
  });
  expect(denials).toMatchObject([{ operation: "approvals.touch", rule: "built-in.agents-decide-nothing" }]);
  expect(await callOperation(decide, {}, context("person"))).toEqual({ times: 1 });
});
