import { JobNumbers } from "../../backend/embedded/rows/job-number.ts";
import { AppError } from "../../error.ts";
import type { CallContext } from "../operation.ts";

/** The database that the configuration names. @throws AppError `UNSUPPORTED` where jobs do not live in a file. */
export async function databasePath({ loadConfig }: Pick<CallContext, "loadConfig">): Promise<string> {
  const { config } = await loadConfig();
  if (config.backend === "embedded") return config.database.path;
  throw new AppError(
    "UNSUPPORTED",
    `the backend is ${config.backend}, and only the embedded one keeps its jobs in a file of ours`,
  );
}

/** Ids from the key of a database and the numbers of its jobs. */
export function idMaker(): (key: string, number: number) => string {
  const known = new Map<string, JobNumbers>();
  return (key, number) => {
    const numbers = known.get(key) ?? JobNumbers.of(key);
    known.set(key, numbers);
    return numbers.idOf(number);
  };
}
