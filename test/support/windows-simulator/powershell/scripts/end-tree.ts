import { setTimeout as pause } from "node:timers/promises";
import { endProcesses, type MachineProcess, runningProcesses, treeOf } from "../../processes.ts";
import type { Program } from "../../program.ts";
import type { RunScript } from "../run-script.ts";

const TURNS = 10;

export const run: RunScript = async (program, { pid }) => {
  const ended = new Set<number>();
  for (let turn = 0; turn < TURNS; turn++) {
    const found = treeFrom(program, Number(pid));
    if (found.length === 0) break;
    endProcesses(found);
    for (const process of found) ended.add(process.pid);
    await pause(20);
  }
  return { ended: ended.size, left: treeFrom(program, Number(pid)).length };
};

/** Windows keeps the number of a parent that is gone; here the job of the runner that had it is known instead. */
function treeFrom({ context, machine }: Program, pid: number): readonly MachineProcess[] {
  const all = runningProcesses(context.folder);
  const detail = machine.events("runner.started", String(pid)).at(-1)?.detail as { readonly job: string } | undefined;
  // Its own shell, above it, is not part of the tree.
  const orphans = all.filter(({ job, image }) => job === detail?.job && image.toLowerCase() !== "cmd.exe");
  const known = treeOf(all, pid);
  const isGone = known.length === 0;
  return isGone ? orphans : known;
}
