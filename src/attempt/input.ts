import type { z } from "zod";
import { AppError } from "../error.ts";

/**
 * The one sentence about an input that its schema refused: each field with what is wrong with it, at most five.
 */
export function inputProblem(type: string, error: z.ZodError): AppError {
  const issues = error.issues
    .slice(0, 5)
    .map((issue) => `input${issue.path.map((part) => `.${String(part)}`).join("")}: ${issue.message}`);
  const more = error.issues.length > 5 ? `, and ${error.issues.length - 5} more` : "";
  return new AppError("INVALID_INPUT", `${type}: ${issues.join("; ")}${more}`, {
    details: {
      issues: error.issues.slice(0, 20).map(({ path, message }) => ({ path: path.map(String).join("."), message })),
    },
  });
}
