import type { AttemptControl } from "../../../attempt/control.ts";
import { pause } from "../../../clock.ts";
import type { Transaction } from "../../../database/writer.ts";
import { AppError, isAppError } from "../../../error.ts";
import type { Notice } from "../rows/notice.ts";
import type { WorkerParts } from "./worker-parts.ts";

/** A write that the disk refused is tried again this often, as long as the lease is kept. */
const WRITE_RETRY_MS = 1_000;

/**
 * Writes what must be on disk before an attempt goes on; a disk that is full or busy holds it up, and no more.
 *
 * @param mutation told when an earlier try may have been committed after all.
 * @throws AppError `LEASE_LOST` when the attempt ends before it could be written.
 */
export async function persist<T>(
  { writer, clock }: Pick<WorkerParts, "writer" | "clock">,
  { control }: { readonly control: AttemptControl },
  mutation: (tx: Transaction<Notice>, again: boolean) => T,
): Promise<T> {
  for (let again = false; ; again = true) {
    try {
      if (control.ended)
        throw new AppError("LEASE_LOST", "this attempt has ended; what its code does late counts for nothing");
      return await writer.mutate((tx) => mutation(tx, again));
    } catch (error) {
      if (!isPassing(error)) throw error;
      if (control.reason !== undefined)
        throw new AppError("LEASE_LOST", "it could not be written before it had to stop", { cause: error });
    }
    await pause(clock, WRITE_RETRY_MS, control.signal);
  }
}

function isPassing(error: unknown): boolean {
  return (
    isAppError(error) &&
    (error.code === "DATABASE_FULL" || error.code === "DATABASE_BUSY" || error.code === "COMMIT_UNKNOWN")
  );
}
