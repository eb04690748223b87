import { writeFileSync } from "node:fs";
import { NOT_MODELLED_CODE, NOT_MODELLED_EVENT, NotModelled } from "./not-modelled.ts";
import { VARIABLES } from "./process-context.ts";
import { type Main, Program } from "./program.ts";
import { imageName } from "./start-program.ts";
import type { Failure } from "./state-shapes.ts";

/** Makes this process the program of a module (a path seen from this folder); ends the process. */
export async function runMain(
  module: string,
  commandLine: string,
  atStart: (program: Program) => void = () => {},
): Promise<never> {
  const exitFile = process.env[VARIABLES.exitFile];
  // Only this process writes it, none that it starts.
  delete process.env[VARIABLES.exitFile];
  const program = new Program(commandLine);
  const name = imageName(program.image);
  atStart(program);
  program.machine.record("program.started", name, { commandLine, pid: process.pid, session: program.context.session });
  const failure = program.machine.takeFailure(name);
  const code = (failure === undefined ? await run(module, program) : show(failure, program)) >>> 0;
  if (exitFile !== undefined) writeFileSync(exitFile, `${code}\n`);
  process.exit(code & 0xff);
}

async function run(module: string, program: Program): Promise<number> {
  try {
    const { main } = (await import(new URL(module, import.meta.url).href)) as { readonly main: Main };
    return await main(program);
  } catch (error) {
    // Whoever read its output is gone: on Windows the write fails and most programs end.
    if ((error as NodeJS.ErrnoException).code === "EPIPE") return 1;
    const text = error instanceof NotModelled ? error.message : String((error as Error).stack);
    program.machine.record(NOT_MODELLED_EVENT, imageName(program.image), { message: text, line: program.commandLine });
    program.error(`${text}\r\n`);
    return NOT_MODELLED_CODE;
  }
}

function show({ code, stdout, stderr }: Failure, program: Program): number {
  program.write(stdout);
  program.error(stderr);
  return code;
}
