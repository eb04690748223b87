import { z } from "zod";
import { parseDuration } from "../../duration.ts";
import { Timestamp, timestamp } from "../fields.ts";
import { defineOperation } from "../operation.ts";

/** Lists what was refused. */
export const listDenials = defineOperation({
  name: "policy.denials",
  summary: "List what the policy refused, newest first.",
  description:
    "The newest 10,000 are kept, and none longer than retention.days. What was allowed stands in the history of its job.",
  access: "read",
  input: z.strictObject({
    since: z.string().optional().describe("Only what was refused at most so long ago, such as 1h."),
    limit: z.int().min(1).max(10_000).default(100).describe("How many at most, 1 to 10000."),
  }),
  output: z.strictObject({
    denials: z.array(
      z.strictObject({
        at: Timestamp,
        actor: z.string().describe("Who asked, kind:name."),
        operation: z.string(),
        type: z.string().nullable().describe("The job type, where a job was asked for."),
        rule: z.string().describe("The rule that refused it; no-match where none allowed it."),
        digest: z.string().nullable().describe("SHA-256 of the input of the job, as canonical JSON."),
        policy: z.string().nullable().describe("SHA-256 of what the policy file said; null where there was none."),
      }),
    ),
  }),
  errors: ["INVALID_DURATION"],
  database: "read",
  lines: ({ denials }) =>
    denials.map(({ type, digest, policy, ...denial }) => ({
      ...denial,
      type: type ?? undefined,
      digest: digest ?? undefined,
      policy: policy ?? undefined,
    })),
  async run({ since, limit }, { windlass: { backend }, clock }) {
    const found = await backend.policyLog.denials({
      limit,
      ...(since === undefined ? {} : { sinceMs: clock.now() - parseDuration(since, { what: "since" }) }),
    });
    return {
      denials: found.map(({ atMs, actor, operation, type, rule, inputDigest, policyDigest }) => ({
        at: timestamp(atMs),
        actor,
        operation,
        type,
        rule,
        digest: inputDigest,
        policy: policyDigest,
      })),
    };
  },
});
