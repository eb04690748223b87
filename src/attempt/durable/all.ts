import { AppError } from "../../error.ts";
import type { AllOf } from "../../job/durable/context.ts";
import type { Coroutine } from "./coroutine.ts";

type Thunks = Readonly<Record<string, () => Promise<unknown>>>;

/** Makes several single calls at once and waits for all; the first error, in the order of the keys, is thrown. */
export async function all<Calls extends Thunks>(coroutine: Coroutine, calls: Calls): Promise<AllOf<Calls>> {
  const keys = Object.keys(calls);
  const wrong = keys.find((key) => typeof calls[key] !== "function");
  if (wrong !== undefined)
    throw new AppError(
      "INVALID_INPUT",
      `all: ${wrong} is no function; write ${wrong}: () => ctx.step(…), because a call that is given was made already`,
    );
  const made = coroutine.collect(keys.map((key) => calls[key] as () => Promise<unknown>));
  const settled = await Promise.allSettled(made.map((call, index) => call ?? noCall(keys[index] ?? "")));
  coroutine.endGroup();
  const failed = settled.find((end) => end.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  return Object.fromEntries(
    settled.map((end, index) => [keys[index], end.status === "fulfilled" ? end.value : undefined]),
  ) as AllOf<Calls>;
}

function noCall(key: string): Promise<never> {
  return Promise.reject(
    new AppError(
      "INVALID_INPUT",
      `all: ${key} made no durable call; write ${key}: () => ctx.step(…) or another single call`,
    ),
  );
}
