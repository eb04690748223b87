import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { AttemptFolder, attemptPath, maskFile } from "../artifact/attempt-folder.ts";
import { AppError } from "../error.ts";
import type { ChildOptions, JobLog } from "../job/context.ts";
import { CHILDREN_MAX } from "../job/limits.ts";
import { formatLogLine } from "../logfmt.ts";
import type { Redactor } from "../redact.ts";
import type { EffectContext } from "./handlers.ts";
import { maskTexts } from "./mask-texts.ts";
import { refuseSecrets } from "./refuse-secrets.ts";
import type { AttemptRequest, AttemptServices } from "./services.ts";

/** Where an attempt's own log lines stand, in its folder. */
export const LOG_FILE = "job.log";

/** What a context is made of beside the request. */
export interface ContextParts {
  readonly services: AttemptServices;
  readonly folder: AttemptFolder;
  readonly signal: AbortSignal;
  readonly redactor: Redactor | undefined;
}

/** The folder that an attempt writes to: its own, or that of the attempt whose effect it takes over. */
export function folderFor(request: AttemptRequest, services: AttemptServices, adopts: boolean): AttemptFolder {
  if (adopts && request.effect !== undefined)
    return new AttemptFolder(services.artifactRoot, request.effect.folder, true);
  return new AttemptFolder(services.artifactRoot, attemptPath(request.jobId, request.runNumber, request.attempt));
}

/** The context that a handler receives. */
export function createContext(
  request: AttemptRequest,
  { services, folder, signal, redactor }: ContextParts,
): EffectContext {
  const slotOf = childSlots(request);
  return {
    jobId: request.jobId,
    runNumber: request.runNumber,
    attempt: request.attempt,
    traceId: request.traceId,
    actor: request.actor,
    timeoutMs: request.timeoutMs,
    signal,
    log: createLog(request, folder, services, redactor),
    get folder() {
      return folder.make();
    },
    progress: (progress) => services.progress(request, maskTexts(progress, redactor)),
    keep: (path, content) => folder.keep(path, content, services.limits.keptBytes),
    enqueue: async (type, input, options: ChildOptions = {}) => {
      const slot = slotOf(options.key);
      const name = typeof type === "string" ? type : type.name;
      refuseSecrets(`enqueue of ${name}: what it is given`, { input, options }, redactor);
      return services.enqueue(request, slot, name, input, options);
    },
    maskFile: async (path) => (redactor === undefined ? undefined : maskFile(path, redactor)),
    outsideTimeout: services.outsideTimeout,
    recordEffect: (effect) => services.recordEffect(request, effect, folder.path),
  };
}

/** Names the children of an attempt by their keys, or by the ordinals of the calls; so a later attempt names them alike. */
function childSlots({ jobId, type }: AttemptRequest): (key: string | undefined) => string {
  let calls = 0;
  let ordinals = 0;
  return (key) => {
    if (++calls > CHILDREN_MAX)
      throw new AppError(
        "LIMIT_REACHED",
        `job ${jobId} of ${type.name} has enqueued ${CHILDREN_MAX} jobs in this attempt, which is the limit; look for a loop that does not end, or let several jobs enqueue a share each`,
        { details: { limit: CHILDREN_MAX } },
      );
    return key === undefined ? `call:${++ordinals}` : `key:${key}`;
  };
}

/** Writes an attempt's own lines into its folder. */
export function createLog(
  request: AttemptRequest,
  folder: AttemptFolder,
  services: AttemptServices,
  redactor: Redactor | undefined,
): JobLog {
  const write =
    (level: "info" | "warn" | "error") =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      const line = formatLogLine(
        { ts: services.clock.now(), level, component: "job", op: request.type.name, msg: message, fields },
        redactor?.text,
      );
      appendFileSync(join(folder.make(), LOG_FILE), line, { mode: 0o600 });
    };
  return { info: write("info"), warn: write("warn"), error: write("error") };
}
