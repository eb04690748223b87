import { writeFileSync } from "node:fs";
import { VARIABLES } from "./process-context.ts";

// Loaded into every real Node of the machine: its exit code has 32 bits on Windows, 8 here.
const exitFile = process.env[VARIABLES.exitFile];
delete process.env[VARIABLES.exitFile];

if (exitFile !== undefined) {
  process.on("exit", (code) => {
    writeFileSync(exitFile, String(Number(process.exitCode ?? code) >>> 0));
  });
}
