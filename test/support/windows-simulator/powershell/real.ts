import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Program } from "../program.ts";

export function realPowerShell(folder: string): string | undefined {
  const path = join(folder, "pwsh");
  return existsSync(path) ? path : undefined;
}

export function runReal(_program: Program, _path: string): Promise<number> {
  throw new Error("not yet");
}
