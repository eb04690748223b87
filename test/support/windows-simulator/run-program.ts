import { writeFileSync } from "node:fs";
import { VARIABLES } from "./process-context.ts";
import { MARK } from "./processes.ts";
import { type Main, Program } from "./program.ts";
import { imageName } from "./start-program.ts";
import type { Failure } from "./state-shapes.ts";

// The process of a program of the simulator: run-program.ts MODULE --command-line RAW-LINE.
const [module, mark, commandLine] = process.argv.slice(2);
if (module === undefined || mark !== MARK || commandLine === undefined) throw new Error("wrong arguments");

const exitFile = process.env[VARIABLES.exitFile];
delete process.env[VARIABLES.exitFile];
const program = new Program(commandLine);

program.machine.record("program.started", imageName(program.image), { commandLine, pid: process.pid });
const failure = program.machine.takeFailure(imageName(program.image));
exitWith(failure === undefined ? await run(module) : show(failure));

async function run(path: string): Promise<number> {
  const { main } = (await import(new URL(path, import.meta.url).href)) as { readonly main: Main };
  try {
    return await main(program);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Whoever read its output is gone: on Windows the write fails and most programs end.
    if (code === "EPIPE") return 1;
    throw error;
  }
}

function show({ code, stdout, stderr }: Failure): number {
  program.write(stdout);
  program.error(stderr);
  return code;
}

function exitWith(code: number): never {
  const unsigned = code >>> 0;
  if (exitFile !== undefined) writeFileSync(exitFile, String(unsigned));
  process.exit(unsigned & 0xff);
}
