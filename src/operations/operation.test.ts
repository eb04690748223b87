import { expect, test } from "vitest";
import { z } from "zod";
import { systemClock } from "../clock.ts";
import { AppError } from "../error.ts";
import { JobId } from "../id.ts";
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

const context = (kind: "person" | "agent"): CallContext => ({
  actor: { kind, name: "sam", via: "cli" },
  clock: systemClock,
  signal: new AbortController().signal,
  cwd: "/",
  environment: {},
  loadConfig: () => Promise.reject(new AppError("CONFIG", "not here")),
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
  expect(await callOperation(look, {}, context("agent"))).toEqual({ times: 1 });
});
