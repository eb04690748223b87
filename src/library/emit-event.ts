import { checkOptions } from "../job/check-options.ts";
import { askPolicy, type ClientParts } from "./parts.ts";

/** Options of `emit`. */
export interface EmitOptions {
  /** Names the event: sent again with the same id it is not stored again, as long as events are kept. */
  readonly eventId?: string;
}

/** An event that was stored. */
export interface EmittedEvent {
  /** As it was given, else a new UUID. */
  readonly eventId: string;
  /** True when an event of this name and id was stored before; nothing new was. */
  readonly existing: boolean;
  /** Jobs that waited for it and go on. */
  readonly given: number;
}

const OPTIONS = ["eventId"] satisfies (keyof EmitOptions)[];

/** Sends an event. */
export async function emitEvent(
  parts: ClientParts,
  { event, payload, options }: { readonly event: string; readonly payload: unknown; readonly options: EmitOptions },
): Promise<EmittedEvent> {
  checkOptions("emit", options, OPTIONS);
  await askPolicy(parts, "jobs.emit");
  const { eventId } = options;
  const request = { event, payload, ...(eventId === undefined ? {} : { eventId }) };
  return parts.windlass.backend.emit(request, parts.actor);
}
