import type { z } from "zod";
import { AppError } from "../error.ts";

/** Fields whose values are ids; a wrong one has its own code. */
const ID_FIELDS: readonly PropertyKey[] = ["id", "ids"];

/** The error of an input that its schema refused: the fields with their problems. */
export function wrongInput(name: string, error: z.ZodError): AppError {
  const issues = error.issues.slice(0, 5).map(sentenceOf);
  const [field] = error.issues[0]?.path ?? [];
  const isId = field !== undefined && ID_FIELDS.includes(field);
  return new AppError(isId ? "INVALID_ID" : "USAGE", `${name.replace(".", " ")}: ${issues.join("; ")}`);
}

/** `limit must be at most 1000, not 5000`; `id "x" is not a job id`. */
function sentenceOf({ path, message, input }: z.core.$ZodIssue): string {
  const field = path.map(String).join(".");
  const value = typeof input === "string" || typeof input === "number" ? shown(input) : undefined;
  if (value === undefined || value === '""') return `${field} ${message}`.trim();
  return message.startsWith("is not") ? `${field} ${value} ${message}` : `${field} ${message}, not ${value}`;
}

const SHOWN_MAX = 80;

function shown(value: string | number): string {
  const text = JSON.stringify(value);
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX - 3)}...` : text;
}
