import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { AppError, isAppError } from "../error.ts";
import type { JobType } from "../job/definition.ts";

/**
 * Loads every job type that these files export, whatever the exports are called. Node runs TypeScript as it is.
 *
 * @param paths absolute.
 * @throws AppError `INVALID_DEFINITION` naming the file.
 */
export async function loadJobFiles(paths: readonly string[]): Promise<readonly JobType[]> {
  const types: JobType[] = [];
  // One after the other, so that the first wrong file is the one that is named.
  for (const path of new Set(paths)) types.push(...(await loadJobFile(path)));
  return types;
}

async function loadJobFile(path: string): Promise<readonly JobType[]> {
  const found = Object.values(await importFile(path))
    .flatMap((value): readonly unknown[] => (Array.isArray(value) ? value : [value]))
    .filter(isJobType);
  if (found.length === 0) {
    throw new AppError(
      "INVALID_DEFINITION",
      `job file ${path} exports no job type; export what defineJob returns: export const hello = defineJob({ … })`,
    );
  }
  // The same type under two names (`export { a as b }`) is one type.
  return [...new Set(found)];
}

async function importFile(path: string): Promise<Readonly<Record<string, unknown>>> {
  // Node would name the file of this program that asked for it.
  if (!existsSync(path))
    throw new AppError(
      "INVALID_DEFINITION",
      `job file ${path} does not exist; look at --jobs, WINDLASS_JOBS and jobs: of the config file`,
    );
  try {
    return (await import(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const code = isAppError(error) ? error.code : "INVALID_DEFINITION";
    throw new AppError(code, `job file ${path} cannot be loaded: ${reason}`, { cause: error });
  }
}

/** True for what `defineJob` and `defineDurableJob` return. By its shape: a file may have its own copy of the library. */
export function isJobType(value: unknown): value is JobType {
  if (typeof value !== "object" || value === null) return false;
  const { kind, name, input, rules } = value as Partial<Record<keyof JobType, unknown>>;
  const known = kind === "plain" || kind === "durable";
  return known && typeof name === "string" && typeof input === "object" && typeof rules === "object";
}
