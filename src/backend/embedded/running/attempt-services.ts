import { isAttemptPath } from "../../../artifact/attempt-folder.ts";
import type { AttemptControl } from "../../../attempt/control.ts";
import type { AttemptRequest, AttemptServices } from "../../../attempt/services.ts";
import { AppError } from "../../../error.ts";
import { formatActor } from "../../../policy/actor.ts";
import { ENQUEUE } from "../../policy-gate.ts";
import { recordAdoption } from "../attempts/record-adoption.ts";
import { recordEffect } from "../attempts/record-effect.ts";
import { recordProgress } from "../attempts/record-progress.ts";
import { readInput } from "../reading/status.ts";
import { type LeaveBinding, obtainLeave } from "./obtain-leave.ts";
import type { Running } from "./running.ts";
import type { WorkerParts } from "./worker-parts.ts";

/** More than the decisions of one approval take, each of which is given ten seconds, where people did not decide ever again. */
const VERIFY_MAX_MS = 60_000;

/** What a claim says of the attempt to make. */
export function attemptRequest({ interned, db }: WorkerParts, running: Running): AttemptRequest {
  const { claim, served, jobId, traceId } = running;
  const { env } = claim.job;
  const { effect } = claim;
  return {
    jobId,
    type: served.type,
    handlers: served.handlers,
    runNumber: claim.entry.run,
    attempt: claim.entry.attempt,
    traceId,
    actor: formatActor(interned.actor(db, claim.job.actor)),
    input: readInput(env),
    timeoutMs: claim.rules.timeoutMs,
    ...(env.deadline === undefined ? {} : { deadlineMs: env.deadline }),
    afterCrash: env.after_crash ?? "rerun",
    retryOnExit: env.retry_exit ?? false,
    recover: claim.entry.recover === 1,
    crashes: claim.entry.crashes,
    crashesMax: claim.rules.crashesMax,
    ...(effect === undefined || !isAttemptPath(effect.folder, jobId, claim.entry.run) ? {} : { effect }),
  };
}

/** What an attempt may ask of its worker; facts are stored under its lease. */
export function attemptServices(parts: WorkerParts, running: Running, lease: LeaveBinding["lease"]): AttemptServices {
  const { id, clock, machine, artifactRoot, limits, options, writer, interned, db } = parts;
  const { claim, jobId, traceId, control, timeLimit } = running;
  const { job, run } = claim.entry;
  return {
    clock,
    machine,
    artifactRoot,
    limits,
    secret: options.secret,
    obtainLeave: ({ type, input: given, afterCrash, retryOnExit }, input) => {
      const leave = obtainLeave(
        parts,
        { claim, control, lease },
        {
          actor: interned.actor(db, claim.job.actor),
          operation: claim.job.env.operation ?? ENQUEUE,
          type: type.name,
          input,
          given,
          labels: interned.queue(db, claim.job.queue).requires,
          afterCrash,
          retryOnExit,
        },
      );
      // To verify signatures is no work of the job's: a slow machine must not cost it its leave.
      return leave === undefined ? undefined : timeLimit.outside(VERIFY_MAX_MS, () => leave);
    },
    outsideTimeout: (maxMs, work) => timeLimit.outside(maxMs, work),
    // What was asked for before the end is written before it: mutations keep their order.
    recordAdoption: () => writer.mutate((tx) => recordAdoption(tx, claim, id)),
    recordEffect: async (_, effect, folder) => {
      checkNotEnded(control);
      await writer.mutate((tx) => recordEffect(tx, { epoch: claim.epoch, job, run, folder, effect }));
    },
    progress: (_, progress) => {
      if (control.ended) return;
      writer
        .mutate((tx) => recordProgress(tx, claim.epoch, { job, run, progress }), { durable: false })
        .catch(() => undefined);
    },
    enqueue: async (_, slot, type, input, childOptions) => {
      checkNotEnded(control);
      const parent = { ref: { jobId, runNumber: run, slot }, actor: interned.actor(db, claim.job.actor), traceId };
      return options.submitChild(parent, type, input, childOptions);
    },
  };
}

/** The lease may go on for the other jobs of its batch when a handler outlives its attempt. */
function checkNotEnded({ ended }: AttemptControl): void {
  if (ended) throw new AppError("LEASE_LOST", "this attempt has ended; what its handler does late counts for nothing");
}
