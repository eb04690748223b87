import { setTimeout as wait } from "node:timers/promises";
import type { Program } from "../program.ts";

/** `sleeper.exe [MS]`: says its pid, then does nothing; for ever where no time is given. */
export async function main(program: Program): Promise<number> {
  program.line(`pid ${process.pid}`);
  const [ms] = program.args;
  if (ms !== undefined) await wait(Number(ms));
  else await new Promise<never>(() => setInterval(() => {}, 60_000));
  return 0;
}
