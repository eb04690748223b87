import { createHash } from "node:crypto";
import type { Approval } from "../approval/approval.ts";
import { canonicalJson } from "../job/canonical-json.ts";
import { formatActor } from "../policy/actor.ts";
import { jobFacts } from "../policy/job-facts.ts";
import type { JobQuestion } from "./acceptance.ts";
import type { AskedJob } from "./serving.ts";

/** An input up to this length stands in the question itself, in characters of JSON; of a longer one its digest does. */
const SHOWN_MAX = 262_144;

/**
 * What people are asked before a job runs: all that decides what it does. The same for the same job whoever makes it up, so
 * that an approval is found to be for something else when anything of the job was changed. Secrets stand in it by name.
 */
export function jobQuestion({
  actor,
  operation,
  type,
  input,
  given,
  labels,
}: AskedJob): Pick<JobQuestion, "title" | "details"> {
  const { host } = jobFacts(input);
  return {
    title: `${type} for ${formatActor(actor)}`,
    details: { operation, type, ...inputPart(given), labels, ...(host === undefined ? {} : { host }) },
  };
}

/** A question about a job that is due later says when. */
export function dueLater<Q extends Pick<JobQuestion, "details">>(question: Q, dueAtMs: number, nowMs: number): Q {
  return dueAtMs > nowMs ? withDue(question, dueAtMs) : question;
}

/**
 * The question as it must have been put, for an approval that is there. Whoever put it may not have known the host that its
 * type names where the input does not, and said when the job is due only where that was later.
 */
export function asAsked<Q extends Pick<JobQuestion, "details">>(question: Q, asked: Approval, dueAtMs: number): Q {
  const { host: _, ...rest } = question.details;
  const shown = says(asked, "host") ? question : { ...question, details: rest };
  return says(asked, "due_at") ? withDue(shown, dueAtMs) : shown;
}

function says({ subject: { details } }: Approval, member: string): boolean {
  return typeof details === "object" && details !== null && Object.hasOwn(details, member);
}

function withDue<Q extends Pick<JobQuestion, "details">>(question: Q, dueAtMs: number): Q {
  return { ...question, details: { ...question.details, due_at: new Date(dueAtMs).toISOString() } };
}

function inputPart(given: unknown): Readonly<Record<string, unknown>> {
  const text = canonicalJson(given);
  if (text.length <= SHOWN_MAX) return { input: JSON.parse(text) as unknown };
  return { input_sha256: createHash("sha256").update(text).digest("hex"), input_characters: text.length };
}
