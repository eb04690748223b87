import { z } from "zod";
import type { Clock } from "../../../clock.ts";
import type { Hello } from "../model/hello.ts";
import { ownScript } from "../own-script.ts";
import { endOf, type RemoteState } from "../runner-end.ts";
import { exchange } from "./exchange.ts";
import { callScript } from "./script-call.ts";
import { openRunner } from "./start-runner.ts";
import { drop, type RunnerTransport } from "./transport.ts";

const START_TIMEOUT_MS = 30_000;
const CALL_TIMEOUT_MS = 15_000;
const ANSWER_TIMEOUT_MS = 5_000;

/** What `end-tree` answers: how many processes it found and ended, and how many are still there. */
export const EndTreeAnswer = z.object({ ended: z.int().min(0), left: z.int().min(0) });

/**
 * Ends a runner that does not answer, and all that it started, by a second one. Its pid alone could be another process's
 * by now; with the time of its start it is not.
 *
 * @returns `killed` when nothing of it is left. Never rejects.
 */
export async function endRemoteTree(
  transport: RunnerTransport,
  { pid, started }: Hello,
  { clock }: { readonly clock: Clock },
): Promise<RemoteState> {
  const { signal } = new AbortController();
  try {
    const opened = await openRunner(transport, { clock, signal, startTimeoutMs: START_TIMEOUT_MS });
    try {
      const answer = await callScript(
        async (request, { stdout }) => {
          const patience = { clock, signal, timeoutMs: CALL_TIMEOUT_MS, answerTimeoutMs: ANSWER_TIMEOUT_MS };
          const exchanged = await exchange(opened, request, { ...patience, stdout });
          return endOf(exchanged.answer);
        },
        { script: ownScript("end-tree"), arg: { pid, started } },
        { timeoutMs: CALL_TIMEOUT_MS, signal },
      );
      return EndTreeAnswer.parse(answer).left === 0 ? "killed" : "unknown";
    } finally {
      opened.process.stdin.end();
      drop(opened.process);
    }
  } catch {
    // Whatever kept it from answering: then nobody knows.
    return "unknown";
  }
}
