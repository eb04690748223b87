import type { Timer } from "../../clock.ts";
import { AppError } from "../../error.ts";
import type { RunnerTransport } from "./runner/transport.ts";
import { PowerShellRunner, type RunnerOptions } from "./runner.ts";

/** What the pool needs to know of a host; the inventory's hosts have it. */
export interface PooledHost {
  readonly name: string;
  /** How many commands run on it at once. */
  readonly maxParallel: number;
}

/** How a pool keeps its runners. */
export interface PoolOptions extends Omit<RunnerOptions, "signal"> {
  /** A runner that nobody used for so long is ended. Default: five minutes. */
  readonly idleMs?: number;
}

/** Lends a runner of one host. */
export type LendRunner = <T>(
  options: { readonly signal: AbortSignal },
  work: (runner: PowerShellRunner) => Promise<T>,
) => Promise<T>;

interface Idle {
  readonly runner: PowerShellRunner;
  readonly timer: Timer;
}

/** What the pool has of one host. */
interface Place {
  inUse: number;
  readonly idle: Idle[];
  readonly waiting: (() => void)[];
}

const IDLE_MS = 300_000;

/**
 * Warm runners, some for each host. Who asks first is served first; no more than the host's `maxParallel` are in use at
 * once. A runner that can no longer be trusted with another command's output is ended instead of kept.
 */
export class RunnerPool<H extends PooledHost> implements AsyncDisposable {
  readonly #transportFor: (host: H) => RunnerTransport | Promise<RunnerTransport>;
  readonly #options: PoolOptions;
  readonly #places = new Map<string, Place>();
  readonly #stop = new AbortController();
  readonly #users = new Set<Promise<unknown>>();

  constructor(transportFor: (host: H) => RunnerTransport | Promise<RunnerTransport>, options: PoolOptions) {
    this.#transportFor = transportFor;
    this.#options = options;
  }

  /**
   * Lends a runner of a host to `work` and takes it back afterwards.
   *
   * @param options.signal ends the wait for a free place and for the start of a runner.
   * @throws AppError `CLIENT_CLOSED`; what starting a runner throws; what `work` throws.
   */
  use<T>(
    host: H,
    { signal }: { readonly signal: AbortSignal },
    work: (runner: PowerShellRunner) => Promise<T>,
  ): Promise<T> {
    const used = this.#use(host, AbortSignal.any([signal, this.#stop.signal]), work);
    const settled = used.then(
      () => {},
      () => {},
    );
    this.#users.add(settled);
    void settled.then(() => this.#users.delete(settled));
    return used;
  }

  async #use<T>(host: H, signal: AbortSignal, work: (runner: PowerShellRunner) => Promise<T>): Promise<T> {
    const place = this.#placeOf(host.name);
    await enter(place, host.maxParallel, signal);
    try {
      const runner = takeIdle(place) ?? (await this.#start(host, signal));
      try {
        return await work(runner);
      } finally {
        await this.#giveBack(place, runner);
      }
    } finally {
      leave(place);
    }
  }

  async #start(host: H, signal: AbortSignal): Promise<PowerShellRunner> {
    const transport = await this.#transportFor(host);
    return PowerShellRunner.start(transport, { ...this.#options, signal });
  }

  async #giveBack(place: Place, runner: PowerShellRunner): Promise<void> {
    if (!runner.isUsable || this.#stop.signal.aborted) return runner[Symbol.asyncDispose]();
    const { clock, idleMs = IDLE_MS } = this.#options;
    const timer = clock.after(
      idleMs,
      () => {
        const at = place.idle.indexOf(idle);
        if (at === -1) return;
        place.idle.splice(at, 1);
        void runner[Symbol.asyncDispose]();
      },
      { background: true },
    );
    const idle: Idle = { runner, timer };
    place.idle.push(idle);
  }

  #placeOf(name: string): Place {
    const known = this.#places.get(name);
    if (known !== undefined) return known;
    const place: Place = { inUse: 0, idle: [], waiting: [] };
    this.#places.set(name, place);
    return place;
  }

  /** Turns away who waits, lets those who work end, and ends every runner. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new AppError("CLIENT_CLOSED", "the connections to the hosts are closed"));
    await Promise.all(this.#users);
    const idle = [...this.#places.values()].flatMap((place) => place.idle.splice(0));
    for (const { timer } of idle) timer.cancel();
    await Promise.all(idle.map(({ runner }) => runner[Symbol.asyncDispose]()));
  }
}

/** The one used last is the warmest; one that ended in the meantime is thrown away. */
function takeIdle(place: Place): PowerShellRunner | undefined {
  for (let idle = place.idle.pop(); idle !== undefined; idle = place.idle.pop()) {
    idle.timer.cancel();
    if (idle.runner.isUsable) return idle.runner;
    void idle.runner[Symbol.asyncDispose]();
  }
  return undefined;
}

function enter(place: Place, maxParallel: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.reject(signal.reason);
  if (place.inUse < maxParallel && place.waiting.length === 0) {
    place.inUse++;
    return Promise.resolve();
  }
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      place.waiting.splice(place.waiting.indexOf(onTurn), 1);
      reject(signal.reason);
    };
    // The place of who left goes to who waits longest: nobody else can take it in between.
    const onTurn = (): void => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    };
    place.waiting.push(onTurn);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}

function leave(place: Place): void {
  const next = place.waiting.shift();
  if (next === undefined) place.inUse--;
  else next();
}
