import { z } from "zod";
import { defineOperation } from "../operation.ts";

/** Sends an event. */
export const emitEvent = defineOperation({
  name: "jobs.emit",
  summary: "Send an event to the durable jobs that wait for it.",
  description:
    "A job that begins to wait later finds it too, when the event came after the job, or after its last retry. The same event id is stored once.",
  access: "write",
  input: z.strictObject({
    event: z.string().describe("The name of the event, as the job's code waits for it."),
    input: z.unknown().optional().describe("The payload, a JSON value; default {}."),
    event_id: z.string().optional().describe("Names the event: sent again with the same id it is not stored again."),
  }),
  output: z.strictObject({
    event: z.string(),
    event_id: z.string(),
    existing: z.boolean().describe("True when an event of this id was stored before."),
    given: z.int().describe("Jobs that waited for it and go on."),
  }),
  errors: ["INVALID_INPUT", "TOO_LARGE", "POLICY_DENIED"],
  database: "write",
  positional: ["event"],
  async run({ event, input, event_id }, { windlass: { backend }, actor }) {
    const request = { event, payload: input ?? {}, ...(event_id === undefined ? {} : { eventId: event_id }) };
    const { eventId, existing, given } = await backend.emit(request, actor);
    return { event, event_id: eventId, existing, given };
  },
});
