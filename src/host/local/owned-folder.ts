import { createHash } from "node:crypto";
import { lstatSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { machineIdentity } from "./machine.ts";
import { processTable } from "./process-table.ts";

/** Whose a folder is: which boot and pid namespace of which machine, the process's number there, and when it started. */
const NAME = /^windlass-(?:ssh-call|upload)-([0-9a-f]{16})_(\d+)_([0-9A-Za-z]+)_\w{6}$/;

let own: { readonly place: string; readonly start: string } | undefined;

/**
 * The first part of the path of a temporary folder of this process, for `mkdtemp`. Its name says whose it is, so that
 * {@link removeOrphans} knows it when the process was killed.
 */
export function ownedPath(kind: "ssh-call" | "upload"): string {
  const { place, start } = ownMark();
  return join(tmpdir(), `windlass-${kind}-${place}_${process.pid}_${start}_`);
}

/**
 * Removes the temporary folders of this account's processes that ended without doing so themselves. Only those of processes
 * that can be seen from here are judged; what cannot be removed is left for the next time.
 */
export function removeOrphans(folder: string = tmpdir()): void {
  // Without its namespace nothing tells our processes from those of another container that shares the folder.
  if (process.platform === "linux" && machineIdentity().pidNamespace === "none") return;
  const { place } = ownMark();
  for (const name of readdirSync(folder)) {
    const [, where, pid, start] = NAME.exec(name) ?? [];
    if (where === place && start !== undefined && hasEnded(Number(pid), start)) removeOwn(join(folder, name));
  }
}

function ownMark(): { readonly place: string; readonly start: string } {
  own ??= {
    place: createHash("sha256").update(JSON.stringify(machineIdentity())).digest("hex").slice(0, 16),
    start: startOf(process.pid) ?? "unknown",
  };
  return own;
}

function startOf(pid: number): string | undefined {
  return processTable().read(pid)?.startTime.replaceAll(/\W/g, "");
}

/** False too where it cannot be told. */
function hasEnded(pid: number, start: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
  // Another one may have its number.
  const now = startOf(pid);
  return now !== undefined && now !== start && start !== "unknown";
}

function removeOwn(path: string): void {
  try {
    const found = lstatSync(path);
    if (found.isDirectory() && found.uid === process.getuid?.()) rmSync(path, { recursive: true, force: true });
  } catch {
    // Somebody else removed it, or may not be followed there.
  }
}
