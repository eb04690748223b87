import { AppError, toErrorRecord } from "../error.ts";
import { decideRecovery, type RecoveryDecision } from "../job/crash.ts";
import { resolveSecrets, secretNames } from "../job/secret.ts";
import { createRedactor, type Redactor } from "../redact.ts";
import { createContext, folderFor } from "./context.ts";
import type { AttemptControl } from "./control.ts";
import { AlreadyDone, type EffectContext, type MachineIdentity } from "./handlers.ts";
import { inputProblem } from "./input.ts";
import type { AttemptEnd, AttemptRequest, AttemptServices, PutOff } from "./services.ts";
import { type HandlerEnd, settle } from "./settle.ts";

/** How long a job that another machine may look after is left alone before anybody looks again. */
const LEAVE_MS = 1_000;

/**
 * Makes one attempt: reads the input, resolves its secrets, recovers what an earlier attempt had started, runs the
 * handler, and says how it ended. It records nothing itself; whoever holds the lease does.
 */
export async function runAttempt(
  request: AttemptRequest,
  services: AttemptServices,
  control: AttemptControl,
): Promise<AttemptEnd> {
  let input: unknown;
  let redactor: Redactor | undefined;
  try {
    ({ input, redactor } = readInput(request, services));
  } catch (error) {
    // What was started goes on meanwhile; a worker that has the secret may come and look after it.
    if (isLookedFor(request, services)) return { kind: "left", delayMs: LEAVE_MS };
    return { kind: "failed", error: toErrorRecord(error), retryable: false };
  }
  let first = decideFirst(request, services, false);
  if (first.kind === "leave") return { kind: "left", delayMs: LEAVE_MS };
  let folder = folderFor(request, services, first.kind === "adopt");
  const contextFor = (): EffectContext =>
    createContext(request, { services, folder, signal: control.signal, redactor });
  let outcome: HandlerEnd | typeof WAITS | PutOff | undefined;
  if (first.kind === "adopt") {
    const adopted = await adopt(request, services, { input, ctx: contextFor(), control });
    if (adopted.kind === "not-begun") first = { kind: "run" };
    else if (adopted.kind === "unknown") {
      first = decideFirst(request, services, true);
      if (first.kind === "run" || first.kind === "check") folder = folderFor(request, services, false);
    } else outcome = adopted;
  }
  outcome ??= await perform(first, { request, services, input, ctx: contextFor(), control });
  if (outcome.kind === "waits") return { kind: "suspended" };
  if (outcome.kind === "put-off") return outcome;
  const keeps = request.handlers.keeps?.(input as never) ?? [];
  return settle(outcome, { request, services, control, folder, redactor, keeps });
}

/** True while somebody may still come who can take over what an earlier attempt started. */
function isLookedFor({ recover, effect, handlers }: AttemptRequest, { clock, limits }: AttemptServices): boolean {
  return (
    recover && effect !== undefined && handlers.adopt !== undefined && clock.now() - effect.atMs < limits.adoptWaitMs
  );
}

/** Reads an attempt's input and resolves its secrets. @throws AppError `INVALID_INPUT`, `SECRET_UNAVAILABLE`. */
export function readInput(
  request: AttemptRequest,
  services: AttemptServices,
): { input: unknown; redactor: Redactor | undefined } {
  const parsed = request.type.input.safeParse(request.input);
  if (!parsed.success) throw inputProblem(request.type.name, parsed.error);
  const names = secretNames(parsed.data);
  if (names.length === 0) return { input: parsed.data, redactor: undefined };
  const redactor = createRedactor();
  const input = resolveSecrets(parsed.data, (name) => {
    if (!request.type.rules.secrets.includes(name)) {
      throw new AppError(
        "SECRET_UNAVAILABLE",
        `secret ${name} is not in the list of ${request.type.name}; add it to the type's secrets (built-in types: the configuration key ${request.type.name.replace(".", "_")}.secrets)`,
      );
    }
    const value = services.secret(name);
    if (value === undefined)
      throw new AppError(
        "SECRET_UNAVAILABLE",
        `secret ${name} is not set in the worker's environment; set it and start the worker again, then \`windlass jobs retry ${request.jobId}\``,
      );
    redactor.add(value);
    return value;
  });
  return { input, redactor };
}

function decideFirst(request: AttemptRequest, services: AttemptServices, adoptionFailed: boolean): RecoveryDecision {
  return decideRecovery({
    recover: request.recover,
    hasEffect: request.effect !== undefined,
    canAdopt: request.handlers.adopt !== undefined,
    canCheck: request.handlers.check !== undefined,
    adoptionFailed,
    sameHost: request.effect !== undefined && sameHost(request.effect.effect.machine, services.machine),
    sinceLostMs: services.clock.now() - (request.effect?.atMs ?? 0),
    adoptWaitMs: services.limits.adoptWaitMs,
    afterCrash: request.afterCrash,
    crashes: request.crashes,
    crashesMax: request.crashesMax,
  });
}

/** After a restart of the machine its programs are gone, whatever the pid namespace was. */
function sameHost(effect: MachineIdentity, own: MachineIdentity): boolean {
  return effect.host === own.host && (effect.boot !== own.boot || effect.pidNamespace === own.pidNamespace);
}

async function adopt(
  request: AttemptRequest,
  services: AttemptServices,
  { input, ctx, control }: { readonly input: unknown; readonly ctx: EffectContext; readonly control: AttemptControl },
): Promise<HandlerEnd | { readonly kind: "not-begun" } | { readonly kind: "unknown" }> {
  const { handlers, effect } = request;
  if (handlers.adopt === undefined || effect === undefined) return { kind: "unknown" };
  try {
    await services.recordAdoption(request);
    const found = await control.guard(Promise.resolve(handlers.adopt(input as never, effect.effect, ctx)));
    return found.kind === "result" ? { kind: "value", value: found.result } : { kind: found.kind };
  } catch (error) {
    return { kind: "thrown", error };
  }
}

interface Performance {
  readonly request: AttemptRequest;
  readonly services: AttemptServices;
  readonly input: unknown;
  readonly ctx: EffectContext;
  readonly control: AttemptControl;
}

/** It waits for leave to run. */
const WAITS = { kind: "waits" } as const;

async function perform(first: RecoveryDecision, performance: Performance): Promise<HandlerEnd | typeof WAITS | PutOff> {
  const { request, services, input, ctx, control } = performance;
  const { handlers, deadlineMs } = request;
  // What was to be ended is ended by now; nothing is begun that has no time left.
  if (deadlineMs !== undefined && deadlineMs <= services.clock.now()) control.stop("timeout", { byDeadline: true });
  // A cancel that was asked for while no worker had the job ends it here: the effect is known to be over.
  if (control.reason !== undefined) return { kind: "thrown", error: control.reason };
  try {
    if (first.kind === "crashed") throw new AppError("CRASHED", first.message);
    if (first.kind === "unknown") {
      throw new AppError(
        "OUTCOME_UNKNOWN",
        "an earlier attempt died in the middle and nothing says whether its work was done; look, then `windlass jobs retry` to do it again",
      );
    }
    // What an earlier attempt started was allowed then and is followed to its end; nothing is begun that is not allowed now.
    const asked = services.obtainLeave(request, input);
    const leave = asked === undefined ? "granted" : await control.guard(asked);
    if (leave === "waits") return WAITS;
    // While people's decisions were looked at.
    if (control.reason !== undefined) return { kind: "thrown", error: control.reason };
    if (leave !== "granted") return leave;
    if (first.kind === "check") {
      const checked = await check(performance);
      if (checked !== undefined) return checked;
    }
    const returned = handlers.run(input as never, ctx);
    const value = isThenable(returned) ? await control.guard(Promise.resolve(returned)) : returned;
    return value instanceof AlreadyDone
      ? { kind: "value", value: value.result, skipped: true }
      : { kind: "value", value };
  } catch (error) {
    return { kind: "thrown", error };
  }
}

/** Asks whether the work is done already; `undefined` when it is known not to be. */
async function check({ request, input, ctx, control }: Performance): Promise<HandlerEnd | undefined> {
  try {
    const found = await control.guard(Promise.resolve(request.handlers.check?.(input as never, ctx)));
    return found === undefined ? undefined : { kind: "value", value: found, skipped: true };
  } catch (error) {
    return { kind: "thrown", error, checking: true };
  }
}

/** Query builders and promises of other libraries count too: what is not waited for would never have run. */
function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
