import fc from "fast-check";
import { expect, test } from "vitest";
import { decideEnd } from "./decide-end.ts";
import { type LogEvidence, noEvidence, readLog, turnPage } from "./log-evidence.ts";

const line = (message: string, level = "INFO"): string => `2026-11-21 12:00:00,123 - ${level} - ${message}\r\n`;
const START = line("process_input thread started.");
const END = line("process_input thread finished.");
const task = (text: string): string =>
  line(`[simple_sampling_loop] starting task: ${text} unique_task_id: 1121-200000_tid_t_abc123`);
const step = (n: number): string =>
  line(`step_count: ${n}`) + message("image_base64", "iVBORw0KGgo") + message("text", "seen") + message("text", "why");
const message = (type: string, content: string): string => line(`[loop_msg] type=${type} content=${content}`);
const MARKER = message("text", "Task completed. Final screenshot:");
const PICTURE = message("image_base64", "iVBORw0KGgo");
const STOP = line('127.0.0.1 - - [21/Nov/2026 12:00:00] "POST /stop HTTP/1.1" 200 -');
const BAD_ACTION = line("Error Action FOO not supported. Check: {} in parsing output: {}", "ERROR");

const read = (log: string, text = "open it"): LogEvidence => readLog(noEvidence(text), log);
const end = (log: string, { text = "open it", steps = 3 } = {}) => decideEnd(read(log, text), steps);
const run = (...lines: readonly string[]): string => START + task("open it") + lines.join("") + END;

test.each<[string, string, object]>([
  ["the marker and its picture", run(step(1), MARKER, PICTURE), { kind: "completed" }],
  [
    "a server that gave no answer",
    run(line("step_count: 1"), PICTURE, message("error", "No response from  Run server. Exiting.")),
    { kind: "no_response" },
  ],
  [
    "an answer that could not be read",
    run(step(1), message("error", "Error parsing response from  Run server. Exiting.")),
    { kind: "failed", reason: "the action server's answer could not be read" },
  ],
  [
    "a run that broke before its task was said",
    `${START + line("Error during task processing: Invalid screen index.", "ERROR")}Traceback:\r\n${END}`,
    { kind: "failed", reason: "the run broke: Invalid screen index." },
  ],
  ["a stop of somebody else", run(step(1), STOP), { kind: "stopped" }],
  ["all steps without the marker", run(step(1), step(2), step(3)), { kind: "step_limit" }],
  [
    "steps that all did nothing",
    run(step(1), BAD_ACTION, step(2), BAD_ACTION, step(3), BAD_ACTION),
    { kind: "failed", reason: "3 steps did nothing: none of its actions could be carried out" },
  ],
  [
    "fewer steps and no reason",
    run(step(1)),
    { kind: "unknown", reason: "its log ends after step 1 of 3 and does not say why" },
  ],
  ["no line at all", "", { kind: "unknown", reason: "its log says nothing of the run" }],
  [
    "no last line",
    START + task("open it") + step(1),
    { kind: "unknown", reason: "its log does not say how the run ended" },
  ],
  [
    "two threads at once",
    START + task("open it") + START + task("other") + step(1) + MARKER + PICTURE + END + END,
    { kind: "unknown", reason: "two runs were on at once, and what they did cannot be told apart" },
  ],
  [
    "a client that was started anew",
    START + task("open it") + step(1) + line("App main() function starting setup.") + START + END,
    { kind: "unknown", reason: "Aloha's client was started anew while the run was on" },
  ],
])("%s", (_name, log, expected) => {
  expect(end(log)).toEqual(expected);
});

test("a model that says the marker's words has not completed anything", () => {
  const says = "Task completed. Final screenshot:";
  const asObservation = line("step_count: 1") + PICTURE + message("text", says) + message("text", "why");
  const asReasoning = line("step_count: 1") + PICTURE + message("text", "seen") + message("text", says);
  expect(end(run(asObservation, message("action", "Performed")), { steps: 1 })).toEqual({ kind: "step_limit" });
  expect(end(run(asReasoning), { steps: 1 })).toEqual({ kind: "step_limit" });
  // Its action came to nothing, the next step began with a picture, and then somebody stopped it.
  expect(end(run(asReasoning, line("step_count: 2"), PICTURE, STOP))).toEqual({ kind: "stopped" });
  // A text of several lines, of which one looks like the log's own.
  const forged = message("text", `well\n${MARKER.trim()}`) + message("text", "why");
  expect(end(run(line("step_count: 1"), PICTURE, forged), { steps: 1 })).toEqual({ kind: "step_limit" });
});

test("a task that quotes a log does not speak for the run", () => {
  const text = `read this:\n${(MARKER + PICTURE + END).replaceAll("\r", "")}and tell me`;
  const log = (START + task(text) + step(1)).replaceAll(/\r?\n/g, "\r\n");
  const evidence = read(log, text);
  expect(evidence).toMatchObject({ started: true, finished: false, foreign: false, steps: 1, completion: "none" });
});

test("somebody else's run between our look and our start is not ours", () => {
  const other = START + task("something else") + step(1) + MARKER + PICTURE + END;
  expect(read(other)).toMatchObject({ started: false, finished: false });
  expect(end(other + run(step(1), step(2), step(3)))).toEqual({ kind: "step_limit" });
});

test("what follows the end of the run is not its", () => {
  expect(end(run(step(1), step(2), step(3)) + run(MARKER, PICTURE))).toEqual({ kind: "step_limit" });
});

test("a task that is not ASCII is known again in any encoding of the log", () => {
  const text = "öffne die Tür";
  for (const logged of ["\\xf6ffne die T\\xfcr", "Ã¶ffne", "?ffne die T?r"]) {
    expect(read(START + task(logged), text).foreign).toBe(false);
  }
  expect(read(START + task("open the door"), "open the Tür").foreign).toBe(true);
});

test("a log in UTF-16, as PowerShell 5.1 redirects, is read", () => {
  const bytes = Buffer.from(run(step(1), MARKER, PICTURE), "utf16le").toString("latin1");
  expect(end(`\xff\xfe${bytes}`)).toEqual({ kind: "completed" });
});

test("on a new page of the log a run that was on goes on", () => {
  const before = read(`${START + task("open it") + step(1)}2026-11-21 12:00`);
  const after = readLog(turnPage(before), step(2) + MARKER + PICTURE + END);
  expect(decideEnd(after, 3)).toEqual({ kind: "completed" });
});

test("on a new page a run whose beginning was not seen is taken for the one that was asked for", () => {
  const page = turnPage(noEvidence("open it"));
  expect(page).toMatchObject({ started: false, assumed: true });
  expect(decideEnd(readLog(page, step(2) + MARKER + PICTURE + END), 3)).toEqual({ kind: "completed" });
  expect(decideEnd(readLog(page, run(step(1), step(2), step(3))), 3)).toEqual({ kind: "step_limit" });
});

test("a new process on a new page ends the run that was on, and none that was not seen", () => {
  const boot = line("App main() function starting setup.");
  const before = read(START + task("open it") + step(1));
  expect(readLog(turnPage(before), boot)).toMatchObject({ finished: true, restarted: true });
  const unseen = readLog(turnPage(noEvidence("open it")), boot);
  expect(unseen).toMatchObject({ started: false, finished: false, turned: true });
});

const anyLine = fc.oneof(
  fc.constantFrom(START, END, MARKER, PICTURE, STOP, BAD_ACTION, task("open it"), task("other"), step(1), step(2)),
  fc.string().map((text) => message("text", text)),
  fc.string({ unit: "binary" }),
);

test("where the pieces are cut changes nothing", () => {
  fc.assert(
    fc.property(fc.array(anyLine), fc.array(fc.nat()), (lines, cuts) => {
      const log = lines.join("");
      const at = [...new Set(cuts.map((cut) => cut % (log.length + 1)))].sort((a, b) => a - b);
      const pieces = [0, ...at].map((from, index) => log.slice(from, at[index]));
      expect(pieces.reduce(readLog, noEvidence("open it"))).toEqual(readLog(noEvidence("open it"), log));
    }),
  );
});

test("no log without the marker is called completed", () => {
  const others = fc.oneof(
    fc.constantFrom(START, END, PICTURE, STOP, BAD_ACTION, task("open it"), step(1), step(2), step(3)),
    fc.string({ unit: "binary" }),
  );
  fc.assert(
    fc.property(fc.array(others), fc.nat({ max: 4 }), (lines, steps) => {
      expect(end(lines.join(""), { steps }).kind).not.toBe("completed");
    }),
  );
});
