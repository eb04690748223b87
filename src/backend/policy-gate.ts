import { createHash } from "node:crypto";
import type { Clock } from "../clock.ts";
import { canonicalJson } from "../job/canonical-json.ts";
import { type Actor, formatActor } from "../policy/actor.ts";
import { couldBeAllowed, decide } from "../policy/decide.ts";
import { denialOf, type PolicyInForce, refusalOf } from "../policy/in-force.ts";
import { jobFacts } from "../policy/job-facts.ts";
import type { PolicyRequest } from "../policy/request.ts";
import type { Acceptance, AskedJob } from "./backend.ts";
import type { LimitedUse, PolicyLog } from "./policy-log.ts";

/** The operation of a job that was asked for by itself. */
export const ENQUEUE = "jobs.enqueue";

/** What is asked; the gate knows the time, and counts. */
export type Asked = Omit<PolicyRequest, "nowMs" | "used" | "inputDigest">;

/** What goes with a request that is allowed. */
export type Leave = Pick<Acceptance, "verdict" | "use">;

/** What the gate stands on. */
export interface PolicyGateParts {
  readonly inForce: PolicyInForce;
  readonly log: PolicyLog;
  readonly clock: Clock;
}

/** Where this process asks its policy. Refusals are recorded, and stand whether or not that was possible. */
export class PolicyGate {
  readonly inForce: PolicyInForce;
  readonly #parts: PolicyGateParts;
  #recording: Promise<unknown> = Promise.resolve();
  /** Kinds of actors that the built-in rules let make and run jobs: without a file nothing else of the job matters. */
  readonly #free = new Set<Actor["kind"]>();

  constructor(parts: PolicyGateParts) {
    this.inForce = parts.inForce;
    this.#parts = parts;
  }

  /**
   * Asks about an operation, and counts it where a limited rule allows it.
   *
   * @throws AppError `POLICY_DENIED` with the line that would allow it; `UNSUPPORTED` where it needs an approval.
   */
  async ask(actor: Actor, asked: Asked): Promise<void> {
    await this.recorded(async () => {
      const { use } = this.#check(actor, asked);
      if (use !== undefined) await this.#parts.log.takeUse(use);
    });
  }

  /**
   * Asks about a job.
   *
   * @returns what is to be stored with the job.
   * @throws AppError as {@link ask}.
   */
  checkJob({ actor, operation, type, input, given, labels }: AskedJob): Leave {
    if (this.#free.has(actor.kind)) return {};
    const asked: Asked = { operation, access: "write", jobType: type, ...jobFacts(input), labels };
    const leave = this.#check(actor, asked, () => digestOf(given));
    if (this.inForce.policy === undefined) this.#free.add(actor.kind);
    return leave;
  }

  /**
   * Refuses what no rule could allow, whatever else becomes known of the request; counts nothing.
   *
   * @param given the input of the job as it was given.
   * @throws AppError as {@link ask}.
   */
  refuseHopeless(actor: Actor, asked: Asked, given?: unknown): void {
    if (couldBeAllowed(this.inForce.policy, actor, asked)) return;
    this.#check(actor, asked, given === undefined ? undefined : () => digestOf(given));
  }

  /** Does what may be refused, and throws the refusal when it was recorded. */
  async recorded<T>(act: () => T | Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      await this.#recording;
      throw error;
    }
  }

  #check(actor: Actor, asked: Asked, digest?: () => string): Leave {
    const { inForce, clock } = this.#parts;
    const judge = (used: PolicyRequest["used"]) => {
      const request: PolicyRequest = { ...asked, nowMs: clock.now(), used };
      const decision = decide(inForce.policy, actor, request);
      const refusal = refusalOf(inForce, request, decision);
      // Most requests are allowed: the input is hashed only for the record of one that is not.
      if (decision.kind === "deny")
        this.#record(actor, { ...request, ...(digest && { inputDigest: digest() }) }, decision.rule);
      return { decision, refusal };
    };
    const { decision, refusal } = judge({});
    if (refusal !== undefined) throw refusal;
    const { rule, perHour } = decision as Extract<typeof decision, { kind: "allow" }>;
    // That the built-in rules hold where there is no file need not stand in millions of jobs.
    const leave: Leave = inForce.policy === undefined ? {} : { verdict: { rule, policy: inForce.level } };
    if (perHour === undefined) return leave;
    const refuse: LimitedUse["refuse"] = (used) => {
      const again = judge({ [rule]: used }).refusal;
      if (again === undefined) throw new TypeError(`rule ${rule} allows ${used} of ${perHour}`);
      return again;
    };
    return { ...leave, use: { rule, perHour, actor: formatActor(actor), refuse } };
  }

  #record(actor: Actor, request: PolicyRequest, rule: string): void {
    const { inForce, log } = this.#parts;
    // A refusal that cannot be written (no database yet, an older one, a full disk) is a refusal all the same.
    this.#recording = log.recordDenial(denialOf(inForce, actor, request, rule)).catch(() => undefined);
  }
}

function digestOf(given: unknown): string {
  return createHash("sha256").update(canonicalJson(given)).digest("hex");
}
