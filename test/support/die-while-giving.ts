import { DatabaseSync } from "node:sqlite";
import type { Windlass } from "../../src/windlass.ts";

/** Emits an event that many wait for, and kills this process between two commits that give it to them. */
export async function dieWhileGiving({ backend, config }: Windlass, event: string): Promise<never> {
  const db = new DatabaseSync(config.database.path, { readOnly: true });
  const progress = db.prepare("SELECT given FROM event WHERE name = ? AND upto > 0");
  // Commits are made in setImmediate too: there is a look between any two.
  const look = (): void => {
    if (progress.get(event) === undefined) setImmediate(look);
    else process.kill(process.pid, "SIGKILL");
  };
  look();
  await backend.emit({ event, payload: { n: 1 }, eventId: "e-1" }, { kind: "person", name: "t", via: "library" });
  throw new Error(`the event ${event} was given in one commit`);
}
