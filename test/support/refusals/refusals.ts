import { others } from "./others.ts";
import type { Refusal } from "./refusal.ts";
import { schedules } from "./schedules.ts";
import { submits } from "./submits.ts";

/** Every refusal of an open client, by what it is about. */
export const REFUSALS: Readonly<Record<string, readonly Refusal[]>> = {
  "submit, submitMany and runAndWait": submits,
  schedule: schedules,
  "the other calls": others,
};
