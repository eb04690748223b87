import { createHash } from "node:crypto";
import type { Approval } from "../approval/approval.ts";
import { canonicalJson } from "../job/canonical-json.ts";
import { formatActor } from "../policy/actor.ts";
import { jobFacts } from "../policy/job-facts.ts";
import type { JobQuestion } from "./acceptance.ts";
import type { AskedJob } from "./serving.ts";

/** An input up to this length stands in the question itself, in characters of JSON; of a longer one its digest does. */
const SHOWN_MAX = 262_144;
/** Characters of a title. */
const TITLE_MAX = 120;

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
  afterCrash,
  retryOnExit,
}: AskedJob): Pick<JobQuestion, "title" | "details"> {
  const { host } = jobFacts(input);
  // A program that is run a second time does what it does twice.
  const again = { after_crash: afterCrash, ...(retryOnExit ? { retry_on: "exit" } : {}) };
  return {
    title: titleOf(`${type} for ${formatActor(actor)}`, given),
    details: { operation, type, ...inputPart(given), labels, ...again, ...(host === undefined ? {} : { host }) },
  };
}

/** What a list of questions can be told apart by: the line, program or address that the job was given. */
function titleOf(start: string, given: unknown): string {
  const { argv, command, url } = (given ?? {}) as {
    readonly argv?: unknown;
    readonly command?: unknown;
    readonly url?: unknown;
  };
  const words = [argv, command, url].find((said) => said !== undefined);
  const said = (Array.isArray(words) ? words : [words])
    .map((word) => (typeof word === "string" ? word : "…"))
    .join(" ");
  if (words === undefined) return start;
  // It is one line of what strangers wrote; all of it, exactly, stands in the details.
  const line = said.slice(0, 2 * TITLE_MAX).replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, " ");
  const title = `${start}: ${line}`;
  return title.length <= TITLE_MAX ? title : `${title.slice(0, TITLE_MAX - 1).toWellFormed()}…`;
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
  return { input_sha256: sha256(text), input_characters: text.length };
}

/** True where the details of a question have the digest of an input in its place, and it is of this one. */
export function standsFor(details: unknown, given: unknown): boolean {
  const digest = (details as { readonly input_sha256?: unknown } | null)?.input_sha256;
  return digest !== undefined && digest === sha256(canonicalJson(given));
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
