import { existsSync } from "node:fs";
import type { Program } from "../program.ts";
import { isAccepted, refusal } from "./digests.ts";
import type { Request } from "./runner.ts";
import type { Wire } from "./wire.ts";

/** What a module in `scripts/` exports as `run`: does what the script of its name does, over the machine's state. */
export type RunScript = (
  program: Program,
  arg: Readonly<Record<string, unknown>>,
) => Readonly<Record<string, unknown>> | Promise<Readonly<Record<string, unknown>>>;

/** Plays one of our scripts by name and digest; returns the trailer without its nonce. */
export async function runScript(program: Program, request: Request, wire: Wire): Promise<string> {
  const name = request.name ?? "";
  const failure = program.machine.takeFailure(`${name}.ps1`);
  if (failure !== undefined) throw new Error(failure.stderr === "" ? failure.stdout : failure.stderr);
  const module = new URL(`./scripts/${name}.ts`, import.meta.url);
  if (!/^[a-z-]+$/.test(name) || !isAccepted(name, request.script?.slice(1) ?? "") || !existsSync(module)) {
    program.machine.record("simulator.not-modelled", "powershell.exe", refusal(name));
    throw new Error(refusal(name));
  }
  const { run } = (await import(module.href)) as { readonly run: RunScript };
  const over = new AbortController();
  const arg = Object.entries(request.arg ?? {}).map(([key, value]) => [
    key,
    typeof value === "string" ? value.slice(1) : value,
  ]);
  const work = Promise.resolve(run(program, Object.fromEntries(arg)));
  work.catch(() => {});
  const ended = await Promise.race([work, wire.interruption(request, over.signal)]);
  over.abort();
  if (typeof ended === "string") return `end=${ended} rc=0 left=0`;
  program.writeBytes(Buffer.from(JSON.stringify(ended)));
  return "end=exited rc=0 left=0";
}
