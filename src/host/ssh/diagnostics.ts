import type { SshFailure, SshFailureKind } from "./failure.ts";
import type { RemoteEnd } from "./remote-process.ts";

/**
 * What ssh is asked to log beside its errors, by source place, because its exit status alone lies: 255 may be its own or
 * the remote command's. `LogLevel=DEBUG` would tell it too, but then ssh prints the server's banner among what the remote
 * command wrote. Before OpenSSH 8.5 there is no such option and every 255 stays ambiguous.
 */
export const TRACED = [
  "ssh.c:main():*",
  "mux.c:mux_client_request_session():*",
  "clientloop.c:client_loop():*",
  "clientloop.c:client_session2_setup():*",
  "clientloop.c:client_input_channel_req():*",
].join(",");

/** How a local ssh ended, before anybody interpreted it. */
export interface ClientEnd {
  readonly code: number | null;
  readonly signal: string | null;
  /** The signal that we sent. */
  readonly killedWith: string | undefined;
  /** The file of its diagnostics. */
  readonly text: string;
}

interface Facts {
  /** Without the traces. */
  readonly said: string;
  readonly hasTrace: boolean;
  /** The request was sent to the machine, or may have been. */
  readonly sent: boolean;
  /** By this ssh itself and not by the shared connection's. */
  readonly wasDirect: boolean;
  readonly status: number | undefined;
  readonly wasSignalled: boolean;
}

interface Rule {
  readonly pattern: RegExp;
  readonly kind: SshFailureKind;
  readonly transient: boolean;
  /** The text alone proves that no session had begun. */
  readonly before: boolean;
}

const before = (kind: SshFailureKind, transient: boolean, pattern: RegExp): Rule => ({
  ...{ kind, transient, pattern },
  before: true,
});

const NOT_RUN = /(?:exec|subsystem|shell) request failed on channel/;
const CUT =
  /closed by remote host|Connection closed by|Connection reset|Received disconnect|Disconnected from|Broken pipe|not responding|Read from remote host|packet_write_wait|ssh_packet_/;

/** The first that matches decides: what must never be tried again comes first. */
const RULES: readonly Rule[] = [
  before(
    "host_key",
    false,
    /Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED|No \S+ host key is known/,
  ),
  before("auth", false, /Permission denied \(|Too many authentication failures|No supported authentication methods/),
  before(
    "config",
    false,
    /Bad configuration option|Bad owner or permissions on|^command-line: line|unix_listener: path|too long for Unix domain socket|keyword .* extra arguments|terminating, \d+ bad configuration/m,
  ),
  before("unresolved", true, /Could not resolve hostname .*: Temporary failure/),
  before("unresolved", false, /Could not resolve hostname/),
  before("timeout", true, /timed out during banner exchange|Connection to \S+ port \d+ timed out/),
  before("unreachable", true, /connect to host .* port \d+: /),
  before(
    "protocol",
    false,
    /Unable to negotiate with|No SSH version received|banner line contains invalid|Protocol major versions differ|invalid format in banner|banner line too long/,
  ),
  before("unreachable", true, /kex_exchange_identification: |ssh_exchange_identification: |banner exchange: /),
  before("refused", true, /Session open refused by peer|administratively prohibited|open failed: /),
  before("refused", false, /stdio forwarding failed/),
  before("refused", false, NOT_RUN),
  { kind: "cut", transient: true, before: false, pattern: CUT },
];

const REFUSED = "session request failed";
// "debug1: mux.c:mux_client_request_session():1961 (pid=12): master session id: 2"
const OWN_STATUS = "Exit status";
const STATUS = /^(Received exit status from master|Exit status) (-?\d+)$/;
const TRACE = /^(?:debug\d: )?[\w./-]+\.c:\w+\(\):\d+ \(pid=\d+\): (.*)$/;

/**
 * Says how a session ended from what its ssh left behind. Nothing that the remote command writes can change it, because
 * that never reaches the diagnostics.
 *
 * @param isMasterAlive of the connection that carried it; tells a cut line from a command without an exit status.
 */
export function judgeEnd(end: ClientEnd, isMasterAlive: boolean): RemoteEnd {
  const facts = readFacts(end.text);
  const ended = { code: null, signal: null, failure: undefined, diagnostics: facts.said };
  if (facts.status !== undefined) return { ...ended, code: facts.status };
  if (end.killedWith !== undefined) return { ...ended, signal: end.signal ?? end.killedWith };
  if (end.signal !== null) return { ...ended, failure: { ...explain(facts, false), kind: "cut" } };
  if (end.code !== null && end.code !== 255) return { ...ended, code: end.code };
  return { ...ended, failure: explain(facts, isMasterAlive) };
}

/** Why an ssh that carries no command of its own (a connection, a tunnel, a file transfer) gave up. */
export function explainFailure(text: string): SshFailure {
  return explain(readFacts(text), false);
}

function explain(facts: Facts, isMasterAlive: boolean): SshFailure {
  const { said: text } = facts;
  if (facts.sent) return { ...explainSent(facts, isMasterAlive), text };
  const rule = RULES.find(({ pattern }) => pattern.test(text));
  const beganSession = !(facts.hasTrace || rule?.before === true);
  if (rule !== undefined) return { kind: rule.kind, transient: rule.transient, beganSession, text };
  return { kind: text === "" && beganSession ? "no_status" : "unknown", transient: false, beganSession, text };
}

/** The machine had the request; whatever was said is about that session. */
function explainSent(facts: Facts, isMasterAlive: boolean): Omit<SshFailure, "text"> {
  if (NOT_RUN.test(facts.said)) return { kind: "refused", transient: false, beganSession: false };
  const isCut = CUT.test(facts.said) || !(facts.wasDirect || isMasterAlive) || (facts.wasDirect && !facts.wasSignalled);
  if (isCut) return { kind: "cut", transient: true, beganSession: true };
  return { kind: "no_status", transient: false, beganSession: true };
}

function readFacts(text: string): Facts {
  const said: string[] = [];
  const traced: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    const trace = TRACE.exec(line)?.[1];
    if (trace === undefined) said.push(line);
    else traced.push(trace);
  }
  const refused = traced.findLastIndex((line) => line.startsWith(REFUSED));
  const wasDirect = traced.some((line) => /^Sending (command|subsystem): /.test(line));
  const sent = wasDirect || traced.lastIndexOf("session request sent") > refused;
  // An error, although it has the form of a trace. ssh goes on without the shared connection then.
  if (!sent && refused >= 0) said.push(traced[refused] ?? "");
  return {
    ...{ sent, wasDirect, said: said.join("\n").trim(), hasTrace: traced.length > 0, status: statusIn(traced) },
    wasSignalled: traced.some((line) => line.includes("rtype exit-signal")),
  };
}

/** All 32 bits of it, where the exit status of ssh keeps 8; ssh prints it with a sign. */
function statusIn(traced: readonly string[]): number | undefined {
  for (const line of traced.toReversed()) {
    const [, where, value] = STATUS.exec(line) ?? [];
    if (value === undefined) continue;
    // What ssh logs itself at its end is -1 as well when none came; a shared connection's ssh says nothing then.
    const hasCome = where !== OWN_STATUS || traced.some((other) => other.includes("rtype exit-status"));
    return hasCome ? Number(value) >>> 0 : undefined;
  }
  return undefined;
}
