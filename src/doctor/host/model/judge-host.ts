import type { Finding } from "../../model/finding.ts";
import { HOST_LINES, NO_ALOHA, NO_PLAYWRIGHT } from "../../model/host-lines.ts";
import type { Answer } from "./answer.ts";
import { type AlohaFacts, type AlohaPart, judgeAloha } from "./judge-aloha.ts";
import { type ClockFacts, judgeClock } from "./judge-clock.ts";
import { judgeDesktop, type NamedSession } from "./judge-desktop.ts";
import { type AskedRule, commandFor, judgeFirewall, missingRules } from "./judge-firewall.ts";
import { judgeLeak, type LeakFacts } from "./judge-leak.ts";
import { judgePlaywright, type PlaywrightAnswers } from "./judge-playwright.ts";
import { type AskedPort, isListening, judgePorts } from "./judge-ports.ts";
import { judgePowershell, type MachineFacts, type RunnerFacts } from "./judge-powershell.ts";
import { judgeSsh, type SshFacts } from "./judge-ssh.ts";
import type { Subject } from "./subject.ts";

/** A part of Aloha with its answer; what the machine says of its port and rule is put in here. */
export type AskedAloha = Omit<AlohaPart, "isListening" | "firewall"> & { readonly answer: Answer<AlohaFacts> };

/** All that was asked about a machine. */
export interface HostAnswers {
  readonly subject: Subject;
  readonly ssh: Answer<SshFacts>;
  readonly runner: Answer<RunnerFacts>;
  readonly machine: Answer<MachineFacts>;
  readonly clock: Answer<ClockFacts>;
  readonly sessions: Answer<readonly NamedSession[]>;
  readonly rules: readonly AskedRule[];
  readonly ports: readonly AskedPort[];
  /** Undefined: not configured. */
  readonly aloha: { readonly server: AskedAloha; readonly client: AskedAloha } | undefined;
  readonly playwright:
    | (PlaywrightAnswers & { readonly task_name: string; readonly port: number; readonly leak: Answer<LeakFacts> })
    | undefined;
}

/** What all answers of a machine come to. */
export function judgeHost(answers: HostAnswers): readonly (Finding & { readonly name: string })[] {
  const { subject, ssh, runner, machine, sessions, rules, ports, aloha, playwright } = answers;
  const server = ssh.kind === "said" ? ssh.value.server : null;
  const findings: Readonly<Record<(typeof HOST_LINES)[number], Finding>> = {
    ssh: judgeSsh(ssh, subject),
    powershell: judgePowershell(runner, machine, { server }),
    host_clock: judgeClock(answers.clock),
    desktop: judgeDesktop(sessions, aloha !== undefined),
    firewall: judgeFirewall(rules),
    ports: judgePorts(ports),
    aloha_server: judgePart(answers, aloha?.server),
    aloha_client: judgePart(answers, aloha?.client),
    playwright: playwright === undefined ? NO_PLAYWRIGHT : judgePlaywright(playwright, playwright.task_name),
    playwright_leak:
      playwright === undefined
        ? NO_PLAYWRIGHT
        : judgeLeak(playwright.leak, ports.find(({ port }) => port === playwright.port)?.answer),
  };
  return HOST_LINES.map((name) => ({ name, ...findings[name] }));
}

function judgePart({ rules, ports }: HostAnswers, part: AskedAloha | undefined): Finding {
  if (part === undefined) return NO_ALOHA;
  const own = ports.find(({ port }) => port === part.port);
  const missing = missingRules(rules).find(({ port }) => port === part.port);
  return judgeAloha(part.answer, {
    ...part,
    isListening: own === undefined ? undefined : isListening(own),
    firewall: missing === undefined ? undefined : commandFor(missing),
  });
}
