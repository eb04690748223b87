import { randomUUID } from "node:crypto";
import { AppError, toErrorRecord } from "../../error.ts";
import type { Progress } from "../../job/context.ts";
import type { DurableContext, TransactionTables } from "../../job/durable/context.ts";
import { digestOf } from "../../job/durable/digest.ts";
import { writeError, writeValue } from "../../job/durable/outcome.ts";
import type { CallKind } from "../../job/durable/record.ts";
import { writeJson } from "../../job/write-json.ts";
import type { Redactor } from "../../redact.ts";
import { createLog } from "../context.ts";
import { inputProblem } from "../input.ts";
import { maskTexts } from "../mask-texts.ts";
import { refuseSecrets } from "../refuse-secrets.ts";
import { all } from "./all.ts";
import { answerOf } from "./answer-of.ts";
import { approveCall } from "./approve-call.ts";
import { childCalls } from "./child-calls.ts";
import type { Coroutine } from "./coroutine.ts";
import { performStep, readStepOptions, toJson } from "./step.ts";
import type { Act, Edge } from "./turn.ts";
import { waitCalls } from "./wait-calls.ts";

/** What the calls of a context stand on. */
export interface ContextBase {
  readonly coroutine: Coroutine;
  readonly redactor: Redactor | undefined;
}

/** The context that the code of a durable job receives. One for the life of a coroutine, whichever attempts carry it. */
export function createDurableContext(base: ContextBase): DurableContext {
  const { coroutine } = base;
  return Object.assign(new CarriedRun(coroutine), {
    signal: coroutine.signal,
    log: replayLog(base),
    progress: (progress: Progress) => {
      const { services, request } = coroutine.edge;
      if (!coroutine.replays) services.progress(request, maskTexts(progress, base.redactor));
    },
    ...waitCalls(coroutine),
    ...approveCall(coroutine, base.redactor),
    ...childCalls(coroutine, base.redactor),
    ...recordedCalls(base),
    all: ((calls) => all(coroutine, calls)) satisfies DurableContext["all"],
  });
}

/** Which run it is, and which attempt carries it at this time. A class for the sake of its getter: see `AttemptContext`. */
class CarriedRun {
  readonly jobId: string;
  readonly runNumber: number;
  readonly traceId: string;
  readonly #coroutine: Coroutine;

  constructor(coroutine: Coroutine) {
    const { jobId, runNumber, traceId } = coroutine.edge.request;
    this.jobId = jobId;
    this.runNumber = runNumber;
    this.traceId = traceId;
    this.#coroutine = coroutine;
  }

  get attempt(): number {
    return this.#coroutine.edge.request.attempt;
  }
}

type RecordedCalls = Pick<
  DurableContext,
  "step" | "now" | "random" | "uuid" | "transaction" | "continueAs" | "version"
>;

/** Calls whose outcome is recorded when they end, without a wait. */
function recordedCalls({ coroutine, redactor }: ContextBase): RecordedCalls {
  const value = (kind: CallKind, make: () => unknown, name = ""): Promise<unknown> =>
    answerOf(coroutine.perform({ kind, name, digest: "" }, appendValue(coroutine, make)));
  return {
    step: (name, work, options = {}) =>
      attempt(() => {
        const plan = readStepOptions(name, options);
        const act: Act = (call) =>
          performStep({ edge: coroutine.edge, call, work, plan, signal: coroutine.signal, redactor });
        return answerOf(coroutine.perform({ kind: "step", name, digest: "" }, act));
      }) as never,
    now: async () => new Date((await value("now", () => coroutine.edge.services.clock.now())) as number),
    random: () => value("random", () => Math.random()) as Promise<number>,
    uuid: () => value("uuid", () => randomUUID()) as Promise<string>,
    version: (name, version) =>
      attempt(() => {
        if (!(Number.isInteger(version) && version >= 1))
          throw new AppError("INVALID_INPUT", `version ${JSON.stringify(name)}: ${version} is no whole number from 1`);
        return value("version", () => version, name) as Promise<number>;
      }),
    transaction: (name, action) =>
      attempt(() =>
        answerOf(coroutine.perform({ kind: "transaction", name, digest: "" }, transact(coroutine, redactor, action))),
      ) as never,
    continueAs: (input) => attempt(() => continueAs(coroutine, redactor, input)),
  };
}

/** A call that is refused before it is made rejects, as one that fails does. */
function attempt<T>(make: () => Promise<T>): Promise<T> {
  try {
    return make();
  } catch (error) {
    return Promise.reject(error);
  }
}

function appendValue(coroutine: Coroutine, make: () => unknown): Act {
  return async (call) => {
    const outcome = writeValue(JSON.stringify(make()));
    await coroutine.edge.durable.append(call, outcome);
    return { kind: "settled", outcome };
  };
}

function transact(
  coroutine: Coroutine,
  redactor: Redactor | undefined,
  action: (db: TransactionTables) => unknown,
): Act {
  return async (call) => {
    const outcome = await coroutine.edge.durable.transaction(call, action, (ended) =>
      "error" in ended
        ? writeError(maskTexts(toErrorRecord(ended.error, "HANDLER_FAILED"), redactor))
        : writeValue(toJson(`transaction ${JSON.stringify(call.name)}`, ended.value, redactor)),
    );
    return { kind: "settled", outcome };
  };
}

function continueAs(coroutine: Coroutine, redactor: Redactor | undefined, input: unknown): Promise<never> {
  const { type } = coroutine.edge.request;
  const parsed = type.input.safeParse(input);
  if (!parsed.success) throw inputProblem(type.name, parsed.error);
  refuseSecrets(`continueAs of ${type.name}: the input`, input, redactor);
  const inputJson = input === undefined ? "null" : writeJson(`continueAs of ${type.name}: the input`, input);
  const act: Act = async (call) => ({ kind: "continued", call, inputJson });
  return coroutine.perform({ kind: "continueAs", name: "", digest: digestOf(input) }, act) as Promise<never>;
}

/** What was said before is not said again while recorded calls are passed. */
function replayLog({ coroutine, redactor }: ContextBase): DurableContext["log"] {
  const logs = new WeakMap<Edge, DurableContext["log"]>();
  const log = (): DurableContext["log"] | undefined => {
    if (coroutine.replays || !coroutine.alive) return undefined;
    const { edge } = coroutine;
    const known = logs.get(edge) ?? createLog(edge.request, edge.folder, edge.services, redactor);
    logs.set(edge, known);
    return known;
  };
  return {
    info: (message, fields) => log()?.info(message, fields),
    warn: (message, fields) => log()?.warn(message, fields),
    error: (message, fields) => log()?.error(message, fields),
  };
}
