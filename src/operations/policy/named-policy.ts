import { resolve } from "node:path";
import { z } from "zod";
import { type LoadedPolicy, loadPolicy } from "../../config/policy/load-policy.ts";
import type { CallContext } from "../operation.ts";

/** The field that names another file than the one that holds. */
export const PolicyFileField = z
  .string()
  .min(1)
  .optional()
  .describe("Another policy file than the one that holds here, to try it before it does.");

/** The policy that is asked about; `undefined` where there is no file. */
export async function namedPolicy(
  file: string | undefined,
  { loadConfig, cwd }: Pick<CallContext, "loadConfig" | "cwd">,
): Promise<LoadedPolicy | undefined> {
  const { policy, policyOrigin, database } = (await loadConfig()).config;
  if (file !== undefined)
    return loadPolicy({ policy: resolve(cwd, file), policyOrigin: { kind: "flag", name: "--file" }, database });
  return policy === undefined ? undefined : loadPolicy({ policy, policyOrigin, database });
}

/** What is asked for without being an operation that a user can call; all of them change something. */
const OTHERS: readonly string[] = ["worker", "demo", "schedules.fire", "approvals.ask"];

/** Looks up what each operation does. @returns `undefined` for one that there is not. */
export async function accessesOf(
  names: readonly string[],
  { accessOf }: Pick<CallContext, "accessOf">,
): Promise<(operation: string) => "read" | "write" | undefined> {
  const known = new Map(
    await Promise.all([...new Set(names)].map(async (name) => [name, await accessOf(name)] as const)),
  );
  return (operation) => known.get(operation) ?? (OTHERS.includes(operation) ? "write" : undefined);
}
