import { type Clock, settlesWithin } from "../../clock.ts";
import { AppError } from "../../error.ts";
import type { OwnScript } from "./own-script.ts";
import type { RunnerRequest, ScriptArgument } from "./request.ts";
import { endRemoteTree } from "./runner/end-remote-tree.ts";
import { exchange, type RunOptions } from "./runner/exchange.ts";
import { callScript } from "./runner/script-call.ts";
import { type OpenedRunner, openRunner } from "./runner/start-runner.ts";
import { drop, type RunnerTransport } from "./runner/transport.ts";
import type { Answer } from "./runner/wait-for-reply.ts";
import { endOf, type RunnerEnd } from "./runner-end.ts";

/** What a runner needs beside its connection. */
export interface RunnerOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** How long PowerShell may take to start. Default: one minute. */
  readonly startTimeoutMs?: number;
  /** How long the runner may take to say that it did what it was told (cancel, its own deadline). Default: 10 s. */
  readonly answerTimeoutMs?: number;
}

const START_TIMEOUT_MS = 60_000;
const ANSWER_TIMEOUT_MS = 10_000;

/**
 * A PowerShell on a host that runs one command after the other: a few milliseconds each, where starting PowerShell takes
 * half a second.
 *
 * The truth about a command is the trailer that the runner prints behind it, under a number that nobody can guess; never
 * the end of a stream.
 */
export class PowerShellRunner implements AsyncDisposable {
  readonly #transport: RunnerTransport;
  readonly #opened: OpenedRunner;
  readonly #clock: Clock;
  readonly #answerTimeoutMs: number;
  #isBusy = false;
  #isSpoilt = false;
  #closing: Promise<void> | undefined;

  private constructor(
    transport: RunnerTransport,
    opened: OpenedRunner,
    { clock, answerTimeoutMs }: { readonly clock: Clock; readonly answerTimeoutMs: number },
  ) {
    this.#transport = transport;
    this.#opened = opened;
    this.#clock = clock;
    this.#answerTimeoutMs = answerTimeoutMs;
    void opened.pumps.stdout.ended.then(() => this.#spoil());
  }

  /**
   * Starts PowerShell on a host and waits until it is ready. `signal` counts until then.
   *
   * @throws AppError `RUNNER_FAILED` when no runner of this version answers, `TIMEOUT`; what the transport throws.
   */
  static async start(transport: RunnerTransport, options: RunnerOptions): Promise<PowerShellRunner> {
    const { clock, signal, startTimeoutMs = START_TIMEOUT_MS, answerTimeoutMs = ANSWER_TIMEOUT_MS } = options;
    const opened = await openRunner(transport, { clock, signal, startTimeoutMs });
    return new PowerShellRunner(transport, opened, { clock, answerTimeoutMs });
  }

  /** The number of its process on the host. */
  get pid(): number {
    return this.#opened.hello.pid;
  }

  /** PowerShell's own version. */
  get version(): string {
    return this.#opened.hello.powershell;
  }

  /** It can run another command whose output would be that command's alone. */
  get isUsable(): boolean {
    const { stdout, stderr } = this.#opened.pumps;
    return !this.#isSpoilt && this.#closing === undefined && !stdout.isStrayed && !stderr.isStrayed;
  }

  /**
   * Runs one command; one at a time.
   *
   * @throws AppError `ARGUMENT_UNSAFE` for what no process can be given; what a sink threw, when the command was ended for it.
   */
  async run(request: RunnerRequest, options: RunOptions): Promise<RunnerEnd> {
    if (this.#isBusy || !this.isUsable) throw new AppError("INTERNAL", "this runner is busy, spoilt or closed");
    if (options.signal.aborted) return { kind: "cancelled", remoteState: "killed" };
    this.#isBusy = true;
    try {
      const patience = { clock: this.#clock, answerTimeoutMs: this.#answerTimeoutMs };
      const { answer, broken } = await exchange(this.#opened, request, { ...options, ...patience });
      const end = await this.#conclude(answer);
      if (broken !== undefined) throw broken.error;
      return end;
    } finally {
      this.#isBusy = false;
    }
  }

  /**
   * Runs one of our scripts.
   *
   * @returns its answer, as parsed JSON.
   * @throws AppError `SCRIPT_FAILED`, `TIMEOUT`, `RUNNER_LOST`; the signal's reason.
   */
  call(
    script: OwnScript,
    arg: ScriptArgument,
    options: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<unknown> {
    return callScript((request, more) => this.run(request, { ...options, ...more }), { script, arg }, options);
  }

  /** Decides whether it can go on, and ends by a second call what does not answer. */
  async #conclude(answer: Answer): Promise<RunnerEnd> {
    const end = endOf(answer);
    if (answer.kind === "line") {
      if (answer.line.left > 0 || end.kind === "unknown" || answer.hasRest) this.#spoil();
      return end;
    }
    this.#spoil();
    drop(this.#opened.process);
    const remoteState = await endRemoteTree(this.#transport, this.#opened.hello, { clock: this.#clock });
    return end.kind === "cancelled" || end.kind === "timeout" || end.kind === "unknown" ? { ...end, remoteState } : end;
  }

  #spoil(): void {
    this.#isSpoilt = true;
  }

  /** Ends it and, with it, a command that runs. Never rejects. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { process } = this.#opened;
    process.stdin.end();
    // A process that a command left behind would keep the session open.
    if (this.#isSpoilt) drop(process);
    if (!(await settlesWithin(this.#clock, this.#answerTimeoutMs, process.ended))) drop(process);
    await process.ended.catch(() => {});
  }
}
