import { createHash } from "node:crypto";
import { inputProblem } from "../attempt/input.ts";
import type { Clock } from "../clock.ts";
import { AppError } from "../error.ts";
import { canonicalJson } from "../job/canonical-json.ts";
import type { ChildOptions } from "../job/context.ts";
import type { JobType } from "../job/definition.ts";
import type { JobLimits } from "../job/limits.ts";
import { nearest } from "../job/nearest.ts";
import type { SubmitOptions } from "../job/options.ts";
import { resolveJob } from "../job/resolve.ts";
import type { TypeRules } from "../job/rules.ts";
import { sayIssue } from "../job/say-issue.ts";
import { secretNames, secretNamesByShape } from "../job/secret.ts";
import type { ParentRef } from "../job/spec.ts";
import { writeJson } from "../job/write-json.ts";
import { type Actor, strictest } from "../policy/actor.ts";
import type { Acceptance, Accepted } from "./acceptance.ts";
import type { Backend } from "./backend.ts";
import type { Capabilities } from "./capabilities.ts";
import { jobQuestion } from "./job-question.ts";
import { ENQUEUE, type PolicyGate } from "./policy-gate.ts";
import { publishedInput } from "./published-type.ts";
import type { PublishedType } from "./reading.ts";
import type { AskedJob, BackendWorker, ParentJob } from "./serving.ts";

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

/** A worker may publish a newer version of a type while this process lives; it is asked for again after this long. */
const PUBLISHED_FOR_MS = 1_000;

/** How the input of a type is read. */
interface Reader {
  readonly rules: TypeRules;
  readonly read: (input: unknown) => ReturnType<JobType["input"]["safeParse"]>;
  readonly secrets: (parsed: unknown) => readonly string[];
  /** Of a published type: what it was made of, and until when that is taken to be so. */
  readonly published?: { readonly text: string; readonly untilMono: number };
}

/** The one way in: parse the input, ask the policy, write the actor, then the backend's `accept`, which nothing else calls. */
export class Submit {
  readonly #parts: SubmitParts;
  #jobsMade = 0;
  readonly #readers = new Map<string, Reader>();

  constructor(parts: SubmitParts) {
    this.#parts = parts;
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
    for (const { type } of requests) if (!this.#isLoaded(type)) await this.#loadPublished(type);
    const accepted = await this.#parts.backend.accept(
      requests.map((request) => this.prepare(request)),
      options,
    );
    this.#jobsMade += accepted.filter(({ existing }) => !existing).length;
    return accepted;
  }

  /** Loads what is needed to {@link prepare} jobs of a type synchronously. */
  async load(type: string): Promise<void> {
    if (!this.#isLoaded(type)) await this.#loadPublished(type);
  }

  /** Everything but the storing; the type must be loaded. */
  prepare(request: JobRequest): Acceptance {
    const { clock, limits, backend, gate } = this.#parts;
    const reader = this.#readers.get(request.type);
    if (reader === undefined) throw new AppError("UNKNOWN_JOB_TYPE", `job type ${request.type} is not loaded`);
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

  /** True when it was read before, or this process has a definition of its own, which comes before a published one. */
  #isLoaded(type: string): boolean {
    const known = this.#readers.get(type);
    if (known !== undefined) return known.published === undefined || this.#nowMono < known.published.untilMono;
    const own = this.#parts.types.get(type);
    if (own === undefined) return false;
    this.#readers.set(type, {
      rules: own.rules,
      read: (input) => own.input.safeParse(input, { error: sayIssue }),
      secrets: secretNames,
    });
    return true;
  }

  async #loadPublished(type: string): Promise<void> {
    const { backend, types } = this.#parts;
    const all = await backend.types();
    const found = all.find(({ name }) => name === type);
    if (found === undefined) throw unknownType(type, [...types.keys(), ...all.map(({ name }) => name)]);
    const published = { text: JSON.stringify(found), untilMono: this.#nowMono + PUBLISHED_FOR_MS };
    const known = this.#readers.get(type);
    // The same object of rules for the same rules: backends know them by it.
    this.#readers.set(
      type,
      known?.published?.text === published.text ? { ...known, published } : readerOf(found, published),
    );
  }

  get #nowMono(): number {
    return this.#parts.clock.monotonic();
  }
}

/** A child keeps the strictest actor. */
function childActor(actor: Actor, parent: ParentRef): Actor {
  return strictest<Actor>(actor, { kind: "job", name: parent.jobId, via: "library" });
}

function readerOf(type: PublishedType, published: NonNullable<Reader["published"]>): Reader {
  const schema = publishedInput(type);
  const read: Reader["read"] = (input) => schema.safeParse(input, { error: sayIssue });
  return { rules: type.rules, read, secrets: secretNamesByShape, published };
}

function unknownType(type: string, known: readonly string[]): AppError {
  const names = nearest(type, known, 3);
  const hint =
    names.length === 0
      ? "load it with --jobs FILE or start a worker that serves it"
      : `did you mean ${names.join(" or ")}?`;
  return new AppError(
    "UNKNOWN_JOB_TYPE",
    `job type ${JSON.stringify(type)} is known neither here nor to any worker that published its types; ${hint}`,
  );
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
