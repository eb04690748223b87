import { randomUUID } from "node:crypto";
import { checkEventId, checkEventName } from "../../../job/durable/event.ts";
import { writeValue } from "../../../job/durable/outcome.ts";
import { writeJson } from "../../../job/write-json.ts";
import type { EventRequest } from "../../events.ts";
import { storedText, type ValueLimits } from "../files/stored-text.ts";
import type { NewEvent } from "./emit.ts";

/** Reads an event before it is stored; one without an id gets a new one. @throws AppError `INVALID_INPUT`, `TOO_LARGE`. */
export function prepareEvent(
  { event, payload, eventId }: EventRequest,
  { artifactRoot, limits }: { readonly artifactRoot: string; readonly limits: ValueLimits },
): Omit<NewEvent, "actor"> & { readonly key: string } {
  const name = checkEventName(event);
  const key = eventId === undefined ? randomUUID() : checkEventId(eventId);
  const json = writeJson(`event ${name}: the payload`, payload);
  return {
    name,
    key,
    payload: JSON.parse(json) as unknown,
    stored: storedText(artifactRoot, writeValue(json), limits),
  };
}
