import { z } from "zod";
import type { Clock } from "../../clock.ts";
import { formatDuration, parseDuration } from "../../duration.ts";
import type { Logger } from "../../logfmt.ts";
import { callOperation, defineOperation } from "../../operations/operation.ts";
import { outputOfPass, superviseOnce } from "../../operations/supervisor/run.ts";
import { openSupervisor } from "../../supervisor/open-supervisor.ts";
import type { PassReport } from "../../supervisor/report.ts";
import type { SupervisorEvent } from "../../supervisor/supervisor-parts.ts";
import type { Call } from "../command.ts";
import { commandLog } from "../log.ts";
import { type Overlay, printOutput, statusOf } from "../operation-command.ts";
import { leaveAtOnce, onStopSignals } from "../stop-signals.ts";
import { renderPass } from "./supervisor-pass.ts";

const OP = "supervisor.run";

/** `supervisor run`: pass after pass until it is told to stop; `--once` makes one and exits with its verdict. */
export const supervisorOverlay: Overlay = {
  flags: [
    { name: "once", kind: "boolean", description: "Makes one pass: exit 0 healthy, 1 still failing, 3 SSH is down." },
    {
      name: "interval",
      kind: "text",
      placeholder: "DURATION",
      description: "From the start of a pass to that of the next one, 1s to 1h; default: supervisor.interval.",
    },
    { name: "debug", kind: "boolean", description: "Logs every look and every check." },
  ],
  run: (call, { input }) => callOperation(loopOf(call), input, call.session.context()),
};

/** The operation as it is for everyone, with the same policy; only that it speaks meanwhile, and may go on. */
function loopOf(call: Call) {
  const { name, summary, access, input, errors, database } = superviseOnce;
  return defineOperation({
    ...{ name, summary, access, input, errors, database },
    output: z.int(),
    run: ({ hosts }, { clock }) => supervise(call, { hosts, clock }),
  });
}

interface Watch {
  readonly hosts: readonly string[] | undefined;
  readonly clock: Clock;
}

async function supervise(call: Call, { hosts, clock }: Watch): Promise<number> {
  const { session, terminal, values, globals } = call;
  const loaded = await session.config();
  const isOnce = values.get("once") === true;
  const intervalMs = readInterval(values.get("interval")) ?? loaded.config.supervisor.intervalMs;
  const log = commandLog(terminal, { quiet: globals.quiet, component: "supervisor" });
  const tell = eventLog(log, { isDebug: values.get("debug") === true, failpoint: loaded.config.supervisor.failpoint });
  const stop = new AbortController();
  const never = new AbortController().signal;
  // Who closed the pipe reads no further pass.
  const signals = { stop: AbortSignal.any([stop.signal, terminal.closed]), signal: never };
  using _ = onStopSignals({
    first(signal) {
      log.info(OP, "supervisor stops after the step that runs", { signal });
      stop.abort();
    },
    further: leaveAtOnce,
  });
  using supervisor = openSupervisor(loaded, { clock, hosts, isOnce, onEvent: tell });
  const print = printer(call);
  if (isOnce) return print(await supervisor.pass(signals));
  log.info(OP, "supervisor started", { interval: formatDuration(intervalMs), pid: process.pid });
  await supervisor.run({ intervalMs, onReport: print }, signals);
  log.info(OP, "supervisor stopped");
  return 0;
}

function readInterval(given: unknown): number | undefined {
  if (given === undefined) return undefined;
  return parseDuration(String(given), { what: "--interval", minMs: 1_000, maxMs: 3_600_000 });
}

/** Prints passes. @returns what prints one and gives the exit status that it stands for. */
function printer(call: Call): (report: PassReport | undefined) => number {
  const { terminal, globals } = call;
  let shown = "";
  return (report) => {
    const output = outputOfPass(report);
    if (!terminal.isPerson || globals.json) return printOutput(superviseOnce, output, call);
    // A person is told what changed, not the same thing every half minute.
    const state = JSON.stringify(
      output.hosts.map(({ checks }) => checks.map((check) => [check.state, check.circuit_breaker])),
    );
    terminal.out(renderPass(output, terminal, { isShort: state === shown }));
    shown = state;
    return statusOf(superviseOnce, output);
  };
}

function eventLog(
  log: Logger,
  { isDebug, failpoint }: { readonly isDebug: boolean; readonly failpoint: string | undefined },
): (event: SupervisorEvent) => void {
  return (event) => {
    switch (event.kind) {
      case "probed": {
        const { host, component, isGood, detail, isForced, durationMs } = event;
        const fields = {
          ...{ host, check: component, detail, duration_ms: durationMs },
          failpoint: isForced ? failpoint : undefined,
        };
        if (!isGood) log.warn(OP, "check failed", fields);
        else if (isDebug) log.info(OP, "check is good", fields);
        return;
      }
      case "repaired": {
        const { host, component, name, state, detail } = event;
        const write = state === "failed" ? log.warn : log.info;
        write(OP, `repair ${REPAIRED[state]}`, { host, check: component, remedy: name, state, detail });
        return;
      }
      case "checked": {
        const { component, state, circuitBreaker, probes, failures } = event.check;
        const fields = { host: event.host, check: component, state, circuit_breaker: circuitBreaker, probes, failures };
        if (isDebug) log.info(OP, "checked", fields);
        return;
      }
      case "problem":
        log.warn(OP, event.message, { host: event.host === "" ? undefined : event.host });
    }
  };
}

const REPAIRED = { done: "made", skipped: "skipped", failed: "failed" } as const;
