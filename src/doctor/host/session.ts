import { type Clock, unlessAborted } from "../../clock.ts";
import type { Config } from "../../config/config.ts";
import { AppError, toErrorRecord } from "../../error.ts";
import { HostSession } from "../../host/host-session.ts";
import type { NamedHost } from "../../host/inventory.ts";
import type { ScriptArgument } from "../../host/powershell/request.ts";
import type { PowerShellRunner } from "../../host/powershell/runner.ts";
import type { HostQuestion } from "../../host/powershell/scripts.ts";
import type { Answer } from "./model/answer.ts";

/** What asking a machine stands on. */
export interface SessionParts {
  readonly config: Config;
  readonly clock: Clock;
  /** Fires when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/**
 * The doctor's way into a machine: one connection and one PowerShell for all its questions, and one time limit for
 * everything, so that a machine that hangs costs that and no more.
 */
export class Session implements AsyncDisposable {
  readonly machine: HostSession;
  readonly #parts: SessionParts;
  readonly #late = new AbortController();
  readonly #timer: { cancel(): void };
  readonly #signal: AbortSignal;

  constructor(host: NamedHost, parts: SessionParts) {
    const { config, clock, signal } = parts;
    // One at a time: more PowerShells would only start more slowly.
    this.machine = new HostSession({ ...host, maxParallel: 1 }, { config, clock });
    this.#parts = parts;
    const tooLate = new AppError("TIMEOUT", `${host.name} was asked for ${config.timeoutMs} ms, and no longer`);
    this.#timer = clock.after(config.timeoutMs, () => this.#late.abort(tooLate));
    this.#signal = AbortSignal.any([signal, this.#late.signal]);
  }

  /** Does something about the machine until it is done or time has run out; what goes wrong is an answer too. */
  async attempt<T>(work: (signal: AbortSignal) => Promise<T>): Promise<Answer<T>> {
    try {
      return { kind: "said", value: await unlessAborted(work(this.#signal), this.#signal) };
    } catch (error) {
      this.#parts.signal.throwIfAborted();
      return { kind: "failed", error: toErrorRecord(error) };
    }
  }

  /** Asks one of our own questions; again where the PowerShell was lost, because no question changes anything. */
  async ask<A extends ScriptArgument, R>(question: HostQuestion<A, R>, arg: A): Promise<Answer<R>> {
    const once = (): Promise<Answer<R>> => this.attempt((signal) => this.machine.ask(question, arg, { signal }));
    const answer = await once();
    return answer.kind === "failed" && answer.error.code === "RUNNER_LOST" ? once() : answer;
  }

  /** Lends the one PowerShell. */
  lend<T>(work: (runner: PowerShellRunner, signal: AbortSignal) => Promise<T>): Promise<Answer<T>> {
    return this.attempt((signal) => this.machine.lend((runner) => work(runner, signal), { signal }));
  }

  /** The connection goes first: a PowerShell that hangs is not waited for, and ends when its line does. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#timer.cancel();
    await this.machine.connection.close().catch(() => undefined);
    await this.machine[Symbol.asyncDispose]();
  }
}
