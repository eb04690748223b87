import type { AttemptFolder } from "../../artifact/attempt-folder.ts";
import type { AppError } from "../../error.ts";
import type { CallOutcome } from "../../job/durable/record.ts";
import type { AttemptControl } from "../control.ts";
import type { AttemptRequest, AttemptServices, PutOff } from "../services.ts";
import type { HandlerEnd } from "../settle.ts";
import type { DurableServices, Issued, PlacedCall, Suspendable } from "./services.ts";

/** The attempt that carries a coroutine at this time; a parked one has none. */
export interface Edge {
  readonly request: AttemptRequest;
  readonly services: AttemptServices;
  readonly durable: DurableServices;
  readonly control: AttemptControl;
  /** Where the run writes. */
  readonly folder: AttemptFolder;
}

/** How the code's turn in an attempt ended. */
export type Turn =
  | { readonly kind: "ended"; readonly end: HandlerEnd }
  | { readonly kind: "suspended" }
  | { readonly kind: "continued"; readonly call: PlacedCall; readonly inputJson: string }
  | PutOff;

/** What making a call came to, for the coroutine. */
export type Act = (call: PlacedCall, suspend: Suspendable | undefined) => Promise<Acted>;

/** A call that people answer: whenever the run goes on, what they decided is looked at again. */
export interface PeopleCall {
  readonly act: Act;
  /** Looks at an answer before the code sees it. @returns the error with which the run ends instead. */
  readonly confirm: (call: PlacedCall, outcome: CallOutcome) => Promise<AppError | undefined>;
}

/** `stopped`: the attempt is being stopped, and what the call did meanwhile is not recorded. */
export type Acted = Issued | { readonly kind: "stopped" } | Extract<Turn, { kind: "continued" }>;

/** The end of a turn by an error, or by the reason for which the attempt is stopped. */
export function thrown(error: unknown): Turn {
  return { kind: "ended", end: { kind: "thrown", error } };
}

/** What a call of code answers that may not go on. */
export function never(): Promise<never> {
  return new Promise(() => undefined);
}
