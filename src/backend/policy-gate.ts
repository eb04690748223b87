import { createHash } from "node:crypto";
import type { ApprovalDemand } from "../approval/approval.ts";
import { checkReachable, mergeDemands } from "../approval/merge-demands.ts";
import type { Clock } from "../clock.ts";
import type { AppError } from "../error.ts";
import { canonicalJson } from "../job/canonical-json.ts";
import { type Actor, formatActor } from "../policy/actor.ts";
import { couldBeAllowed, decide, type PolicyDecision } from "../policy/decide.ts";
import { denialOf, type PolicyInForce, refusalOf, unaskable } from "../policy/in-force.ts";
import { jobFacts } from "../policy/job-facts.ts";
import type { PolicyRequest } from "../policy/request.ts";
import type { Acceptance } from "./acceptance.ts";
import type { LimitedUse, PolicyLog } from "./policy-log.ts";
import type { AskedCall, AskedJob } from "./serving.ts";

/** The operation of a job that was asked for by itself. */
export const ENQUEUE = "jobs.enqueue";

/** What is asked; the gate knows the time, and counts. */
export type Asked = Omit<PolicyRequest, "nowMs" | "used" | "inputDigest">;

/** What goes with a request that is not refused. */
export interface Leave extends Pick<Acceptance, "verdict" | "use"> {
  /** Leave of people is needed first. */
  readonly demand?: ApprovalDemand;
}

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
   * @throws AppError `POLICY_DENIED` with the line that would allow it, and where it needs an approval: only jobs can wait
   * for one.
   */
  async ask(actor: Actor, asked: Asked): Promise<void> {
    await this.recorded(async () => {
      const { use, demand } = this.#check(actor, asked);
      if (demand !== undefined) throw this.#refuseUnaskable(actor, asked, demand.terms.rule ?? "");
      if (use !== undefined) await this.#parts.log.takeUse(use);
    });
  }

  /**
   * Asks about a job.
   *
   * @returns what is to be stored with the job, and whose leave it needs.
   * @throws AppError `POLICY_DENIED`.
   */
  checkJob({ actor, operation, type, input, given, labels }: AskedJob): Leave {
    if (this.#free.has(actor.kind)) return {};
    const asked: Asked = { operation, access: "write", jobType: type, ...jobFacts(input), labels };
    const leave = this.#check(actor, asked, () => digestOf(given));
    if (this.inForce.policy === undefined) this.#free.add(actor.kind);
    return leave;
  }

  /**
   * What leave a call of a durable job asks for: its own terms, and what the policy wants of `approvals.ask` as the least.
   *
   * @throws AppError `APPROVER_UNKNOWN`.
   */
  demandOf({ actor, type, labels, wanted, isNew }: AskedCall): ApprovalDemand {
    const { policy } = this.inForce;
    const request: PolicyRequest = {
      operation: "approvals.ask",
      access: "write",
      jobType: type,
      labels,
      nowMs: this.#parts.clock.now(),
      used: {},
    };
    const decision = decide(policy, actor, request);
    const demand = decision.kind === "needs-approval" ? mergeDemands(wanted, demandOf(decision)) : wanted;
    if (isNew) checkReachable(demand.terms, policy?.approvers ?? [], request.nowMs);
    return demand;
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

  /** Records a refusal that no rule of a file makes. */
  async recordRefusal(actor: Actor, asked: Asked, rule: string): Promise<void> {
    this.#record(actor, { ...asked, nowMs: this.#parts.clock.now(), used: {} }, rule);
    await this.#recording;
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
    const { rule, perHour } = decision as Exclude<typeof decision, { kind: "deny" }>;
    // That the built-in rules hold where there is no file need not stand in millions of jobs.
    const leave: Leave = {
      ...(inForce.policy === undefined ? {} : { verdict: { rule, policy: inForce.level } }),
      ...(decision.kind === "needs-approval" ? { demand: demandOf(decision) } : {}),
    };
    if (perHour === undefined) return leave;
    const refuse: LimitedUse["refuse"] = (used) => {
      const again = judge({ [rule]: used }).refusal;
      if (again === undefined) throw new TypeError(`rule ${rule} allows ${used} of ${perHour}`);
      return again;
    };
    return { ...leave, use: { rule, perHour, actor: formatActor(actor), refuse } };
  }

  #refuseUnaskable(actor: Actor, asked: Asked, rule: string): AppError {
    this.#record(actor, { ...asked, nowMs: this.#parts.clock.now(), used: {} }, rule);
    return unaskable(this.inForce, asked, rule);
  }

  #record(actor: Actor, request: PolicyRequest, rule: string): void {
    const { inForce, log } = this.#parts;
    // A refusal that cannot be written (no database yet, an older one, a full disk) is a refusal all the same.
    this.#recording = log.recordDenial(denialOf(inForce, actor, request, rule)).catch(() => undefined);
  }
}

type Demanding = Extract<PolicyDecision, { kind: "needs-approval" }>;

function demandOf({ rule, approvers, quorum, level, expiresInMs }: Demanding): ApprovalDemand {
  return { terms: { approvers, quorum, level, rule }, expiresInMs };
}

function digestOf(given: unknown): string {
  return createHash("sha256").update(canonicalJson(given)).digest("hex");
}
