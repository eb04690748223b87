import { appendFileSync } from "node:fs";
import { expect } from "vitest";
import type { Finished } from "../../support/cli.ts";

/** Of one stream; what a test compares in full is not needed here. */
const KEPT_CHARACTERS = 4_096;

/** Writes a finished call down where `npm run test:windows` asks for it. */
export function recordCall(args: readonly string[], { status, signal, stdout, stderr }: Finished): void {
  const path = process.env["WINDLASS_TEST_RECORDING"];
  if (path === undefined) return;
  const test = expect.getState().currentTestName ?? "";
  appendFileSync(path, `${JSON.stringify({ test, args, status, signal, stdout: cut(stdout), stderr: cut(stderr) })}\n`);
}

function cut(text: string): string {
  return text.length <= KEPT_CHARACTERS ? text : `${text.slice(0, KEPT_CHARACTERS)}… (${text.length} characters)`;
}
