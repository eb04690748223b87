import { z } from "zod";
import type { CallLimits, Clock } from "../../clock.ts";
import { type Exchange, exchange, type HttpRequest } from "../http/exchange.ts";
import { exchangeOnce, exchangeRepeatedly, isGatewayError } from "../http/repeat.ts";
import { type Liveness, probeClient } from "./liveness.ts";

/** A task as Aloha takes it. All five are always sent: a field that is left out keeps the value of the request before. */
export interface AlohaTask {
  readonly task: string;
  readonly selectedScreen: number;
  /** The name of a recorded demonstration. Aloha calls it `trace_id`, and it is none of ours. */
  readonly demonstration: string;
  /** Where the client asks for the next action, as seen from its machine, with the path. */
  readonly actionUrl: string;
  /** As Aloha counts: it does one step less. */
  readonly stepsBound: number;
}

/** What became of a start. */
export type StartAnswer =
  /** A thread was started; that is all it says. */
  | { readonly kind: "accepted"; readonly answer: string }
  /** Somebody else's task is on, and ours was not taken. */
  | { readonly kind: "busy" }
  /** Nothing was started, and the same request would fare no better. */
  | { readonly kind: "refused"; readonly reason: string }
  /** No connection was ever open: nothing was started. */
  | { readonly kind: "unreachable"; readonly reason: string }
  /** It may have been started. */
  | { readonly kind: "ambiguous"; readonly reason: string };

/** What the busy probe says; `unsupported`: this revision of Aloha does not tell; `lost`: nobody answered. */
export type Busy = "busy" | "idle" | "unsupported" | "lost";

/** What a stop was answered. */
export type StopAnswer = "signalled" | "idle" | "lost";

/** Aloha's client on one desktop. Nothing here throws for what the network does. */
export interface AlohaClient {
  readonly url: string;
  isAlive(signal: AbortSignal): Promise<Liveness>;
  isBusy(signal: AbortSignal): Promise<Busy>;
  start(task: AlohaTask, signal: AbortSignal): Promise<StartAnswer>;
  /** Once; a stop is heard between two messages of the loop, and not at all before the thread has begun. */
  stop(signal: AbortSignal): Promise<StopAnswer>;
}

/** @param url without a slash at the end. */
export function alohaClient({
  url,
  clock,
  timeoutMs,
}: {
  readonly url: string;
  readonly clock: Clock;
  readonly timeoutMs: number;
}): AlohaClient {
  const call = (signal: AbortSignal): CallLimits => ({ clock, timeoutMs, signal });
  return {
    url,
    isAlive: (signal) => probeClient(url, call(signal)),
    isBusy: async (signal) => judgeBusy(await exchangeRepeatedly(busyProbe(url), call(signal))),
    start: async (task, signal) =>
      judgeStart(await exchangeOnce({ method: "POST", url: `${url}/run_task`, body: fieldsOf(task) }, call(signal))),
    stop: async (signal) => judgeStop(await exchange({ method: "POST", url: `${url}/stop` }, call(signal))),
  };
}

/**
 * A list that holds the word passes the test for the field, then meets the test whether a task is on (409), and fails
 * (500) before any state is written.
 */
function busyProbe(url: string): HttpRequest {
  return { method: "POST", url: `${url}/run_task`, body: ["task"] };
}

function fieldsOf(task: AlohaTask): Readonly<Record<string, unknown>> {
  return {
    task: task.task,
    selected_screen: task.selectedScreen,
    trace_id: task.demonstration,
    server_url: task.actionUrl,
    max_steps: task.stepsBound,
  };
}

function judgeBusy(done: Exchange): Busy {
  if (done.kind === "lost" || isGatewayError(done.status)) return "lost";
  if (done.status === 409) return "busy";
  return done.status === 500 ? "idle" : "unsupported";
}

function judgeStart(done: Exchange): StartAnswer {
  if (done.kind === "lost") return { kind: done.sent ? "ambiguous" : "unreachable", reason: done.reason };
  const { status, body } = done;
  if (status >= 200 && status < 300) return { kind: "accepted", answer: body };
  if (status === 409) return { kind: "busy" };
  const reason = `HTTP ${status}${messageOf(body)}`;
  // The 4xx of the product are said before anything is written. Any other answer may follow the start.
  return { kind: status >= 400 && status < 500 ? "refused" : "ambiguous", reason };
}

function judgeStop(done: Exchange): StopAnswer {
  if (done.kind === "lost") return "lost";
  if (done.status === 200) return "signalled";
  return done.status === 400 ? "idle" : "lost";
}

const Message = z.object({ message: z.string() });

/** The handlers answer in JSON; everything else answers with a page for people. */
function messageOf(body: string): string {
  try {
    const { data } = Message.safeParse(JSON.parse(body));
    return data === undefined ? "" : `: ${data.message.slice(0, 200)}`;
  } catch {
    return "";
  }
}
