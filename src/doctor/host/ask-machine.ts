import type { ChosenHost } from "../../host/choose-hosts.ts";
import { ALOHA_CLIENT, ALOHA_SERVER, BROWSER_SERVER, type Listener, RULE_SCOPE } from "../../host/model/on-machine.ts";
import type { ScriptArgument } from "../../host/powershell/request.ts";
import {
  askHost,
  CLOCK,
  DESKTOP_SESSION,
  FIREWALL_RULE,
  type HostQuestion,
  LISTENING_PORT,
  TELL_HOST,
} from "../../host/powershell/scripts.ts";
import type { Repaired } from "../fix.ts";
import { askAloha } from "./ask-aloha.ts";
import { askPlaywright, isReachedDirectly } from "./ask-playwright.ts";
import type { Answer } from "./model/answer.ts";
import { type AskedRule, commandFor, missingRules, type WantedRule } from "./model/judge-firewall.ts";
import type { HostAnswers } from "./model/judge-host.ts";
import type { AskedPort } from "./model/judge-ports.ts";
import { Session, type SessionParts } from "./session.ts";
import { readClientVersion, readServerVersion } from "./ssh-facts.ts";

/** What was asked of a machine, and what was mended on it. */
export interface Asked {
  readonly answers: HostAnswers;
  /** What could be mended, a sentence each; empty where it was. */
  readonly plan: readonly string[];
  readonly repairs: readonly Repaired[];
}

/** Asks a machine everything, each thing as far as what it stands on is there. @param fix makes missing firewall rules. */
export async function askMachine(target: ChosenHost, parts: SessionParts, fix: boolean): Promise<Asked> {
  await using session = new Session(target.host, parts);
  const { config, clock } = parts;
  const asking = target.hasAloha ? askAloha(session, target.host.aloha ?? config.aloha, clock) : undefined;
  const ssh = await askSsh(session, parts);
  const runner = ssh.kind === "said" ? await askRunner(session, parts) : notAsked("ssh is down");
  const questions =
    runner.kind === "said" ? undefined : notAsked(ssh.kind === "said" ? "powershell does not answer" : "ssh is down");
  const ask: Ask = async (question, arg) => questions ?? session.ask(question, arg);
  const machine = await ask(TELL_HOST, {});
  const clocks = questions ?? (await askClock(session, parts));
  const desktop = await ask(DESKTOP_SESSION, {});
  const found = await Promise.all(wantedRules(target, parts).map((rule) => askRule(rule, ask)));
  const { rules, repairs } = fix ? await makeRules(session, found) : { rules: found, repairs: [] };
  const plan = missingRules(rules).map((rule) => planOf(session, rule));
  const server = target.host.playwright ?? config.playwright;
  const playwright = target.hasPlaywright
    ? await askPlaywright(session, { server, clock, down: { ssh, ...(questions === undefined ? {} : { questions }) } })
    : undefined;
  const aloha = await asking;
  const ports = await askPorts({ aloha, playwright }, ask);
  const sessions = desktop.kind === "said" ? said(desktop.value.sessions) : desktop;
  const answers = {
    subject: target.host,
    ssh,
    runner,
    machine,
    clock: clocks,
    sessions,
    rules,
    ports,
    aloha,
    playwright,
  };
  return { answers, plan: fix ? [] : plan, repairs };
}

type Ask = <A extends ScriptArgument, R>(question: HostQuestion<A, R>, arg: A) => Promise<Answer<R>>;

const said = <T>(value: T): Answer<T> => ({ kind: "said", value });
const notAsked = (reason: string): Answer<never> => ({ kind: "not_asked", reason });

async function askSsh(session: Session, { clock }: SessionParts): Promise<HostAnswers["ssh"]> {
  const { sshHost: host, sshPort: port } = session.machine.host;
  const [client, server, connected] = await Promise.all([
    readClientVersion(),
    readServerVersion({ host, port }),
    session.attempt(async (signal) => {
      const startedMs = clock.monotonic();
      await session.machine.connection.connect({ signal });
      return Math.round(clock.monotonic() - startedMs);
    }),
  ]);
  return connected.kind === "said" ? said({ connectMs: connected.value, client, server }) : connected;
}

function askRunner(session: Session, { clock }: SessionParts): Promise<HostAnswers["runner"]> {
  const startedMs = clock.monotonic();
  return session.lend(async ({ version }) => ({ version, startMs: Math.round(clock.monotonic() - startedMs) }));
}

function askClock(session: Session, { clock }: SessionParts): Promise<HostAnswers["clock"]> {
  return session.lend(async (runner, signal) => {
    const beforeMs = clock.now();
    const { utc_ms, time_zone } = await askHost(runner, CLOCK, {}, { timeoutMs: session.machine.timeoutMs, signal });
    return { utcMs: utc_ms, timeZone: time_zone, beforeMs, afterMs: clock.now() };
  });
}

function wantedRules({ host, hasAloha, hasPlaywright }: ChosenHost, { config }: SessionParts): readonly WantedRule[] {
  const isNeeded = isReachedDirectly(host.playwright ?? config.playwright);
  return [
    ...(hasAloha ? [ALOHA_SERVER, ALOHA_CLIENT].map((listener) => wantedRule(listener, true)) : []),
    ...(hasPlaywright ? [wantedRule(BROWSER_SERVER, isNeeded)] : []),
  ];
}

function wantedRule({ rule, port }: Listener, isNeeded: boolean): WantedRule {
  return { name: rule, port, isNeeded };
}

async function askRule(rule: WantedRule, ask: Ask): Promise<AskedRule> {
  const { name, port } = rule;
  return { ...rule, answer: await ask(FIREWALL_RULE, { name, port, create: false, remote_address: RULE_SCOPE }) };
}

/** Makes what is missing; the machine's answer afterwards takes the place of the one before. */
async function makeRules(session: Session, found: readonly AskedRule[]) {
  const repairs: Repaired[] = [];
  const rules: AskedRule[] = [];
  const missing = missingRules(found);
  for (const rule of found) {
    if (!missing.includes(rule)) {
      rules.push(rule);
      continue;
    }
    const { name, port } = rule;
    const made = await session.ask(FIREWALL_RULE, { name, port, create: true, remote_address: RULE_SCOPE });
    const error = made.kind === "failed" ? `${made.error.code}: ${made.error.message}` : null;
    repairs.push({ plan: planOf(session, rule), error });
    rules.push(made.kind === "said" ? { ...rule, answer: made } : rule);
  }
  return { rules, repairs };
}

function planOf({ machine: { host } }: Session, rule: AskedRule): string {
  return `on ${host.name}: ${commandFor(rule)}`;
}

async function askPorts({ aloha, playwright }: Pick<HostAnswers, "aloha" | "playwright">, ask: Ask) {
  const parts = aloha === undefined ? [] : [aloha.server, aloha.client];
  const wanted: readonly Omit<AskedPort, "answer">[] = [
    ...parts.map(({ port, what, start, answer }) => ({
      ...{ port, what, remedy: start },
      isReached: answer.kind === "said" && answer.value.kind === "alive",
    })),
    ...(playwright === undefined
      ? []
      : [
          {
            ...{ port: playwright.port, what: "the browser server", image: "node.exe" },
            isReached: playwright.health.kind === "said",
            remedy: "see the line playwright",
          },
        ]),
  ];
  return Promise.all(wanted.map(async (one) => ({ ...one, answer: await ask(LISTENING_PORT, { port: one.port }) })));
}
