import { AppError } from "../../error.ts";
import { checkOptions } from "../../job/check-options.ts";
import type { JobType } from "../../job/definition.ts";
import type { DurableChildOptions, DurableContext } from "../../job/durable/context.ts";
import { digestOf } from "../../job/durable/digest.ts";
import type { CallKind } from "../../job/durable/record.ts";
import { CHILD_OPTIONS } from "../../job/option-names.ts";
import type { Redactor } from "../../redact.ts";
import { inputProblem } from "../input.ts";
import { refuseSecrets } from "../refuse-secrets.ts";
import { answerOf } from "./answer-of.ts";
import { makeChild } from "./child.ts";
import type { Coroutine } from "./coroutine.ts";

type Options = DurableChildOptions & { readonly detached?: boolean };

/** The calls that make jobs. */
export function childCalls(
  coroutine: Coroutine,
  redactor: Redactor | undefined,
): Pick<DurableContext, "run" | "enqueue"> {
  const make = (kind: CallKind & ("run" | "enqueue"), type: JobType | string, input: unknown, given: Options) => {
    const { detached = false, ...options } = given;
    const name = typeof type === "string" ? type : type.name;
    checkOptions(`${kind} of ${name}`, given, kind === "run" ? CHILD_OPTIONS : [...CHILD_OPTIONS, "detached"]);
    refuseSecrets(`${kind} of ${name}: what it is given`, { input, options }, redactor);
    const child = { type: name, input, options, awaited: kind === "run", detached };
    const call = { kind, name, digest: digestOf({ input, options, detached }) };
    return answerOf(
      coroutine.perform(
        call,
        makeChild(() => coroutine.edge, child),
      ),
    );
  };
  return {
    run: async (type: JobType | string, input: unknown, options: DurableChildOptions = {}) =>
      readResult(type, await make("run", type, input, options)),
    enqueue: async (type: JobType | string, input: unknown, options: Options = {}) =>
      (await make("enqueue", type, input, options)) as { jobId: string },
  };
}

/** As its type reads it, where the type was given as a value. */
function readResult(type: JobType | string, result: unknown): never {
  if (typeof type === "string") return result as never;
  const parsed = type.result.safeParse(result);
  if (parsed.success) return parsed.data as never;
  throw new AppError(
    "INVALID_RESULT",
    `the result of ${type.name} does not fit its schema: ${inputProblem(type.name, parsed.error).message.replace("input", "result")}`,
  );
}
