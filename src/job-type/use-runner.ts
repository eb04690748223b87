import type { EffectContext } from "../attempt/handlers.ts";
import type { NamedHost } from "../host/inventory.ts";
import type { PowerShellRunner } from "../host/powershell/runner.ts";
import type { LendRunner, RunnerPool } from "../host/powershell/runner-pool.ts";

/** Where handlers get their runners. */
export type Runners = Pick<RunnerPool<NamedHost>, "use">;

/** A full host and a PowerShell that starts on two busy cores: seven seconds were measured. */
const READY_LIMIT_MS = 120_000;

/** Lends a handler a runner of a host; the wait for it is not counted against the attempt's timeout. */
export async function useRunner<T>(
  { runners, host }: { readonly runners: Runners; readonly host: NamedHost },
  ctx: Pick<EffectContext, "signal" | "outsideTimeout">,
  work: (runner: PowerShellRunner) => Promise<T>,
): Promise<T> {
  let onReady = (): void => undefined;
  const ready = new Promise<void>((resolve) => {
    onReady = resolve;
  });
  const done = runners.use(host, { signal: ctx.signal }, (runner) => {
    onReady();
    return work(runner);
  });
  await ctx.outsideTimeout(READY_LIMIT_MS, () => Promise.race([ready, done]));
  return done;
}

/** {@link useRunner} for those who ask one question at a time: nobody else waits for the length of a run. */
export function runnerLender(
  of: { readonly runners: Runners; readonly host: NamedHost },
  { outsideTimeout }: Pick<EffectContext, "outsideTimeout">,
): LendRunner {
  return ({ signal }, work) => useRunner(of, { signal, outsideTimeout }, work);
}
