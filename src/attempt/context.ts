import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { AttemptFolder, attemptPath, maskFile } from "../artifact/attempt-folder.ts";
import { AppError } from "../error.ts";
import { checkOptions } from "../job/check-options.ts";
import type { ChildOptions, JobLog } from "../job/context.ts";
import { CHILDREN_MAX } from "../job/limits.ts";
import { CHILD_OPTIONS } from "../job/option-names.ts";
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
export function createContext(request: AttemptRequest, parts: ContextParts): EffectContext {
  return new AttemptContext(request, parts);
}

/**
 * A class for the sake of its getter: an object literal with one has a hidden class of its own each time it is made, which holds
 * the getter and all that it sees until the next full garbage collection, and functions that a constructor assigns do the same
 * until it is optimized. What user code may take apart stands in the object itself.
 */
class AttemptContext implements EffectContext {
  readonly jobId: string;
  readonly runNumber: number;
  readonly attempt: number;
  readonly traceId: string;
  readonly actor: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly log: JobLog;
  readonly #request: AttemptRequest;
  readonly #parts: ContextParts;
  #calls = 0;
  #ordinals = 0;

  readonly progress: EffectContext["progress"] = (progress) =>
    this.#parts.services.progress(this.#request, maskTexts(progress, this.#parts.redactor));
  readonly keep: EffectContext["keep"] = (path, content) =>
    this.#parts.folder.keep(path, content, this.#parts.services.limits.keptBytes);
  readonly enqueue: EffectContext["enqueue"] = (type, input, options) =>
    this.#enqueue(typeof type === "string" ? type : type.name, input, options);

  constructor(request: AttemptRequest, parts: ContextParts) {
    this.jobId = request.jobId;
    this.runNumber = request.runNumber;
    this.attempt = request.attempt;
    this.traceId = request.traceId;
    this.actor = request.actor;
    this.timeoutMs = request.timeoutMs;
    this.signal = parts.signal;
    this.log = createLog(request, parts.folder, parts.services, parts.redactor);
    this.#request = request;
    this.#parts = parts;
  }

  get folder(): string {
    return this.#parts.folder.make();
  }

  get outsideTimeout(): EffectContext["outsideTimeout"] {
    return this.#parts.services.outsideTimeout;
  }

  get maskFile(): EffectContext["maskFile"] {
    const { redactor } = this.#parts;
    return async (path) => (redactor === undefined ? undefined : maskFile(path, redactor));
  }

  get recordEffect(): EffectContext["recordEffect"] {
    return (effect) => this.#parts.services.recordEffect(this.#request, effect, this.#parts.folder.path);
  }

  async #enqueue(type: string, input: unknown, options: ChildOptions = {}): Promise<{ readonly jobId: string }> {
    checkOptions(`enqueue of ${type}`, options, [...CHILD_OPTIONS, "key"]);
    const slot = this.#takeSlot(options.key);
    refuseSecrets(`enqueue of ${type}: what it is given`, { input, options }, this.#parts.redactor);
    return this.#parts.services.enqueue(this.#request, slot, type, input, options);
  }

  /** Names a child by its key, or by the ordinal of the call; so a later attempt names it alike. */
  #takeSlot(key: string | undefined): string {
    if (++this.#calls > CHILDREN_MAX)
      throw new AppError(
        "LIMIT_REACHED",
        `job ${this.jobId} of ${this.#request.type.name} has enqueued ${CHILDREN_MAX} jobs in this attempt, which is the limit; look for a loop that does not end, or let several jobs enqueue a share each`,
        { details: { limit: CHILDREN_MAX } },
      );
    return key === undefined ? `call:${++this.#ordinals}` : `key:${key}`;
  }
}

/** Writes an attempt's own lines into its folder. */
export function createLog(
  request: AttemptRequest,
  folder: AttemptFolder,
  services: AttemptServices,
  redactor: Redactor | undefined,
): JobLog {
  const write = (
    level: "info" | "warn" | "error",
    message: string,
    fields: Readonly<Record<string, unknown>> = {},
  ): void => {
    const line = formatLogLine(
      { ts: services.clock.now(), level, component: "job", op: request.type.name, msg: message, fields },
      redactor?.text,
    );
    appendFileSync(join(folder.make(), LOG_FILE), line, { mode: 0o600 });
  };
  return {
    info: (message, fields) => write("info", message, fields),
    warn: (message, fields) => write("warn", message, fields),
    error: (message, fields) => write("error", message, fields),
  };
}
