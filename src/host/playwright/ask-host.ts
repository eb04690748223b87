import type { z } from "zod";
import { AppError } from "../../error.ts";
import { shapeProblem } from "../powershell/scripts.ts";
import type { HostAccess, ScriptArgument } from "./host-access.ts";

/** A script of ours and the shape of its answer. */
export interface Question<R> {
  readonly script: string;
  readonly answer: z.ZodType<R>;
}

/**
 * Asks the host of a browser server.
 *
 * @throws AppError `SCRIPT_FAILED` (also for an answer of another shape) and what the host throws.
 */
export async function askHost<R>(
  access: HostAccess,
  { script, answer }: Question<R>,
  argument: ScriptArgument,
  limits: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<R> {
  const parsed = answer.safeParse(await access.call(script, argument, limits));
  if (parsed.success) return parsed.data;
  throw new AppError("SCRIPT_FAILED", `${script} answered what it should not: ${shapeProblem(parsed.error)}`);
}
