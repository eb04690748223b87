import { z } from "zod";
import { defineDurableJob, defineJob, secretText, type WindlassClient } from "../../../src/index.ts";

export const mail = defineJob({
  name: "app.mail",
  input: z.strictObject({ to: z.string(), copies: z.int().min(1).default(1), at: z.strictObject({}).optional() }),
  queuedMax: 3,
});
export const notify = defineJob({
  name: "app.notify",
  input: z.strictObject({ token: secretText() }),
  secrets: ["CHAT_TOKEN"],
});
export const order = defineDurableJob({ name: "app.order", input: z.strictObject({ id: z.int() }), run: () => 1 });
export const anything = defineJob({ name: "app.any", input: z.unknown() });
export const twin = defineJob({ name: "app.mail", input: z.strictObject({ to: z.int() }) });
export const stranger = defineJob({ name: "app.stranger", input: z.strictObject({}) });
export const a = { to: "a" };

/** What a client must be opened with, and what is stored before: a job with a key, a future one and a schedule. */
export const REFUSING = { jobs: [mail, notify, order, anything] } as const;

/** Stores what refusals must leave as it is. @returns the id of the job. */
export async function storeBefore(client: WindlassClient): Promise<string> {
  const { jobId } = await client.submit(mail, a, { idempotencyKey: "k" });
  await client.schedule(mail, a, { after: "1h" });
  await client.schedule(mail, a, { cron: "0 0 * * *", name: "nightly" });
  return jobId;
}
