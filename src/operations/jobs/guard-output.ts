import { createRedactor, type Redactor } from "../../redact.ts";

/** What stands between a job's raw output and whoever looks at it. */
export type OutputGuard =
  /** It refers to no secret. */
  | { readonly kind: "plain" }
  | { readonly kind: "masked"; readonly redactor: Redactor }
  /** This process does not know all of its secrets, so it cannot mask them. */
  | { readonly kind: "hidden"; readonly missing: readonly string[] };

/** How the raw output of a job with these secrets may be shown by a process with this environment. */
export function guardOutput(
  secrets: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): OutputGuard {
  if (secrets.length === 0) return { kind: "plain" };
  const missing = secrets.filter((name) => environment[name] === undefined);
  if (missing.length > 0) return { kind: "hidden", missing };
  const redactor = createRedactor();
  for (const name of secrets) redactor.add(environment[name] ?? "");
  return { kind: "masked", redactor };
}
