import type { Program } from "../program.ts";

/** `argv-echo.exe`: its arguments as one JSON array, in UTF-8 whatever the code page. */
export function main(program: Program): number {
  program.writeBytes(Buffer.from(`${JSON.stringify(program.args)}\r\n`, "utf8"));
  return 0;
}
