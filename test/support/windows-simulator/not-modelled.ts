import type { MachineEvent } from "./state-shapes.ts";

/**
 * A test used something of Windows that the simulator does not know. It is written down and fails the test when the
 * simulator stops, so that nothing passes by accident.
 */
export class NotModelled extends Error {
  constructor(what: string) {
    super(`the Windows simulator does not model ${what}`);
    this.name = "NotModelled";
  }
}

/** Exit code of a program that met something it does not model: no code that a program of Windows documents. */
export const NOT_MODELLED_CODE = 0xdead;

/** Kind of the event. */
export const NOT_MODELLED_EVENT = "simulator.not-modelled";

/** Characters of one thing that was asked. */
const SHOWN_MAX = 1_000;

/** Short enough for a failed test, whatever was asked. */
export function describeNotModelled(events: readonly MachineEvent[]): string {
  return events.map(({ detail }) => JSON.stringify(detail).slice(0, SHOWN_MAX)).join("; ");
}
