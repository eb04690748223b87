import { type Finding, fail, ok, warn } from "../../model/finding.ts";
import { type Answer, ASK_AGAIN, judgeNoAnswer } from "./answer.ts";
import type { PortFacts } from "./judge-ports.ts";

/** What was tried. */
export interface LeakFacts {
  /** `GET /json` told the secret path. */
  readonly leaks: boolean;
  /** We came to it without SSH, by an address that is not this machine's own. */
  readonly isOnNetwork: boolean;
}

const REMEDY =
  "`windlass playwright install` puts the server there that tells nobody, on loopback, with the path of now: choose a new one first";

/** Whether the browser server tells its secret path, and to whom. The path itself is no part of any of this. */
export function judgeLeak(answer: Answer<LeakFacts>, port: Answer<PortFacts> | undefined): Finding {
  if (answer.kind !== "said") return judgeNoAnswer(answer, ASK_AGAIN);
  const { leaks, isOnNetwork } = answer.value;
  const wide = port?.kind === "said" ? port.value.listeners.filter(({ address }) => !isOwn(address)) : [];
  const isWide = isOnNetwork || wide.length > 0;
  const where =
    wide.length > 0 ? `it listens on ${wide.map(({ address }) => address).join(", ")}` : "it is on the network";
  const facts = { leaks, beyond_loopback: isWide };
  if (leaks && isWide) return fail(`it tells its secret path to whoever asks (GET /json), and ${where}`, REMEDY, facts);
  if (leaks)
    return warn("it tells its secret path to every account of the machine that asks (GET /json)", REMEDY, facts);
  if (isWide)
    return warn(
      `${where}, beyond loopback: it keeps its path, and nothing protects the path on the line`,
      "`windlass playwright install` (without --bind) puts it on loopback; we come through SSH (playwright.tunnel)",
      facts,
    );
  return ok("it does not tell its secret path, and listens on loopback", facts);
}

function isOwn(address: string): boolean {
  return address === "::1" || address.startsWith("127.") || address === "localhost";
}
