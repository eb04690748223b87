import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { Machine } from "../state.ts";

/** True where a test said that a script of ours is to fail: `machine.fail("start-task.ps1", …)`. */
export function hasFailingScript(machine: Machine): boolean {
  return machine.failing.some((name) => name.endsWith(".ps1"));
}

/** Hands the runner its requests; in the place of a script that is to fail stands one that throws what the test said. */
export async function relayRequests(machine: Machine, from: Readable, to: Writable): Promise<void> {
  // Whoever reads them may have been ended.
  to.on("error", () => {});
  for await (const line of createInterface({ input: from })) to.write(`${requestOf(machine, line)}\n`);
  to.end();
}

function requestOf(machine: Machine, line: string): string {
  if (!line.startsWith("{")) return line;
  const request = JSON.parse(line) as { readonly script?: string; readonly name?: string };
  const failure = request.script === undefined ? undefined : machine.takeFailure(`${request.name}.ps1`);
  if (failure === undefined) return line;
  const text = failure.stderr === "" ? failure.stdout : failure.stderr;
  return JSON.stringify({ ...request, script: `=throw '${text.replaceAll("'", "''")}'` });
}
