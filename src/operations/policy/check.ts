import { z } from "zod";
import { policyLogAt } from "../../backend/embedded/policy-log.ts";
import { ENQUEUE } from "../../backend/policy-gate.ts";
import { formatDuration } from "../../duration.ts";
import { AppError } from "../../error.ts";
import { loadJobFiles } from "../../job-type/job-files.ts";
import { builtInTypes } from "../../job-type/registry.ts";
import { type Actor, formatActor, parseActor } from "../../policy/actor.ts";
import { decide, type PolicyDecision } from "../../policy/decide.ts";
import { NO_POLICY_FILE } from "../../policy/in-force.ts";
import { mismatch } from "../../policy/matching/mismatch.ts";
import { BUILT_IN_POLICY, type Policy } from "../../policy/policy.ts";
import type { PolicyRequest } from "../../policy/request.ts";
import { factsAs } from "../ask-ahead.ts";
import { TextPairs } from "../fields.ts";
import { type CallContext, defineOperation } from "../operation.ts";
import { accessesOf, namedPolicy, PolicyFileField } from "./named-policy.ts";

const Input = z.strictObject({
  actor: z
    .string()
    .optional()
    .describe("Who would ask, kind:name such as agent:codex; here anybody. Default: the caller."),
  operation: z.string().default(ENQUEUE).describe("What would be asked for; a job is jobs.enqueue, also by run."),
  type: z.string().optional().describe("The job type, such as exec."),
  input: z.unknown().optional().describe("The input of the job."),
  requires: TextPairs.optional().describe("Labels that the job would require of its worker."),
  at: z.iso
    .datetime({ offset: true, error: "must be a time such as 2026-11-21T18:00:00Z" })
    .optional()
    .describe("When it would be asked, such as 2026-11-21T18:00:00Z. Default: now."),
  file: PolicyFileField,
});

const Output = z.strictObject({
  verdict: z.enum(["allow", "deny", "needs-approval"]),
  rule: z.string().describe("The rule that says it; no-match where none does."),
  line: z.int().nullable().describe("Where that rule stands in the file."),
  file: z.string().nullable().describe("The policy file; null where there is none and the built-in rules hold."),
  digest: z.string().nullable().describe("SHA-256 of what the file says."),
  policy: z
    .enum(["enforced", "advisory"])
    .describe("enforced: the account that asks can neither choose nor change it."),
  advisory_because: z.string().nullable(),
  actor: z.string(),
  operation: z.string(),
  type: z.string().nullable(),
  reason: z.string().nullable().describe("Why it is denied, and the line that would allow it."),
  passed: z
    .array(z.strictObject({ rule: z.string(), line: z.int().nullable(), unless: z.string() }))
    .describe("The rules before it, and the first condition of each that the request does not meet."),
  limit: z.string().nullable(),
  used: z.int().nullable().describe("How often this actor used the limited rule in the hour before."),
  approvers: z.array(z.string()).nullable(),
  quorum: z.int().nullable(),
  level: z.enum(["enforced", "advisory"]).nullable().describe("What an approval must be worth."),
  expires_in: z.string().nullable(),
});

type Output = z.output<typeof Output>;

/** Explains what the policy says to a request; asks for nothing, counts nothing, records nothing. */
export const checkPolicy = defineOperation({
  name: "policy.check",
  summary: "Say what the policy answers to a request, and which rule says it.",
  description:
    "Nothing is asked for: no job is made, nothing is counted or recorded. Exit 0 whatever the answer is; it stands in verdict.",
  access: "read",
  input: Input,
  output: Output,
  errors: ["CONFIG", "USAGE"],
  database: "none",
  loadsTypes: true,
  // It reads what its caller can read, and does nothing.
  asksItself: true,
  lines: ({ passed, ...answer }) => [
    ...passed.map(({ rule, line, unless }) => ({ passed: rule, line: line ?? undefined, unless })),
    Object.fromEntries(
      Object.entries(answer)
        .filter(([, value]) => value !== null)
        .map(([key, value]) => [key, Array.isArray(value) ? value.join(",") : value]),
    ),
  ],
  async run(asked, context) {
    const { policy, level, digest, reason } = (await namedPolicy(asked.file, context)) ?? NO_POLICY_FILE;
    // No rule looks at the way in; and the caller's own actor may not be freer than it is, while this may be anybody.
    const actor: Actor = asked.actor === undefined ? context.actor : { ...parseActor(asked.actor), via: "cli" };
    const request = await requestOf(asked, actor, context);
    const decision = decide(policy, actor, request);
    return {
      ...explain(policy ?? BUILT_IN_POLICY, actor, request, decision),
      file: policy?.file ?? null,
      digest: digest ?? null,
      policy: level,
      advisory_because: reason ?? null,
    };
  },
});

async function requestOf(
  { operation, type, input, requires = {}, at }: z.output<typeof Input>,
  actor: Actor,
  context: CallContext,
): Promise<PolicyRequest> {
  const access = (await accessesOf([operation], context))(operation);
  if (access === undefined)
    throw new AppError("USAGE", `policy check: there is no operation ${JSON.stringify(operation)}`);
  const { loadConfig, clock } = context;
  const { config } = await loadConfig();
  const nowMs = at === undefined ? clock.now() : Date.parse(at);
  return {
    operation,
    access,
    ...(type === undefined
      ? {}
      : { jobType: type, ...factsAs([...builtInTypes(config), ...(await loadJobFiles(config.jobs))], type, input) }),
    labels: requires,
    nowMs,
    // A question can be asked beside a database that is older or damaged; then nothing is known of limits.
    used: await policyLogAt(config.database.path, clock)
      .usedBy(formatActor(actor))
      .catch(() => ({})),
  };
}

function explain(
  { rules }: Policy,
  actor: Actor,
  request: PolicyRequest,
  decision: PolicyDecision,
): Omit<Output, "file" | "digest" | "policy" | "advisory_because"> {
  const index = rules.findIndex(({ name }) => name === decision.rule);
  const rule = rules[index];
  const approval = decision.kind === "needs-approval" ? decision : undefined;
  const perHour = rule?.perHour;
  return {
    verdict: decision.kind,
    rule: decision.rule,
    line: rule?.line ?? null,
    actor: formatActor(actor),
    operation: request.operation,
    type: request.jobType ?? null,
    reason: decision.kind === "deny" ? decision.reason : null,
    passed: rules.slice(0, index === -1 ? rules.length : index).map((one) => ({
      rule: one.name,
      line: one.line ?? null,
      unless: mismatch(one, actor, request) ?? "",
    })),
    limit: perHour === undefined ? null : `${perHour}/h`,
    used: perHour === undefined ? null : (request.used[decision.rule] ?? 0),
    approvers: approval === undefined ? null : [...approval.approvers],
    quorum: approval?.quorum ?? null,
    level: approval?.level ?? null,
    expires_in: approval === undefined ? null : formatDuration(approval.expiresInMs),
  };
}
