import { MARK } from "./processes.ts";
import { runMain } from "./run-main.ts";

// The process of a program of the simulator: run-program.ts MODULE --command-line RAW-LINE.
const [module, mark, commandLine] = process.argv.slice(2);
if (module === undefined || mark !== MARK || commandLine === undefined) throw new Error("wrong arguments");
await runMain(module, commandLine);
