import { duration, wholeNumber } from "./numbers.ts";
import { path } from "./paths.ts";
import { choice, httpUrl, text } from "./texts.ts";

/**
 * An address that a client is started with: what starts with `-` would be read as an option of ssh, and an operator's own
 * `ProxyCommand` gives the rest to a shell.
 */
export const HOST_NAME = { pattern: /^[\p{L}\p{N}_:[][\p{L}\p{N}\p{M}._:%[\]-]*$/u, rule: "a host name or an address" };
const COMMAND = { pattern: /^[^\0]*$/, rule: "a command" };

/** The Windows machine that jobs act on unless they name another one. */
export const WINDOWS = {
  "windows.ssh_host": text({
    ...HOST_NAME,
    default: "localhost",
    description: "The machine's name or address, as ssh takes it.",
  }),
  "windows.ssh_port": wholeNumber({
    default: 22_555,
    min: 1,
    max: 65_535,
    description: "The port of its SSH server.",
  }),
  "windows.ssh_user": text({
    default: "administrator",
    // As ssh itself since 9.6, for the same reason.
    pattern: /^(?!-)(?:(?!\s-)[^\p{Cc}'"`;&<>|(){}])+(?<!\\)$/u,
    rule: "the name of an account",
    description: "The account that commands run under.",
  }),
  "windows.ssh_identity_file": path({ default: "", description: 'The private key; "": what OpenSSH would take.' }),
  "windows.ssh_known_hosts": path({ default: "", description: 'The file of known host keys; "": OpenSSH\'s own.' }),
  "windows.max_parallel": wholeNumber({
    default: 8,
    min: 1,
    max: 64,
    description: "How many commands run on the machine at once.",
  }),
} as const;

/** The agent that acts on the machine's desktop. */
export const ALOHA = {
  "aloha.server_url": httpUrl({ default: "http://127.0.0.1:7887", description: "Aloha's action server." }),
  "aloha.client_url": httpUrl({
    default: "http://127.0.0.1:7888",
    cut: "/run_task",
    description: "Aloha's client; a `/run_task` at the end is taken off.",
  }),
  "aloha.server_start_cmd": text({
    ...COMMAND,
    default: "",
    description: 'What starts the server over SSH; "": it is not repaired.',
  }),
  "aloha.client_start_cmd": text({
    ...COMMAND,
    default: "",
    description: 'What starts the client over SSH, where it can run without a desktop; "": nothing.',
  }),
  "aloha.client_task": text({
    default: "WinAutomation-Aloha",
    description: "The scheduled task that starts the client on the desktop.",
  }),
  "aloha.client_log": text({
    default: "C:\\ProgramData\\win-automation\\aloha\\client.log",
    pattern: /^[A-Za-z]:[\\/][^\p{Cc}]+$/u,
    rule: "an absolute path on Windows",
    description:
      "The file on the machine that the client's standard error goes to (`2>` of cmd): the only record of how a run ended.",
  }),
} as const;

/** The browser server on the machine. */
export const PLAYWRIGHT = {
  "playwright.host": text({ ...HOST_NAME, default: "127.0.0.1", description: "Where the browser server is reached." }),
  "playwright.port": wholeNumber({ default: 9_323, min: 1, max: 65_535, description: "Its port." }),
  "playwright.tunnel": choice({
    default: "auto",
    words: ["auto", "on", "off"],
    description:
      "Whether to reach it through SSH: auto does unless the host is not loopback or the port already answers; off uses an existing port forward.",
  }),
  "playwright.ws_path": text({
    default: undefined,
    pattern: /^[^\s\p{Cc}]+$/u,
    rule: "a path without spaces",
    // Said although it follows from the key, because the blocks of named hosts point to it too.
    environment: "PLAYWRIGHT_WS_PATH",
    secret: true,
    environmentOnly: true,
    description: "The secret path of the browser server, one for all machines.",
  }),
} as const;

/** What watches the machine. */
export const SUPERVISOR = {
  "supervisor.interval": duration({ default: "30s", description: "How often every check is made." }),
  "supervisor.threshold": wholeNumber({
    default: 3,
    min: 1,
    max: 100,
    description: "How many failures in a row open the breaker of a check.",
  }),
  "supervisor.open_for": duration({
    default: "60s",
    description: "How long an open breaker leaves a check alone before it is made once.",
  }),
  "supervisor.open_max": duration({
    default: "15m",
    description: "How long at most, where a check flaps and is left alone for longer and longer.",
  }),
  "supervisor.window": duration({
    default: "30m",
    min: "1m",
    max: "24h",
    description: "The span of time in which openings and repairs are counted.",
  }),
  "supervisor.opens_max": wholeNumber({
    default: 3,
    min: 1,
    max: 100,
    description: "How often a breaker may open in the window; beyond that the check flaps and is not repaired.",
  }),
  "supervisor.repairs_max": wholeNumber({
    default: 5,
    min: 0,
    max: 100,
    description: "How often a check may be repaired in the window; 0: only look.",
  }),
  "supervisor.good_probes": wholeNumber({
    default: 2,
    min: 1,
    max: 100,
    description: "How many good looks in a row prove a repair.",
  }),
  "supervisor.settle": duration({
    default: "5s",
    min: "0s",
    max: "5m",
    description: "How long `supervisor run --once` waits between a repair and the next look.",
  }),
  "supervisor.failpoint": choice({
    default: undefined,
    words: ["ssh", "aloha_server", "aloha_client", "hatchet", "playwright"],
    environmentOnly: true,
    description: "Makes this check of the supervisor fail, for a rehearsal.",
  }),
} as const;
