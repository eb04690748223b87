import type { ErrorRecord } from "../../error.ts";

/** What a durable call does. */
export type CallKind =
  | "step"
  | "sleep"
  | "waitFor"
  | "approve"
  | "run"
  | "enqueue"
  | "now"
  | "random"
  | "uuid"
  | "transaction"
  | "version"
  | "continueAs";

/** What a durable call is compared by when code passes its position again. */
export interface Call {
  readonly kind: CallKind;
  /** The step's name, the event, the type of the child, the time of a sleep. */
  readonly name: string;
  /** Of the arguments that decide what the call does; empty where the name says all. */
  readonly digest: string;
}

/** What became of a call. User code sees nothing else, live and replayed alike. */
export type CallOutcome =
  | { readonly kind: "ok"; readonly value: unknown }
  | { readonly kind: "error"; readonly error: ErrorRecord }
  /** A wait that ended without its event. */
  | { readonly kind: "timeout" };

/** A call as the record has it. */
export interface RecordedCall extends Call {
  /** The ordinal of the call in its run, from 1. */
  readonly position: number;
  /** Read when it is asked for; `undefined` while the call is open. */
  readonly outcome: () => CallOutcome | undefined;
}

/** A call in words, such as `step "build"`. */
export function describeCall({ kind, name }: Pick<Call, "kind" | "name">): string {
  return name === "" ? kind : `${kind} ${JSON.stringify(name)}`;
}
