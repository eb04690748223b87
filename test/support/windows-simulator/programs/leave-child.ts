import { randomUUID } from "node:crypto";
import { NotModelled } from "../not-modelled.ts";
import type { Program } from "../program.ts";
import { startProgram } from "../start-program.ts";

/**
 * `leave-child.exe [--breakaway]`: starts a `sleeper.exe` that holds the same output, says its pid and ends at once.
 * With `--breakaway` the child leaves the job, as `CREATE_BREAKAWAY_FROM_JOB` does.
 */
export function main(program: Program): number {
  const { args, context } = program;
  if (args.some((argument) => argument !== "--breakaway")) throw new NotModelled(`leave-child ${args.join(" ")}`);
  const started = startProgram({
    image: "C:\\Tools\\sleeper.exe",
    commandLine: "sleeper.exe",
    cwd: program.cwd,
    environment: program.environment,
    context: args.length === 0 ? context : { ...context, job: `breakaway-${randomUUID()}` },
    stdio: ["ignore", 1, 2],
    detached: true,
  });
  if (started.kind === "error") return 1;
  program.line(`left ${started.pid}`);
  return 0;
}
