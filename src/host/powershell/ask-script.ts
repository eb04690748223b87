import { AppError } from "../../error.ts";
import { decodeClixml } from "./model/clixml.ts";
import { powershellArgv, printsFalse } from "./model/operator-script.ts";
import type { PowerShellRunner } from "./runner.ts";

/** What an operator's PowerShell answered, by its exit code: 0 is yes. */
export interface ScriptAnswer {
  readonly isYes: boolean;
  readonly exitCode: number;
  /** What its author should know: it printed `False` and exited 0, which counts as yes and is rarely meant. */
  readonly warning?: string;
  /** The last line of what it wrote to its standard error; empty where there is none. */
  readonly complaint: string;
}

/** What is asked, for the texts of errors: `idempotent_check`, `verify`. */
export interface ScriptQuestion {
  readonly what: string;
  readonly script: string;
}

/** What is read of an answer; the rest of its output goes nowhere. */
const READ_BYTES = 64 * 1024;
const COMPLAINT_MAX = 200;
const PRINTED_FALSE =
  "printed False and exited 0, which counts as yes: PowerShell's booleans are no exit codes; write if (...) { exit 0 } else { exit 1 }";

/**
 * Runs an operator's PowerShell in a process of its own on a host and takes its exit code for the answer.
 *
 * @throws AppError `CHECK_FAILED` when it gave no answer, `TIMEOUT`, `TOO_LARGE`; the signal's reason.
 */
export async function askScript(
  runner: Pick<PowerShellRunner, "run">,
  { what, script }: ScriptQuestion,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<ScriptAnswer> {
  const stdout = new Heard();
  const stderr = new Heard();
  const end = await runner.run(
    { argv: powershellArgv(script) },
    {
      timeoutMs,
      signal,
      stdout: (bytes) => stdout.hear(bytes),
      stderr: (bytes) => stderr.hear(bytes),
    },
  );
  switch (end.kind) {
    case "exited":
      return {
        isYes: end.code === 0,
        exitCode: end.code,
        ...(printsFalse(end.code, stdout.text) ? { warning: `${what} ${PRINTED_FALSE}` } : {}),
        complaint: lastLine(decodeClixml(stderr.text)),
      };
    case "cancelled":
      throw signal.reason;
    case "timeout":
      throw new AppError("TIMEOUT", `${what} gave no answer within ${timeoutMs} ms`);
    case "failed":
    case "unknown":
      throw new AppError("CHECK_FAILED", `${what} could not be asked: ${end.reason}`);
  }
}

/** The beginning of a stream. */
class Heard {
  readonly #pieces: Uint8Array[] = [];
  #bytes = 0;

  get text(): string {
    return Buffer.concat(this.#pieces).toString("utf8");
  }

  hear(bytes: Uint8Array): void {
    const piece = bytes.subarray(0, READ_BYTES - this.#bytes);
    if (piece.length === 0) return;
    this.#bytes += piece.length;
    // A copy: the sender may use its memory again.
    this.#pieces.push(Uint8Array.from(piece));
  }
}

function lastLine(text: string): string {
  return (text.trimEnd().split("\n").at(-1) ?? "").trim().slice(0, COMPLAINT_MAX);
}
