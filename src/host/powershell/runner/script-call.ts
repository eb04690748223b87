import { AppError } from "../../../error.ts";
import type { OwnScript } from "../own-script.ts";
import type { RunnerRequest, ScriptArgument } from "../request.ts";
import type { RunnerEnd } from "../runner-end.ts";
import type { Sink } from "./output-pump.ts";

/** An answer is data, not a file: the longest that is asked for is a piece of a log. More is a fault. */
const ANSWER_MAX = 4 * 1024 * 1024;

type Run = (request: RunnerRequest, more: { readonly stdout: Sink }) => Promise<RunnerEnd>;

/** Runs a script of ours through `run` and reads its answer. */
export async function callScript(
  run: Run,
  { script, arg }: { readonly script: OwnScript; readonly arg: ScriptArgument },
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  const end = await run(
    { script, arg },
    {
      stdout: (chunk) => {
        length += chunk.length;
        if (length > ANSWER_MAX)
          throw new AppError("SCRIPT_FAILED", `${script.name} answered more than ${ANSWER_MAX} bytes`);
        chunks.push(chunk);
      },
    },
  );
  switch (end.kind) {
    case "exited":
      return parse(script.name, Buffer.concat(chunks).toString("utf8"));
    case "failed":
      throw new AppError("SCRIPT_FAILED", `${script.name} failed on the host: ${end.reason}`);
    case "timeout":
      throw new AppError("TIMEOUT", `${script.name} took longer than ${timeoutMs} ms on the host`);
    case "cancelled":
      throw signal.reason;
    case "unknown":
      throw new AppError("RUNNER_LOST", `${script.name} got no answer: ${end.reason}`);
  }
}

function parse(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new AppError("SCRIPT_FAILED", `${name} answered what is not JSON: ${text.slice(0, 200)}`, { cause: error });
  }
}
