import type { z } from "zod";
import { type Duration, formatDuration, parseDuration } from "../../duration.ts";
import { AppError } from "../../error.ts";
import { checkOptions } from "../../job/check-options.ts";
import type { DurableContext, WaitForOptions } from "../../job/durable/context.ts";
import { digestOf } from "../../job/durable/digest.ts";
import { checkEventName } from "../../job/durable/event.ts";
import { matchKey } from "../../job/durable/match.ts";
import type { Call } from "../../job/durable/record.ts";
import { inputProblem } from "../input.ts";
import { answerOf } from "./answer-of.ts";
import type { Coroutine } from "./coroutine.ts";
import type { Awaited } from "./services.ts";
import type { Act } from "./turn.ts";

/** The calls that wait for time and for events. */
export function waitCalls(coroutine: Coroutine): Pick<DurableContext, "sleep" | "sleepUntil" | "waitFor"> {
  const wait = (call: Call, awaited: Awaited): Promise<unknown> => {
    const act: Act = (placed, suspend) => coroutine.edge.durable.wait(placed, awaited, suspend);
    return answerOf(coroutine.perform(call, act));
  };
  return {
    sleep: async (duration: Duration) => {
      const forMs = parseDuration(duration, { what: "sleep" });
      await wait({ kind: "sleep", name: formatDuration(forMs), digest: "" }, { kind: "sleep", forMs });
    },
    sleepUntil: async (time: Date) => {
      const untilMs = time instanceof Date ? time.getTime() : Number.NaN;
      if (!Number.isFinite(untilMs))
        throw new AppError("INVALID_INPUT", 'sleepUntil takes a Date, such as new Date("2027-01-01T08:00:00Z")');
      await wait({ kind: "sleep", name: time.toISOString(), digest: "" }, { kind: "sleep", untilMs });
    },
    waitFor: (async (event: string, options: WaitForOptions = {}) => {
      const { awaited, call } = readWait(event, options);
      return readPayload(event, options.schema, await wait(call, awaited));
    }) as DurableContext["waitFor"],
  };
}

function readWait(event: string, options: WaitForOptions): { call: Call; awaited: Awaited } {
  const what = `waitFor ${JSON.stringify(event)}`;
  const name = checkEventName(event);
  checkOptions(what, options, ["match", "schema", "timeout", "lookBack"]);
  const { match = {}, timeout, lookBack } = options;
  const timeoutMs = timeout === undefined ? undefined : parseDuration(timeout, { what: `${what}: timeout` });
  const lookBackMs =
    lookBack === undefined ? undefined : parseDuration(lookBack, { what: `${what}: lookBack`, minMs: 0 });
  const limits = {
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(lookBackMs === undefined ? {} : { lookBackMs }),
  };
  const hasArguments = Object.keys(match).length > 0 || timeoutMs !== undefined || lookBackMs !== undefined;
  return {
    call: { kind: "waitFor", name, digest: hasArguments ? digestOf({ match, ...limits }) : "" },
    awaited: { kind: "event", event: name, match: matchKey(match), ...limits },
  };
}

/** `undefined` is the timeout's: no payload is. */
function readPayload(event: string, schema: z.ZodType | undefined, payload: unknown): unknown {
  if (schema === undefined || payload === undefined) return payload;
  const parsed = schema.safeParse(payload);
  if (parsed.success) return parsed.data;
  const { message, details } = inputProblem(`event ${JSON.stringify(event)}`, parsed.error);
  throw new AppError("INVALID_INPUT", message.replace("input", "payload"), { details });
}
