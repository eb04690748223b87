import type { Clock } from "../../clock.ts";
import type { LoadedConfig } from "../../config/config.ts";
import type { ChosenHost } from "../../host/choose-hosts.ts";
import { createRedactor } from "../../redact.ts";
import type { Repaired } from "../fix.ts";
import type { Finding } from "../model/finding.ts";
import { askMachine } from "./ask-machine.ts";
import { judgeHost } from "./model/judge-host.ts";

/** What asking the machines needs. */
export interface HostParts {
  readonly loaded: LoadedConfig;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Makes firewall rules that are needed and missing. */
  readonly fix: boolean;
}

/** A finding about a machine. */
export interface HostResult extends Finding {
  readonly name: string;
  readonly host: string;
}

/** What was found on the machines, what could be mended there, and what was. */
export interface HostsDiagnosis {
  readonly results: readonly HostResult[];
  readonly plan: readonly string[];
  readonly repairs: readonly Repaired[];
}

/** How many machines are asked at once: each costs processes here. */
const AT_ONCE = 8;

/** Asks all machines, several at once; in the order of the configuration. */
export async function diagnoseHosts(
  hosts: readonly ChosenHost[],
  { loaded: { config }, clock, signal, fix }: HostParts,
): Promise<HostsDiagnosis> {
  const redact = redactorOf(config.playwright.wsPath);
  const asked = await mapSome(hosts, async (target) => {
    const { answers, plan, repairs } = await askMachine(target, { config, clock, signal }, fix);
    const { name: host } = target.host;
    return { results: judgeHost(answers).map((finding) => ({ ...redacted(finding, redact), host })), plan, repairs };
  });
  return {
    results: asked.flatMap(({ results }) => results),
    plan: asked.flatMap(({ plan }) => plan),
    repairs: asked
      .flatMap(({ repairs }) => repairs)
      .map(({ plan, error }) => ({ plan, error: error && redact(error) })),
  };
}

/** Texts of others may hold the secret path, whatever our own errors take care of. */
function redactorOf(wsPath: string | undefined): (text: string) => string {
  const redactor = createRedactor();
  if (wsPath !== undefined) redactor.add(wsPath.replace(/^\//, ""));
  return (text) => redactor.text(text);
}

function redacted<F extends Finding>(finding: F, redact: (text: string) => string): F {
  const facts = Object.entries(finding.facts).map(([name, value]) => [
    name,
    typeof value === "string" ? redact(value) : value,
  ]);
  const { detail, remedy } = finding;
  return { ...finding, detail: redact(detail), remedy: remedy && redact(remedy), facts: Object.fromEntries(facts) };
}

async function mapSome<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  const left = items.entries();
  const takeNext = async (): Promise<void> => {
    for (const [index, item] of left) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, takeNext));
  return results;
}
