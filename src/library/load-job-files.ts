import { pathToFileURL } from "node:url";
import { configError } from "../config/schema/setting.ts";
import { isAppError } from "../error.ts";
import type { JobType } from "../job/definition.ts";

/**
 * Loads the files of the configuration's `jobs`: every job type that one exports, by whatever name.
 *
 * @throws AppError `CONFIG` naming the file; an error of our own that its code threw (`INVALID_DEFINITION`) as it is.
 */
export async function loadJobFiles(paths: readonly string[]): Promise<readonly JobType[]> {
  const types = new Set<JobType>();
  for (const path of paths) {
    const found = Object.values(await importFile(path)).filter(isJobType);
    if (found.length === 0) throw configError("jobs", `${path} exports no job type; export what defineJob returns`);
    for (const type of found) types.add(type);
  }
  return [...types];
}

/** True for what `defineJob` made, by whichever copy of it. */
export function isJobType(value: unknown): value is JobType {
  if (typeof value !== "object" || value === null) return false;
  const { kind, name, input, result, rules } = value as Record<string, unknown>;
  return (
    kind === "plain" && typeof name === "string" && isSchema(input) && isSchema(result) && typeof rules === "object"
  );
}

function isSchema(value: unknown): boolean {
  return typeof value === "object" && value !== null && "safeParse" in value;
}

async function importFile(path: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  } catch (error) {
    if (isAppError(error)) throw error;
    throw configError(
      "jobs",
      `${path} cannot be loaded (${error instanceof Error ? error.message : String(error)})`,
      error,
    );
  }
}
