import type { Program } from "../program.ts";

/** `exit-with.exe CODE`: ends with this 32-bit code; negative and hexadecimal ones too. */
export function main(program: Program): number {
  return Number(program.args[0] ?? 0) >>> 0;
}
