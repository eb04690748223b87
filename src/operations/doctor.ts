import { z } from "zod";
import { CHECK_STATES } from "../doctor/check.ts";
import { diagnose, summarise } from "../doctor/diagnose.ts";
import { applyRepairs, planRepairs } from "../doctor/fix.ts";
import { defineOperation, type Verdict } from "./operation.ts";

const Fact = z.union([z.string(), z.number(), z.boolean(), z.null()]);

const Output = z.strictObject({
  state: z.enum(["ok", "fail", "unreachable"]),
  repairs: z.array(z.strictObject({ plan: z.string(), error: z.string().nullable() })),
  checks: z.array(
    z.strictObject({
      name: z.string(),
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
    "Changes nothing without --fix, except that it writes and removes a small file to measure the disk. Exit 0 when all is well or not configured, 1 when a check failed, 3 when something that is configured does not answer.",
  access: "read",
  input: z.strictObject({
    strict: z.boolean().default(false).describe("Takes warnings, and what is not configured, for failures."),
    fix: z
      .boolean()
      .default(false)
      .describe("Takes rights away from other users and removes what dead processes left; says first what it does."),
  }),
  output: Output,
  errors: ["CHECK_FAILED", "HOST_UNREACHABLE"],
  database: "none",
  verdict: ({ state, checks }) => sayVerdict(state, checks),
  lines: ({ state, repairs, checks }) => [
    ...repairs.map(({ plan, error }) => ({ repair: plan, result: error ?? "done" })),
    ...checks.map(({ name, state: found, detail, remedy }) => ({
      check: name,
      state: found,
      detail,
      ...(remedy === null ? {} : { remedy }),
    })),
    { hatchet_sdk_version: checks.find(({ name }) => name === "hatchet")?.facts["hatchet_sdk_version"] ?? "unknown" },
    { doctor: state },
  ],
  async run({ strict, fix }, { loadConfig, clock }) {
    const loaded = await loadConfig();
    const repairs = fix ? applyRepairs(planRepairs(loaded.config, clock)) : [];
    const results = diagnose({ loaded, clock });
    return {
      state: summarise(results, strict),
      repairs,
      checks: results.map(({ name, state, detail, facts, remedy }) => ({
        name,
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
  return { code, message: named.map(({ name, detail }) => `${name}: ${detail}`).join("; ") };
}
