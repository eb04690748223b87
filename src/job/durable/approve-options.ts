import { type Duration, parseDuration } from "../../duration.ts";
import { AppError } from "../../error.ts";
import { checkOptions } from "../check-options.ts";
import { writeJson } from "../write-json.ts";

/** How much a decision must be worth: see `docs/approvals.md`. */
export type DecisionLevel = "advisory" | "enforced";

/** What a durable job asks of people. */
export interface ApproveOptions {
  /** What they are to approve: one line of 1 to 200 characters. */
  readonly title: string;
  /** A JSON value of up to 64 KiB: all that they must know. They are shown exactly this, and sign its digest. Default null. */
  readonly details?: unknown;
  /** Approvers of the policy, any of whom may decide. Default: each of them. */
  readonly approvers?: readonly string[];
  /** How many different ones must approve, 1 to 100. One rejection is a veto. Default 1. */
  readonly quorum?: number;
  /** Default `advisory`; `enforced` takes a key and a policy that whoever asks could not use or change. */
  readonly level?: DecisionLevel;
  /** How long they have, 1 minute to 366 days. Default 24 h. */
  readonly expiresIn?: Duration;
  /** What an approval that nobody gave in time is: an answer (`return`, the default), or an error `APPROVAL_EXPIRED`. */
  readonly onExpiry?: "return" | "fail";
}

/** The options of a call, read. */
export interface ApproveRequest {
  readonly title: string;
  readonly details: unknown;
  readonly approvers: readonly string[];
  readonly quorum: number;
  readonly level: DecisionLevel;
  readonly expiresInMs: number;
  readonly onExpiry: "return" | "fail";
}

const TITLE_MAX = 200;
const DETAILS_MAX = 65_536;
const QUORUM_MAX = 100;
const OPTIONS = Object.keys({
  title: true,
  details: true,
  approvers: true,
  quorum: true,
  level: true,
  expiresIn: true,
  onExpiry: true,
} satisfies Record<keyof ApproveOptions, true>);
const APPROVERS_MAX = 100;
const EXPIRES_MIN_MS = 60_000;
const EXPIRES_MS = 86_400_000;

/** Reads the options of a call. @throws AppError `INVALID_INPUT`, `INVALID_DURATION`, `TOO_LARGE`. */
export function readApproveOptions(given: ApproveOptions): ApproveRequest {
  checkOptions("approve", given, OPTIONS);
  const { title, details = null, approvers = [], quorum = 1, level = "advisory", onExpiry = "return" } = given;
  if (typeof title !== "string" || !isOneLine(title) || title.length > TITLE_MAX)
    throw invalid(
      `title ${JSON.stringify(title)} must be one line of 1 to ${TITLE_MAX} characters that does not begin or end with a space`,
    );
  if (!Array.isArray(approvers) || !approvers.every(isName) || new Set(approvers).size !== approvers.length)
    throw invalid(`approvers must be a list of different names such as ops@example.com`);
  if (approvers.length > APPROVERS_MAX) throw invalid(`approvers names ${approvers.length}; at most ${APPROVERS_MAX}`);
  const quorumMax = approvers.length === 0 ? QUORUM_MAX : approvers.length;
  if (!(Number.isInteger(quorum) && quorum >= 1 && quorum <= quorumMax))
    throw invalid(`quorum ${quorum} must be a whole number from 1 to ${quorumMax}`);
  if (level !== "advisory" && level !== "enforced")
    throw invalid(`level ${JSON.stringify(level)} is neither advisory nor enforced`);
  if (onExpiry !== "return" && onExpiry !== "fail")
    throw invalid(`onExpiry ${JSON.stringify(onExpiry)} is neither return nor fail`);
  const expiresInMs =
    given.expiresIn === undefined
      ? EXPIRES_MS
      : parseDuration(given.expiresIn, { what: "approve: expiresIn", minMs: EXPIRES_MIN_MS });
  return { title, details: readDetails(details), approvers: [...approvers], quorum, level, expiresInMs, onExpiry };
}

function readDetails(details: unknown): unknown {
  const text = writeJson("approve: the value of details", details);
  if (text.length > DETAILS_MAX)
    throw new AppError(
      "TOO_LARGE",
      `approve: details are ${text.length} characters of JSON; at most ${DETAILS_MAX}: give what people can read, and the digest of the rest`,
    );
  return JSON.parse(text) as unknown;
}

/** What is shown on a terminal and signed must be what it seems to be. */
function isOneLine(text: string): boolean {
  return text !== "" && text.trim() === text && !/[\p{C}\p{Zl}\p{Zp}]/u.test(text);
}

function isName(name: unknown): boolean {
  return typeof name === "string" && isOneLine(name) && name.length <= 128;
}

function invalid(what: string): AppError {
  return new AppError("INVALID_INPUT", `approve: ${what}`);
}
