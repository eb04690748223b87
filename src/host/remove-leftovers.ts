import { removeOrphans } from "./local/owned-folder.ts";
import { removeDeadSockets } from "./ssh/dead-sockets.ts";

/** Removes what processes of this account left behind that were killed. What cannot be removed harms nobody. */
export async function removeLeftovers(): Promise<void> {
  try {
    removeOrphans();
    await removeDeadSockets();
  } catch {
    // The folder is another account's, or cannot be read; who needs it is told then.
  }
}
