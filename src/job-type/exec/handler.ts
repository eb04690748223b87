import { mkdirSync, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { Adoption, Effect, EffectContext, Handlers, MachineIdentity } from "../../attempt/handlers.ts";
import { AppError, isAppError } from "../../error.ts";
import { adoptProgram, findProgram } from "../../host/local/adopt-program.ts";
import { endProgram } from "../../host/local/end-program.ts";
import { type PreparedProgram, prepareProgram } from "../../host/local/prepare-program.ts";
import type { RunningProgram } from "../../host/local/program.ts";
import { conclude } from "./conclude.ts";
import { readExecEffect, writeExecEffect } from "./effect.ts";
import type { ExecInput, ExecResult } from "./exec.ts";
import { filesIn } from "./files.ts";
import { follow } from "./follow.ts";
import { holdOutput } from "./hold-output.ts";
import type { ExecOptions } from "./options.ts";
import { throwIfStopped } from "./stopped.ts";

/** The code of `exec`. */
export function execHandlers(options: ExecOptions): Handlers {
  return {
    run: (input: ExecInput, ctx) => run(input, ctx, options),
    check: (input: ExecInput, ctx) => check(input, ctx, options),
    adopt: (input: ExecInput, effect, ctx) => adopt(input, effect, { ctx, options }),
    streams: { stdout: "exec/stdout.txt", stderr: "exec/stderr.txt" },
  };
}

async function run(input: ExecInput, ctx: EffectContext, options: ExecOptions): Promise<ExecResult> {
  const prepared = await prepare(input, ctx, options);
  try {
    const facts = writeExecEffect({ ...prepared.id, startedAtMs: options.clock.now() });
    await ctx.recordEffect({ machine: options.machine, facts });
    throwIfStopped(ctx.signal);
  } catch (error) {
    await prepared.abandon();
    throw error;
  }
  return stayWith(prepared, ctx, options);
}

/** After a crash whose outcome is unknown: exit 0 of the command says that the work is done. */
async function check(input: ExecInput, ctx: EffectContext, options: ExecOptions): Promise<ExecResult | undefined> {
  if (input.check_argv === undefined) return undefined;
  try {
    // Not recorded as an effect: it changes nothing, and its end is not the job's.
    const prepared = await prepare({ ...input, argv: input.check_argv, stdin: undefined }, ctx, options);
    return await stayWith(prepared, ctx, options);
  } catch (error) {
    await rm(dirname(filesIn(ctx.folder).record), { recursive: true, force: true });
    if (!isAppError(error)) throw error;
    if (error.code === "EXIT_NONZERO" && error.details["signal"] === null) return undefined;
    // Never retried: the attempt after a failed one would run the program without asking.
    if (error.code === "EXIT_NONZERO" || error.code === "PROGRAM_NOT_STARTED") throw unanswered(error);
    throw error;
  }
}

async function adopt(
  input: ExecInput,
  effect: Effect,
  { ctx, options }: { readonly ctx: EffectContext; readonly options: ExecOptions },
): Promise<Adoption> {
  const known = readExecEffect(effect);
  if (known === undefined) return { kind: "unknown", reason: "what was recorded of the program cannot be read" };
  const files = filesIn(ctx.folder);
  const found = await findProgram(known, files);
  switch (found.kind) {
    case "never-ran":
      return { kind: "not-begun" };
    case "gone":
      return { kind: "unknown", reason: goneReason(effect.machine, options.machine) };
    case "ended": {
      const endedAtMs = statSync(files.record).mtimeMs;
      await holdOutput({ ...options, files, log: ctx.log }).finish();
      return { kind: "result", result: await conclude(found.end, { files, ctx }, endedAtMs - known.startedAtMs) };
    }
    case "running": {
      const program = adoptProgram(known, files, { clock: options.clock, pollMs: options.tickMs });
      if (input.orphan === "kill") return killOrphan(program, options);
      const elapsedMs = (): number => options.clock.now() - known.startedAtMs;
      try {
        return { kind: "result", result: await follow(program, { ctx, options, files, elapsedMs }) };
      } catch (error) {
        // Its worker had only stalled before it said go, and died now.
        if (isAppError(error) && error.code === "PROGRAM_NOT_STARTED") return { kind: "not-begun" };
        throw error;
      }
    }
  }
}

function prepare(input: ExecInput, ctx: EffectContext, options: ExecOptions): Promise<PreparedProgram> {
  const files = filesIn(ctx.folder);
  mkdirSync(dirname(files.record), { recursive: true, mode: 0o700 });
  return prepareProgram({
    argv: input.argv,
    cwd: resolve(input.cwd ?? "."),
    env: {
      ...options.environment,
      ...input.env,
      // Last, so that a program that calls Windlass never counts as anybody else.
      ...(ctx.actor === undefined ? {} : { WINDLASS_ACTOR: ctx.actor }),
    },
    stdin: input.stdin,
    files,
    uid: options.uid,
  });
}

function stayWith(prepared: PreparedProgram, ctx: EffectContext, options: ExecOptions): Promise<ExecResult> {
  const startedMs = options.clock.monotonic();
  const elapsedMs = (): number => options.clock.monotonic() - startedMs;
  return follow(prepared.go(), { ctx, options, files: filesIn(ctx.folder), elapsedMs });
}

async function killOrphan(program: RunningProgram, { clock, killGraceMs }: ExecOptions): Promise<Adoption> {
  await endProgram(program, { clock, graceMs: killGraceMs });
  return { kind: "unknown", reason: "its worker died and the program was killed, as orphan: kill asks" };
}

function goneReason(then: MachineIdentity, now: MachineIdentity): string {
  if (then.host === now.host && then.boot !== now.boot) return "the machine restarted while the program ran";
  return "the program is gone and left no exit code, as after a KILL (signal) of its whole process group";
}

function unanswered(cause: AppError): AppError {
  return new AppError("OUTCOME_UNKNOWN", `check_argv could not say whether the work is done: ${cause.message}`, {
    cause,
  });
}
