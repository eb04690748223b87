import type { Clock } from "../../clock.ts";
import { exchangeRepeatedly } from "./repeat.ts";

/** What a Hatchet server answered where it says that it is well. */
export interface HatchetAnswer {
  readonly isGood: boolean;
  readonly detail: string;
}

/** Asks a Hatchet server whether it is well. A URL with a path is used as it is. */
export async function probeHatchet(
  healthUrl: string,
  options: { readonly clock: Clock; readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<HatchetAnswer> {
  const url = new URL(healthUrl).pathname === "/" ? `${healthUrl}/ready` : healthUrl;
  const answer = await exchangeRepeatedly({ method: "GET", url }, options);
  if (answer.kind === "lost") return { isGood: false, detail: `${url}: ${answer.reason}` };
  return { isGood: answer.status === 200, detail: `${url} answers ${answer.status}` };
}
