/**
 * What the client's log says of one run. Aloha gives no job id and no result: these lines are the only record of how a
 * run ended. Pure; the log is read as Latin-1, because every marker is ASCII.
 */
export interface LogEvidence {
  /** A line that has not ended yet. */
  readonly rest: string;
  /** The text of the task that is looked for. */
  readonly task: string;
  /** Lines still to come that belong to the task's own text, whatever they look like. */
  readonly skip: number;
  /** How many threads work; two at once share their state, and what they log cannot be told apart. */
  readonly open: number;
  /** The log began anew while it was followed, so lines may be missing. */
  readonly turned: boolean;
  /** That a thread works is taken for granted: the line that said so may be gone with the log's old page. */
  readonly assumed: boolean;
  /** The run that is on has another task: it is somebody else's. */
  readonly foreign: boolean;
  readonly started: boolean;
  readonly finished: boolean;
  readonly overlapped: boolean;
  /** The client was started anew while the run was on. */
  readonly restarted: boolean;
  /** Steps that were begun. */
  readonly steps: number;
  /** Steps whose action could not be carried out. */
  readonly failedActions: number;
  /** Such an action says that the model has no key. */
  readonly keyMissing: boolean;
  /** `announced`: the end marker was the last message; `shown`: the picture that only follows the real one came after. */
  readonly completion: "none" | "announced" | "shown";
  /** The last message says that the action server failed. */
  readonly serverFailure: "none" | "no_response" | "bad_response";
  /** What broke the run. */
  readonly crash: string | undefined;
  /** Somebody asked for a stop, and was told that it is on its way. */
  readonly stopped: boolean;
  /** Lines that say something of the run; it grows while the run lives. */
  readonly signs: number;
}

/** With the byte order mark that a redirection may begin a file with. */
const LINE = /^(?:ÿþ|ï»¿)?\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} - ([A-Z]+) - (.*)$/s;
const MESSAGE = /^\[loop_msg\] type=(\S+) content=(.*)$/s;
const STOP = /"POST \/stop HTTP\/1\.\d" 200/;
const TASK = "[simple_sampling_loop] starting task: ";
const CRASH = "Error during task processing: ";
const CRASH_LENGTH_MAX = 300;

const COMPLETED = "Task completed. Final screenshot:";
/** Two spaces, as the product has it. */
const NO_RESPONSE = "No response from  Run server. Exiting.";
const BAD_RESPONSE = "Error parsing response from  Run server. Exiting.";

const NOTHING = {
  open: 0,
  assumed: false,
  foreign: false,
  started: false,
  finished: false,
  overlapped: false,
  restarted: false,
  steps: 0,
  failedActions: 0,
  keyMissing: false,
  completion: "none",
  serverFailure: "none",
  crash: undefined,
  stopped: false,
} as const;

/** Nothing read yet. */
export function noEvidence(task: string): LogEvidence {
  return { rest: "", task: withoutZeros(task), skip: 0, turned: false, signs: 0, ...NOTHING };
}

/** Reads on; a piece may end anywhere, also inside a line. What follows the end of the run is not looked at. */
export function readLog(evidence: LogEvidence, piece: string): LogEvidence {
  // PowerShell 5.1 redirects into UTF-16: without the zeros its ASCII is ASCII.
  const lines = `${evidence.rest}${withoutZeros(piece)}`.split("\n");
  const rest = lines.pop() ?? "";
  return lines.reduce(readLine, { ...evidence, rest });
}

/** The log begins anew (rotated or emptied): half a line of the old one is no line. */
export function turnPage(evidence: LogEvidence): LogEvidence {
  const page = { ...evidence, rest: "", skip: 0, turned: true };
  return page.open > 0 ? page : { ...page, open: 1, assumed: true };
}

function readLine(evidence: LogEvidence, raw: string): LogEvidence {
  if (evidence.finished) return evidence;
  if (evidence.skip > 0) return { ...evidence, skip: evidence.skip - 1 };
  const [, level = "", message = ""] = LINE.exec(raw.endsWith("\r") ? raw.slice(0, -1) : raw) ?? [];
  if (level === "") return evidence;
  if (message === "process_input thread started.") return start(evidence);
  if (evidence.open === 0) return evidence;
  if (message === "process_input thread finished.") return finish(evidence);
  if (message === "App main() function starting setup.") return restart(evidence);
  const read = readRunLine(evidence, level, message);
  return read === evidence ? evidence : { ...read, signs: evidence.signs + 1 };
}

function start(evidence: LogEvidence): LogEvidence {
  const { open } = evidence;
  const signs = evidence.signs + 1;
  if (open > 0 && !evidence.assumed) return { ...evidence, signs, open: open + 1, overlapped: true, foreign: false };
  return { ...evidence, ...NOTHING, signs, started: true, open: 1 };
}

function finish(evidence: LogEvidence): LogEvidence {
  const { open, foreign } = evidence;
  const signs = evidence.signs + 1;
  if (open > 1) return { ...evidence, signs, open: open - 1 };
  // Somebody else's run between our look at the log and our start: ours is still to come.
  if (foreign) return { ...evidence, ...NOTHING, signs };
  return { ...evidence, signs, open: 0, started: true, finished: true };
}

/** A new process: whatever the old one had on is over, and nobody will say how. */
function restart(evidence: LogEvidence): LogEvidence {
  const signs = evidence.signs + 1;
  if (evidence.foreign || evidence.assumed) return { ...evidence, ...NOTHING, signs };
  return { ...evidence, signs, open: 0, finished: true, restarted: true };
}

function readRunLine(evidence: LogEvidence, level: string, message: string): LogEvidence {
  if (message.startsWith(TASK)) return readTask(evidence, message.slice(TASK.length));
  const [, type, content] = MESSAGE.exec(message) ?? [];
  if (type !== undefined && content !== undefined) return readMessage(evidence, type, content);
  const [, step] = /^step_count: (\d+)$/.exec(message) ?? [];
  if (step !== undefined) return { ...evidence, steps: Number(step), completion: "none" };
  if (STOP.test(message)) return { ...evidence, stopped: true };
  if (level !== "ERROR") return evidence;
  if (message.startsWith(CRASH)) return { ...evidence, crash: message.slice(CRASH.length).slice(0, CRASH_LENGTH_MAX) };
  if (!/^Error .* in parsing output: /s.test(message)) return evidence;
  const keyMissing = evidence.keyMissing || message.includes("missing API key");
  return { ...evidence, failedActions: evidence.failedActions + 1, keyMissing };
}

/** A model can say any text, also the marker; only the loop itself shows a picture right after it and then ends. */
function readMessage(evidence: LogEvidence, type: string, content: string): LogEvidence {
  const follows = type === "image_base64" && evidence.completion !== "none";
  const announced = type === "text" && content === COMPLETED;
  const failure = content === NO_RESPONSE ? "no_response" : content === BAD_RESPONSE ? "bad_response" : "none";
  return {
    ...evidence,
    completion: follows ? "shown" : announced ? "announced" : "none",
    serverFailure: type === "error" ? failure : "none",
  };
}

/** The log's own encoding may have changed what is not ASCII, so the text is compared up to there. */
function readTask(evidence: LogEvidence, logged: string): LogEvidence {
  const [first = "", ...others] = evidence.task.split("\n");
  const cut = first.search(/[^ -~\t]/);
  const whole = cut < 0 && others.length === 0;
  const expected = whole ? `${first} unique_task_id: ` : cut < 0 ? first : first.slice(0, cut);
  if (!logged.startsWith(expected)) return { ...evidence, foreign: !evidence.overlapped };
  return { ...evidence, foreign: false, skip: others.length };
}

function withoutZeros(text: string): string {
  return text.includes("\0") ? text.replaceAll("\0", "") : text;
}
