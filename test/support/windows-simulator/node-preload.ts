import { writeFileSync } from "node:fs";
import { VARIABLES } from "./process-context.ts";

// Loaded into every real Node of the machine. Its exit code has 32 bits on Windows, 8 here.
const exitFile = process.env[VARIABLES.exitFile];
delete process.env[VARIABLES.exitFile];

// What .NET calls the name of a process. Node's threads have names of their own; process.title would change the arguments too.
writeFileSync("/proc/self/comm", "node");

if (exitFile !== undefined) {
  process.on("exit", (code) => {
    writeFileSync(exitFile, String(Number(process.exitCode ?? code) >>> 0));
  });
}
