import { randomUUID } from "node:crypto";
import { AppError } from "../../../error.ts";
import { checkEventId, checkEventName } from "../../../job/durable/event.ts";
import { writeValue } from "../../../job/durable/outcome.ts";
import type { EventRequest } from "../../backend.ts";
import type { NewEvent } from "./emit.ts";
import { storedText, type ValueLimits } from "./outcome-text.ts";

/** Reads an event before it is stored; one without an id gets a new one. @throws AppError `INVALID_INPUT`, `TOO_LARGE`. */
export function prepareEvent(
  { event, payload, eventId }: EventRequest,
  { artifactRoot, limits }: { readonly artifactRoot: string; readonly limits: ValueLimits },
): Omit<NewEvent, "actor"> & { readonly key: string } {
  const name = checkEventName(event);
  const key = eventId === undefined ? randomUUID() : checkEventId(eventId);
  const json = JSON.stringify(payload) as string | undefined;
  if (json === undefined)
    throw new AppError("INVALID_INPUT", `event ${name}: the payload is ${typeof payload}; it must be a JSON value`);
  return {
    name,
    key,
    payload: JSON.parse(json) as unknown,
    stored: storedText(artifactRoot, writeValue(json), limits),
  };
}
