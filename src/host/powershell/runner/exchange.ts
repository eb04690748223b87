import { randomBytes } from "node:crypto";
import type { Clock } from "../../../clock.ts";
import { parseTrailer } from "../model/trailer.ts";
import { encodeRequest, type RunnerRequest } from "../request.ts";
import type { Sink } from "./output-pump.ts";
import { awaitLine } from "./reply.ts";
import type { OpenedRunner } from "./start-runner.ts";
import { type Answer, firstOf } from "./wait-for-reply.ts";

/** How one command is run. */
export interface RunOptions {
  /** Counted on the host, from the start of the program. */
  readonly timeoutMs: number;
  /** Ends the command's whole process tree. */
  readonly signal: AbortSignal;
  /** Bytes as the program wrote them, in order; the next ones wait until it returns. Default: they go nowhere. */
  readonly stdout?: Sink;
  readonly stderr?: Sink;
}

/** What became of a request, and what a sink threw, for which the command was ended. */
export interface Exchanged {
  readonly answer: Answer;
  readonly broken: { readonly error: unknown } | undefined;
}

/**
 * Gives a runner one request and waits for its trailer.
 *
 * @throws AppError `ARGUMENT_UNSAFE` before anything is sent.
 */
export async function exchange(
  { process: { stdin }, pumps }: OpenedRunner,
  request: RunnerRequest,
  options: RunOptions & { readonly clock: Clock; readonly answerTimeoutMs: number },
): Promise<Exchanged> {
  const { clock, timeoutMs, answerTimeoutMs, stdout = nowhere, stderr = nowhere } = options;
  const nonce = randomBytes(16).toString("hex");
  const line = encodeRequest(request, { nonce, timeoutMs });
  const stop = new AbortController();
  let broken: Exchanged["broken"];
  const reply = awaitLine(pumps, { nonce, parse: parseTrailer }, { stdout, stderr }, (error) => {
    broken = { error };
    stop.abort();
  });
  stdin.write(line);
  const answer = await firstOf(reply, {
    clock,
    timeoutMs,
    answerTimeoutMs,
    signal: AbortSignal.any([options.signal, stop.signal]),
    isHeldUp: () => pumps.stdout.isTaking || pumps.stderr.isTaking,
    cancel: () => void stdin.write(`cancel ${nonce}\n`),
  });
  return { answer, broken };
}

function nowhere(): void {}
