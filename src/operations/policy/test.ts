import { z } from "zod";
import { ENQUEUE } from "../../backend/policy-gate.ts";
import { AppError } from "../../error.ts";
import { runExample } from "../../policy/file/run-examples.ts";
import { defineOperation } from "../operation.ts";
import { accessesOf, namedPolicy, PolicyFileField } from "./named-policy.ts";

const Verdict = z.enum(["allow", "deny", "needs-approval"]);

/** Asks a policy its own examples. */
export const testPolicy = defineOperation({
  name: "policy.test",
  summary: "Ask the policy the examples in its file, and fail where it answers otherwise.",
  description: "Exit 0 when every example is answered as it expects, 1 when one is not, 2 when the file is wrong.",
  access: "read",
  input: z.strictObject({ file: PolicyFileField }),
  output: z.strictObject({
    file: z.string(),
    digest: z.string().describe("SHA-256 of what the file says."),
    examples: z.array(
      z.strictObject({
        line: z.int().nullable(),
        actor: z.string(),
        operation: z.string(),
        type: z.string().nullable(),
        expected: Verdict,
        verdict: Verdict,
        rule: z.string(),
        ok: z.boolean(),
      }),
    ),
    failed: z.int(),
  }),
  errors: ["CONFIG", "CHECK_FAILED"],
  database: "none",
  // It reads what its caller can read, and does nothing.
  asksItself: true,
  verdict: ({ file, examples, failed }) =>
    failed === 0
      ? undefined
      : {
          code: "CHECK_FAILED",
          message: `${failed} of ${examples.length} examples in ${file} are not answered as they expect`,
        },
  lines: ({ file, digest, examples, failed }) => [
    ...examples.map(({ ok, line, actor, operation, type, expected, verdict, rule }) => ({
      example: ok ? "ok" : "failed",
      line: line ?? undefined,
      actor,
      operation,
      type: type ?? undefined,
      verdict,
      expected: ok ? undefined : expected,
      rule,
    })),
    { file, digest, examples: examples.length, failed },
  ],
  async run({ file }, context) {
    const loaded = await namedPolicy(file, context);
    if (loaded === undefined)
      throw new AppError("CONFIG", "there is no policy file here; `windlass init` writes one, or name one with --file");
    const { policy, examples, digest, lineOf } = loaded;
    const accessOf = await accessesOf(
      examples.map(({ operation = ENQUEUE }) => operation),
      context,
    );
    const facts = { nowMs: context.clock.now(), accessOf: (name: string) => accessOf(name) ?? "write" };
    const results = examples.map((example, index) => {
      const { decision, isAsExpected } = runExample(policy, example, facts);
      const { actor, operation = ENQUEUE, type = null, expect } = example;
      return {
        line: lineOf(["examples", index]) ?? null,
        actor,
        operation,
        type,
        expected: expect,
        verdict: decision.kind,
        rule: decision.rule,
        ok: isAsExpected,
      };
    });
    return { file: policy.file ?? "", digest, examples: results, failed: results.filter(({ ok }) => !ok).length };
  },
});
