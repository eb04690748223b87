import { createHash } from "node:crypto";
import { inputProblem } from "../attempt/input.ts";
import type { Clock } from "../clock.ts";
import { AppError } from "../error.ts";
import { canonicalJson } from "../job/canonical-json.ts";
import type { ChildOptions } from "../job/context.ts";
import type { JobType } from "../job/definition.ts";
import type { JobLimits } from "../job/limits.ts";
import type { SubmitOptions } from "../job/options.ts";
import { resolveJob } from "../job/resolve.ts";
import type { ParentRef } from "../job/spec.ts";
import { writeJson } from "../job/write-json.ts";
import { type Actor, strictest } from "../policy/actor.ts";
import type { Acceptance, Accepted } from "./acceptance.ts";
import type { Backend } from "./backend.ts";
import type { Capabilities } from "./capabilities.ts";
import { jobQuestion } from "./job-question.ts";
import { ENQUEUE, type PolicyGate } from "./policy-gate.ts";
import type { AskedJob, BackendWorker, ParentJob } from "./serving.ts";
import { TypeReaders } from "./type-readers.ts";

/** One job that somebody asks for. */
export interface JobRequest {
  readonly type: string;
  readonly input: unknown;
  readonly options: SubmitOptions;
  readonly actor: Actor;
  /** The operation that the policy is asked about. Default `jobs.enqueue`. */
  readonly operation?: string;
  readonly parent?: ParentRef;
  readonly slot?: Acceptance["slot"];
}

/** What submitting needs. */
export interface SubmitParts {
  readonly backend: Backend;
  readonly clock: Clock;
  readonly limits: JobLimits;
  readonly gate: PolicyGate;
  /** The job types that this process has loaded. */
  readonly types: ReadonlyMap<string, JobType>;
}

/** The one way in: parse the input, ask the policy, write the actor, then the backend's `accept`, which nothing else calls. */
export class Submit {
  readonly #parts: SubmitParts;
  #jobsMade = 0;
  readonly #types: TypeReaders;

  constructor(parts: SubmitParts) {
    this.#parts = parts;
    this.#types = new TypeReaders(parts);
  }

  /** Jobs that this process has made; an earlier job that a key gave back is not counted. */
  get jobsMade(): number {
    return this.#jobsMade;
  }

  /**
   * Submits jobs, all or none. Durable before it resolves.
   *
   * @param startOn a worker of this process that should run them itself.
   * @throws AppError `UNKNOWN_JOB_TYPE`, `INVALID_INPUT`, `INVALID_DURATION`, `TOO_LARGE`, `POLICY_DENIED`, `UNSUPPORTED`, and what the backend throws.
   */
  async submit(
    requests: readonly JobRequest[],
    options: { readonly startOn?: BackendWorker } = {},
  ): Promise<readonly Accepted[]> {
    // Nothing is awaited for a type that is loaded: calls keep the order in which they were made.
    for (const { type } of requests) if (!this.#types.isLoaded(type)) await this.#types.load(type);
    const accepted = await this.#parts.backend.accept(
      requests.map((request) => this.prepare(request)),
      options,
    );
    this.#jobsMade += accepted.filter(({ existing }) => !existing).length;
    return accepted;
  }

  /** Loads what is needed to {@link prepare} jobs of a type synchronously. */
  async load(type: string): Promise<void> {
    if (!this.#types.isLoaded(type)) await this.#types.load(type);
  }

  /** Everything but the storing; the type must be loaded. */
  prepare(request: JobRequest): Acceptance {
    const { clock, limits, backend, gate } = this.#parts;
    const reader = this.#types.get(request.type);
    const parsed = reader.read(request.input);
    if (!parsed.success) throw inputProblem(request.type, parsed.error);
    const inputJson = writeJson(`${request.type}: the input`, request.input);
    const digest = request.options.idempotencyKey === undefined ? {} : { inputDigest: digestOf(request.input) };
    const spec = resolveJob({
      type: request.type,
      rules: reader.rules,
      inputJson,
      parsed: parsed.data,
      secrets: reader.secrets(parsed.data),
      options: request.options,
      limits,
      ...digest,
      ...(request.parent === undefined ? {} : { parent: request.parent }),
      nowMs: clock.now(),
    });
    checkCapabilities(spec, backend.capabilities);
    const { type, input: given, actor, operation = ENQUEUE, slot } = request;
    const { requires: labels, afterCrash, retryOnExit } = spec;
    const asked: AskedJob = { actor, operation, type, input: parsed.data, given, labels, afterCrash, retryOnExit };
    const { demand, ...leave } = gate.checkJob(asked);
    return {
      spec,
      actor,
      ...(slot === undefined ? {} : { slot }),
      ...(operation === ENQUEUE ? {} : { operation }),
      ...leave,
      ...(demand === undefined ? {} : { question: { ...demand, ...jobQuestion(asked) } }),
    };
  }

  /** Submits what a running job asks for; its child keeps the strictest actor. */
  async submitChild(
    { ref, actor, traceId }: ParentJob,
    type: string,
    input: unknown,
    { key: _, ...options }: ChildOptions,
  ): Promise<{ readonly jobId: string }> {
    const [accepted] = await this.submit([
      { type, input, options: { ...options, traceId }, actor: childActor(actor, ref), parent: ref },
    ]);
    return { jobId: accepted?.jobId ?? "" };
  }

  /** Prepares the child of a durable job, which its backend accepts together with the record of the call. */
  async prepareChild(
    { ref, actor, traceId }: ParentJob,
    type: string,
    input: unknown,
    options: ChildOptions,
  ): Promise<Acceptance> {
    await this.load(type);
    this.#jobsMade++;
    return this.prepare({ type, input, options: { ...options, traceId }, actor: childActor(actor, ref), parent: ref });
  }
}

/** A child keeps the strictest actor. */
function childActor(actor: Actor, parent: ParentRef): Actor {
  return strictest<Actor>(actor, { kind: "job", name: parent.jobId, via: "library" });
}

function digestOf(input: unknown): string {
  return createHash("sha256").update(canonicalJson(input)).digest("hex");
}

function checkCapabilities(spec: Acceptance["spec"], capabilities: Capabilities): void {
  if (capabilities.subSecond) return;
  const odd = Object.entries({
    delay: spec.delayMs,
    expires_in: spec.expiresInMs,
    deadline: spec.deadlineInMs,
    timeout: spec.timeoutMs,
  }).find(([, ms]) => ms !== undefined && ms % 1_000 !== 0);
  if (odd !== undefined)
    throw new AppError("UNSUPPORTED", `${odd[0]} is ${odd[1]} ms; this backend keeps whole seconds only`);
}
