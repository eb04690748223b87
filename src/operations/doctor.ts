import { z } from "zod";
import { diagnose, summarise } from "../doctor/diagnose.ts";
import { applyRepairs, planRepairs } from "../doctor/fix.ts";
import { CHECK_STATES } from "../doctor/model/finding.ts";
import { defineOperation, type Verdict } from "./operation.ts";

const Fact = z.union([z.string(), z.number(), z.boolean(), z.null()]);

const Output = z.strictObject({
  state: z.enum(["ok", "fail", "unreachable"]),
  plan: z.array(z.string()).describe("What --fix would do; empty where it was asked to."),
  repairs: z.array(z.strictObject({ plan: z.string(), error: z.string().nullable() })),
  checks: z.array(
    z.strictObject({
      name: z.string(),
      host: z.string().nullable().describe("The machine that it is about; null: this one."),
      state: z.enum(CHECK_STATES),
      detail: z.string(),
      facts: z.record(z.string(), Fact),
      remedy: z.string().nullable().describe("What to type or to do."),
    }),
  ),
});

type Doctor = z.output<typeof Output>;

/** Looks at everything that this program stands on. */
export const doctor = defineOperation({
  name: "doctor",
  summary: "Look at everything that this program stands on, and say what to do.",
  description:
    "Of the Windows machines it asks all that are configured, each by one connection and for `timeout` at most. Changes nothing without --fix, except that it writes and removes a small file to measure the disk. Exit 0 when all is well or not configured, 1 when a check failed, 3 when something that is configured does not answer.",
  access: "read",
  input: z.strictObject({
    strict: z.boolean().default(false).describe("Takes warnings, and what is not configured, for failures."),
    fix: z
      .boolean()
      .default(false)
      .describe(
        "Takes rights away from other users, removes what dead processes left, and makes firewall rules that are needed and missing on the machines; says first what it does.",
      ),
  }),
  output: Output,
  errors: ["CHECK_FAILED", "HOST_UNREACHABLE", "POLICY_DENIED"],
  database: "none",
  diagnoses: true,
  changes: ({ fix }) => fix,
  verdict: ({ state, checks }) => sayVerdict(state, checks),
  lines: ({ state, repairs, checks }) => [
    ...repairs.map(({ plan, error }) => ({ repair: plan, result: error ?? "done" })),
    ...checks.map(({ name, host, state: found, detail, remedy }) => ({
      check: name,
      state: found,
      ...(host === null ? {} : { host }),
      detail,
      ...(remedy === null ? {} : { remedy }),
    })),
    {
      hatchet_sdk_version: checks.find(({ name }) => name === "job_backend")?.facts["hatchet_sdk_version"] ?? "unknown",
    },
    { doctor: state },
  ],
  async run({ strict, fix }, { loadConfig, clock, signal }) {
    const loaded = await loadConfig();
    const planned = planRepairs(loaded.config, clock);
    const mended = fix ? applyRepairs(planned) : [];
    const { results, plan, repairs } = await diagnose({ loaded, clock, signal, fix });
    return {
      state: summarise(results, strict),
      plan: fix ? [] : [...planned.map((repair) => repair.plan), ...plan],
      repairs: [...mended, ...repairs],
      checks: results.map(({ name, host, state, detail, facts, remedy }) => ({
        name,
        host,
        state,
        detail,
        facts: { ...facts },
        remedy,
      })),
    };
  },
});

const CODES = { ok: undefined, fail: "CHECK_FAILED", unreachable: "HOST_UNREACHABLE" } as const;

/** The checks that made it so: what failed, else what is not as a strict caller wants it. */
function sayVerdict(state: Doctor["state"], checks: Doctor["checks"]): Verdict | undefined {
  const code = CODES[state];
  if (code === undefined) return undefined;
  const bad = checks.filter((check) => check.state === "fail" || check.state === "unreachable");
  const named = bad.length > 0 ? bad : checks.filter((check) => check.state !== "ok");
  return {
    code,
    message: named
      .map(({ name, host, detail }) => `${name}${host === null ? "" : ` of ${host}`}: ${detail}`)
      .join("; "),
  };
}
