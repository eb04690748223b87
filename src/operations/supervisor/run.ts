import { z } from "zod";
import { AppError } from "../../error.ts";
import type { Pairs } from "../../logfmt.ts";
import { COMPONENTS } from "../../supervisor/component.ts";
import { openSupervisor } from "../../supervisor/open-supervisor.ts";
import { CHECK_STATES, HOST_STATES, type PassReport, REMEDY_STATES } from "../../supervisor/report.ts";
import { Timestamp, timestamp, timestampOrNull } from "../fields.ts";
import { defineOperation, type Verdict } from "../operation.ts";

const Breaker = z.enum(["closed", "open"]);

const Output = z.strictObject({
  at: Timestamp.describe("When the pass began."),
  state: z.enum(HOST_STATES),
  circuit_breaker: Breaker,
  hosts: z.array(
    z.strictObject({
      host: z.string(),
      state: z.enum(HOST_STATES),
      circuit_breaker: Breaker,
      checks: z.array(
        z.strictObject({
          component: z.enum(COMPONENTS),
          state: z.enum(CHECK_STATES),
          circuit_breaker: Breaker,
          open_until: Timestamp.nullable(),
          failures: z.int().nonnegative().describe("In a row, over passes."),
          probes: z.int().nonnegative().describe("Made in this pass."),
          detail: z.string(),
          remedy_state: z.enum(REMEDY_STATES),
          remedies: z.array(
            z.strictObject({ name: z.string(), state: z.enum(["done", "skipped", "failed"]), detail: z.string() }),
          ),
        }),
      ),
    }),
  ),
});

type Pass = z.output<typeof Output>;

/** Looks at the machines once, and repairs what it can. */
export const superviseOnce = defineOperation({
  name: "supervisor.run",
  summary: "Watch the machines, and repair what can be repaired.",
  description:
    "Asks for SSH, Aloha's server and client, the job backend and the browser server, in this order. Failures in a row open the breaker of a check, which is then left alone for a while; what is known of it outlives the program. One supervisor at a time.",
  access: "write",
  input: z.strictObject({
    hosts: z
      .array(z.string().min(1))
      .optional()
      .describe("Names of hosts, or label=value. Default: all that are configured."),
  }),
  output: Output,
  errors: [
    "SUPERVISOR_RUNNING",
    "DATABASE_UNWRITABLE",
    "UNKNOWN_HOST",
    "CHECK_FAILED",
    "HOST_UNREACHABLE",
    "CANCELLED",
  ],
  database: "none",
  flags: { hosts: ["host"] },
  verdict: verdictOfPass,
  lines: linesOfPass,
  async run({ hosts }, { loadConfig, clock, signal }) {
    using supervisor = openSupervisor(await loadConfig(), { clock, hosts, isOnce: true, onEvent: () => undefined });
    return outputOfPass(await supervisor.pass({ stop: signal, signal }));
  },
});

/** A pass as it crosses a border. @throws AppError `CANCELLED` for one that was stopped in the middle. */
export function outputOfPass(report: PassReport | undefined): Pass {
  if (report === undefined) throw new AppError("CANCELLED", "stopped before the pass was over");
  const hosts = report.hosts.map(({ host, state, circuitBreaker, checks }) => ({
    host,
    state,
    circuit_breaker: circuitBreaker,
    checks: checks.map(({ circuitBreaker: circuit_breaker, openUntilMs, remedyState, remedies, ...check }) => ({
      ...check,
      circuit_breaker,
      open_until: timestampOrNull(openUntilMs ?? null),
      remedy_state: remedyState,
      remedies: [...remedies],
    })),
  }));
  return { at: timestamp(report.atMs), state: report.state, circuit_breaker: report.circuitBreaker, hosts };
}

function verdictOfPass({ state, hosts }: Pass): Verdict | undefined {
  if (state === "healthy" || state === "recovering") return undefined;
  const bad = hosts.flatMap(({ host, checks }) =>
    checks
      .filter((check) => check.state === "failed" || check.state === "flapping")
      .map(({ component, detail }) => `${component} of ${host}: ${detail}`),
  );
  return { code: state === "ssh_down" ? "HOST_UNREACHABLE" : "CHECK_FAILED", message: bad.join("; ") };
}

/** A line for each check, then one for each host that says how it is as a whole. */
function linesOfPass({ hosts }: Pass): readonly Pairs[] {
  return hosts.flatMap(({ host, state, circuit_breaker, checks }) => [
    ...checks.map((check) => ({
      component: check.component,
      state: check.state,
      circuit_breaker: check.circuit_breaker,
      failures: check.failures,
      remedy: check.remedies.length === 0 ? "none" : [...new Set(check.remedies.map(({ name }) => name))].join(","),
      remedy_state: check.remedy_state,
      host,
      detail: check.detail,
    })),
    {
      state,
      ...Object.fromEntries(checks.map((check) => [check.component, check.state])),
      circuit_breaker,
      host,
    },
  ]);
}
