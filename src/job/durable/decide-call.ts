import { AppError } from "../../error.ts";
import { type Call, type CallOutcome, describeCall, type RecordedCall } from "./record.ts";

/** What is known when a durable call is made. */
export interface CallSituation {
  readonly call: Call;
  readonly position: number;
  /** What the record has at this position. */
  readonly recorded: RecordedCall | undefined;
  /** Positions that a run may have. */
  readonly positionsMax: number;
}

/** What a durable call does, given the record. */
export type CallDecision =
  /** It was made before: this came of it. */
  | { readonly kind: "answer"; readonly outcome: CallOutcome }
  /** It was made before, and what it waits for has not come. */
  | { readonly kind: "pending" }
  /** Nobody has made it yet. */
  | { readonly kind: "issue" }
  /** A `version` that the run passed before its code had it: no position is taken. */
  | { readonly kind: "older" }
  /** The run ends with this error, past the user's own `catch`. */
  | { readonly kind: "fail"; readonly error: AppError };

/** Decides what a durable call does: it is answered from the record, made, or refused. */
export function decideCall({ call, position, recorded, positionsMax }: CallSituation): CallDecision {
  if (recorded === undefined) {
    // The remedy itself may stand one beyond the limit.
    if (position > positionsMax && call.kind !== "continueAs") return { kind: "fail", error: tooLong(positionsMax) };
    return { kind: "issue" };
  }
  if (!isSameCall(call, recorded)) {
    if (call.kind === "version") return { kind: "older" };
    return { kind: "fail", error: mismatch(position, describeRecorded(recorded), describeFound(call, recorded)) };
  }
  const outcome = recorded.outcome();
  return outcome === undefined ? { kind: "pending" } : { kind: "answer", outcome };
}

/** The error of code that ends before it has made every call of the record; `undefined` when it has. */
export function decideEnd(next: number, newest: RecordedCall | undefined): AppError | undefined {
  if (newest === undefined || newest.position < next) return undefined;
  return mismatch(
    next,
    `a call there (the last one is ${describeRecorded(newest)} at position ${newest.position})`,
    "the end of the job",
  );
}

/** The error of a durable call that is made while another one is open. */
export function concurrentCall(found: string, open: string): AppError {
  return new AppError(
    "CONCURRENT_DURABLE_CALL",
    `${found} came while ${open} is open; await each durable call before the next one, give several at once to ctx.all, or put a longer branch into a child job`,
    { details: { found, open } },
  );
}

/** The digest of a version is that of no argument: its number changes with the code and must not count. */
function isSameCall(call: Call, recorded: Call): boolean {
  return call.kind === recorded.kind && call.name === recorded.name && call.digest === recorded.digest;
}

function describeRecorded(recorded: Call): string {
  return describeCall(recorded);
}

function describeFound(call: Call, recorded: Call): string {
  const same = call.kind === recorded.kind && call.name === recorded.name;
  return same ? `${describeCall(call)} with other arguments` : describeCall(call);
}

function mismatch(position: number, recorded: string, found: string): AppError {
  return new AppError(
    "NON_DETERMINISTIC",
    `position ${position}: the record has ${recorded}, the code made ${found}; bring the old code back or branch with ctx.version, then \`windlass jobs retry JOB --from POSITION\` keeps what is recorded before that position; without --from it starts over`,
    { details: { position, recorded, found } },
  );
}

function tooLong(positionsMax: number): AppError {
  return new AppError(
    "LIMIT_REACHED",
    `this run has made ${positionsMax} durable calls, which is the limit; end its log earlier with ctx.continueAs(input)`,
    { details: { positions_max: positionsMax } },
  );
}
