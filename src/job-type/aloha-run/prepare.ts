import { pause } from "../../clock.ts";
import { AppError } from "../../error.ts";
import type { Busy } from "../../host/aloha/client.ts";
import type { AlohaHost, Preparation } from "./options.ts";
import { throwIfStopped } from "./stopped.ts";

/** What was found: the work is done already, or the desktop is free. */
export type Prepared = { readonly kind: "done" } | { readonly kind: "ready"; readonly tellsBusy: boolean };

const BUSY_LOOK_MS = 2_000;

/**
 * Looks whether the work is done, whether Aloha and its desktop are there, and waits while somebody else's run is on.
 *
 * @throws AppError `DESKTOP_LOCKED`, `HOST_UNREACHABLE`, `TIMEOUT`, `ALOHA_FAILED`; what the machine throws.
 */
export async function prepare(preparation: Preparation): Promise<Prepared> {
  const { host, ctx } = preparation;
  if (await isDone(preparation)) return { kind: "done" };
  await checkDesktop(preparation);
  await checkClient(preparation);
  const { busy, waited } = await untilFree(preparation);
  throwIfStopped(ctx.signal);
  if (busy === "lost") throw unreachable(host, "it stopped answering");
  if (waited) {
    // Whoever had the desktop may have done the work, or left it locked.
    if (await isDone(preparation)) return { kind: "done" };
    await checkDesktop(preparation);
  }
  return { kind: "ready", tellsBusy: busy === "idle" };
}

/** Asks the check of the job: exit 0 means that the work is done. */
export async function isDone({ input, host, ctx }: Preparation): Promise<boolean> {
  if (input.idempotent_check === undefined) return false;
  const { isYes, warning } = await host.check(input.idempotent_check, { signal: ctx.signal });
  throwIfStopped(ctx.signal);
  if (warning !== undefined) ctx.log.warn(warning);
  return isYes;
}

async function checkDesktop({ input, host, ctx }: Preparation): Promise<void> {
  const { kind } = await host.desktop({ signal: ctx.signal });
  throwIfStopped(ctx.signal);
  if (kind === "unlocked") return;
  const what = kind === "locked" ? "the desktop is locked" : "nobody is logged on at the desktop";
  throw new AppError(
    "DESKTOP_LOCKED",
    `${what} (host ${input.host}), so Aloha would see and reach nothing; log on there, or unlock it, and try again`,
    { details: { host: input.host, desktop: kind } },
  );
}

async function checkClient({ host, ctx }: Preparation): Promise<void> {
  const alive = await host.client.isAlive(ctx.signal);
  throwIfStopped(ctx.signal);
  switch (alive.kind) {
    case "alive":
      return;
    case "unreachable":
      throw unreachable(host, alive.reason);
    case "silent":
      throw new AppError("TIMEOUT", `Aloha's client at ${host.client.url} does not answer: ${alive.reason}`);
    case "foreign":
      throw new AppError(
        "ALOHA_FAILED",
        `what listens at ${host.client.url} is not Aloha's client: ${alive.reason}; look at aloha.client_url`,
      );
  }
}

async function untilFree({ host, ctx, clock }: Preparation): Promise<{ busy: Busy; waited: boolean }> {
  for (let waited = false; ; waited = true) {
    const busy = await host.client.isBusy(ctx.signal);
    if (busy !== "busy" || ctx.signal.aborted) return { busy, waited };
    if (!waited) ctx.log.info("somebody else's run is on; waiting for its end", { client: host.client.url });
    await pause(clock, BUSY_LOOK_MS, ctx.signal);
  }
}

function unreachable(host: AlohaHost, reason: string): AppError {
  return new AppError(
    "HOST_UNREACHABLE",
    `Aloha's client at ${host.client.url} cannot be reached: ${reason}; start it on the desktop, or look at aloha.client_url`,
  );
}
