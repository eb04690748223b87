import type { Config } from "../../../config/config.ts";
import { findHost, selectHosts } from "../../../host/inventory.ts";
import { enqueueJob } from "../../../operations/jobs/enqueue.ts";
import { enqueueManyJobs } from "../../../operations/jobs/enqueue-many.ts";
import { toJobRequest } from "../../../operations/jobs/request.ts";
import { readInput } from "../../../operations/operation.ts";
import type { Call, Command } from "../../command.ts";
import type { Flag } from "../../flag.ts";
import { type Presentation, presentationOf } from "../../here/presentation.ts";
import { runHere } from "../../here/run-here.ts";
import { showEnds } from "../../here/show-ends.ts";
import { type Action, commandOf, perform, printOutput } from "../../operation-command.ts";
import { flagsOfType } from "../../typed-input.ts";
import { enqueueOne } from "../enqueue.ts";

/** A job type that has a command of its own: the same job, run in this process. */
export interface DirectSpec {
  /** Its words, such as `windows exec`. */
  readonly name: string;
  readonly type: string;
  readonly summary: string;
  readonly description: string;
  /** What may follow `--`, for the help. */
  readonly rest?: string;
  /** Flags of the command alone. */
  readonly flags?: readonly Flag[];
  /** Its input as the flags say it. @throws AppError `USAGE` for flags that do not go together. */
  input?(call: Call, said: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>>;
  /** What the call says of its job where its flags do not. @throws AppError when this process could not run it. */
  options?(config: Config, call: { readonly isAsync: boolean }): Readonly<Record<string, unknown>>;
  /** How it shows itself; default as the type does. */
  present?(call: Call): { readonly call: Call; readonly presentation: Presentation } | undefined;
}

const HOSTS_FLAG: Flag = {
  name: "hosts",
  kind: "texts",
  placeholder: "NAME,…",
  description:
    "Several machines at once, a job and a result line for each: names of the block hosts, or LABEL=VALUE for all that have the label. The exit status is the worst.",
};

const ASYNC_FLAG: Flag = {
  name: "async",
  kind: "boolean",
  description: "Stores the job for a worker and returns at once, as jobs enqueue does.",
};

/** Makes the command of a job type. */
export function directCommand(spec: DirectSpec): Command {
  const command = commandOf(enqueueJob, { run: (call, action) => runDirect(spec, call, action) });
  const flags = [...command.flags.filter(({ name }) => name !== "type"), ...(spec.flags ?? []), HOSTS_FLAG, ASYNC_FLAG];
  return {
    name: spec.name,
    summary: spec.summary,
    description: spec.description,
    ...(spec.rest === undefined ? {} : { rest: spec.rest }),
    flags,
    words: [],
    settings: ["label"],
    moreFlags: ({ session }) => flagsOfType(session, spec.type, flags),
    run: command.run,
  };
}

async function runDirect(spec: DirectSpec, call: Call, action: Action): Promise<number> {
  const { input: said, ...options } = action.input;
  const input = said as Readonly<Record<string, unknown>>;
  const { config } = await call.session.config();
  const typed = spec.input?.(call, input) ?? input;
  const request = { ...spec.options?.(config, { isAsync: isAsync(call) }), ...options, type: spec.type, input: typed };
  const names = hostNames(call);
  if (names === undefined) return runOne(spec, call, { ...action, input: withRetries(request) });
  const hosts = selectHosts(config, names);
  const requests = hosts.map(({ name }) => withRetries(onHost(request, name)));
  return runMany(spec, call, { requests, labels: hosts.map(({ name }) => ({ host: name })) });
}

/** What a call says of its job, by field. */
type Said = Readonly<Record<string, unknown>> & { readonly input: Readonly<Record<string, unknown>> };

async function runOne(spec: DirectSpec, call: Call, action: Action): Promise<number> {
  if (isAsync(call)) return enqueueOne(call, action);
  const { config } = await call.session.config();
  // A worker may know other machines; this process runs the job itself.
  findHost(config, (action.input["input"] as { readonly host?: string }).host);
  const { call: shown, presentation } = present(spec, call);
  const op = spec.name.replace(" ", ".");
  const requests = [toJobRequest(readInput({ ...enqueueJob, name: op }, action.input), call.session.actor)];
  return showEnds(shown, await runHere(shown, { requests, presentation, op }), { presentation, op });
}

async function runMany(
  spec: DirectSpec,
  call: Call,
  { requests, labels }: { readonly requests: readonly Said[]; readonly labels: readonly { readonly host: string }[] },
): Promise<number> {
  if (isAsync(call)) return printOutput(enqueueManyJobs, await perform(enqueueManyJobs, { requests }, call), call);
  const { call: shown, presentation } = present(spec, call);
  const op = spec.name.replace(" ", ".");
  const jobs = requests.map((request) =>
    toJobRequest(readInput({ ...enqueueJob, name: op }, request), call.session.actor),
  );
  return showEnds(shown, await runHere(shown, { requests: jobs, presentation, op }), { presentation, op, labels });
}

function present(spec: DirectSpec, call: Call): { readonly call: Call; readonly presentation: Presentation } {
  return spec.present?.(call) ?? { call, presentation: presentationOf(spec.type) };
}

function isAsync({ values }: Pick<Call, "values">): boolean {
  return values.get(ASYNC_FLAG.name) === true;
}

function hostNames({ values }: Call): readonly string[] | undefined {
  const given = values.get(HOSTS_FLAG.name) as readonly string[] | undefined;
  return given?.flatMap((text) => text.split(",")).filter((name) => name !== "");
}

/** Each machine's job has a key of its own, for their inputs differ. */
function onHost(request: Said, host: string): Said {
  const key = request["idempotency_key"];
  return {
    ...request,
    input: { ...request.input, host },
    ...(typeof key === "string" ? { idempotency_key: `${key}:${host}` } : {}),
  };
}

/**
 * Somebody waits for the answer, and connecting is tried three times in any case. A job whose check can tell what a lost
 * connection left is asked once more.
 */
function withRetries(request: Said): Said {
  if (request["retries"] !== undefined) return request;
  return { ...request, retries: request.input["idempotent_check"] === undefined ? 0 : 1 };
}
