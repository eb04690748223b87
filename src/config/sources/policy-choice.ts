import { dirname } from "node:path";
import type { SettingKey } from "../schema/schema.ts";
import { formatOrigin, type Origin } from "../schema/setting.ts";
import { standsThere } from "./folders.ts";

interface Settings {
  readonly values: Map<SettingKey, unknown>;
  readonly origins: Map<SettingKey, Origin>;
}

/** The party that a policy holds back must not choose another than the machine's, where there is one. @returns warnings */
export function putSystemPolicy({ values, origins }: Settings, path: string): string[] {
  if (!standsThere(path)) return [];
  const named = values.get("policy");
  const origin = origins.get("policy");
  values.set("policy", path);
  origins.set("policy", { kind: "found", where: dirname(path) });
  if (named === undefined || named === path || origin === undefined || origin.kind === "found") return [];
  return [`policy ${String(named)} is not read (${formatOrigin(origin)}): ${path} holds on this machine`];
}

/**
 * Where the policy comes from, as far as who chose it. A file's word is the file's only where the call has chosen neither
 * the file nor another database than the file's: many files on a machine belong to others, and say something else.
 *
 * @param named how the call named the config file; absent where it was found.
 */
export function choiceOfPolicy(origins: Settings["origins"], named: Origin | undefined): Origin {
  const policy = origins.get("policy") ?? { kind: "default" };
  if (policy.kind !== "file") return policy;
  const database = origins.get("database.path");
  return named ?? (database?.kind === "flag" || database?.kind === "environment" ? database : policy);
}
