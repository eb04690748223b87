import { randomUUID } from "node:crypto";
import type { ClientLog } from "./client-log.ts";
import { repr, str, typeName } from "./python.ts";

/** The fields of a request; nothing checks their types, as in the product. */
export interface TaskFields {
  readonly task: unknown;
  readonly selected_screen: unknown;
  readonly trace_id: unknown;
  readonly server_url: unknown;
  readonly max_steps: unknown;
}

/** A message of the loop: the client logs each one, and looks for a stop only between two of them. */
export interface LoopMessage {
  readonly type: string;
  readonly content: unknown;
}

/** What the loop stands on. */
export interface LoopParts {
  readonly log: ClientLog;
  /** How many screens there are. */
  readonly screens: number;
  readonly wait: (ms: number) => Promise<void>;
  /** Ends a call to the action server when the client itself is ended. */
  readonly signal: AbortSignal;
}

const SCREENSHOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const SUPPORTED =
  "CLICK RIGHT_CLICK DOUBLE_CLICK TRIPLE_CLICK MOVE HOVER INPUT ENTER ESC ESCAPE PRESS KEY HOTKEY DRAG SCROLL WAIT PAUSE CONTINUE".split(
    " ",
  );

/** Does step after step: screenshot, model, action. It runs `max_steps - 1` of them. */
export async function* samplingLoop(fields: TaskFields, parts: LoopParts): AsyncGenerator<LoopMessage> {
  const { log } = parts;
  const { task, selected_screen: screen, trace_id: trace, max_steps: stepsMax } = fields;
  if (typeof screen !== "number")
    throw new TypeError(`'<' not supported between instances of '${typeName(screen)}' and 'int'`);
  if (screen < 0 || screen >= parts.screens) throw new RangeError("Invalid screen index.");
  log.info(`Screen offset for selected_screen=${screen}: (0, 0)`);
  const taskId = `1121-120000_tid_${str(trace)}_${randomUUID().slice(0, 6)}`;
  log.info(`[simple_sampling_loop] starting task: ${str(task)} unique_task_id: ${taskId}`);
  const history: string[] = [];
  if (typeof stepsMax !== "number")
    throw new TypeError(`'<' not supported between instances of 'int' and '${typeName(stepsMax)}'`);
  for (let step = 1; step < stepsMax; step++) {
    log.info(`step_count: ${step}`);
    await parts.wait(1_000);
    yield { type: "image_base64", content: SCREENSHOT };
    const call = { task_id: taskId, query: task, action_history: history, trace_name: trace, screenshot: SCREENSHOT };
    const answer = await askServer(call, fields.server_url, parts);
    if (answer === undefined) {
      log.error("No response from Run server. Exiting.");
      yield { type: "error", content: "No response from  Run server. Exiting." };
      return;
    }
    const read = readAnswer(answer);
    if (typeof read === "string") {
      log.error(`Error parsing generated_action content: ${read}`);
      yield { type: "error", content: "Error parsing response from  Run server. Exiting." };
      return;
    }
    yield { type: "text", content: read.observation };
    yield { type: "text", content: read.reasoning };
    if (read.action["action"] === "STOP") {
      yield { type: "text", content: "Task completed. Final screenshot:" };
      yield { type: "image_base64", content: SCREENSHOT };
      return;
    }
    history.push(`Executing guidance trajectory step [${step}]: {Plan: , Action: ${repr(read.action)}}\n`);
    yield* execute(read.action, log);
  }
}

/** The executor: an action that it does not know is one line in the log, and nothing else. */
function* execute(action: Readonly<Record<string, unknown>>, log: ClientLog): Generator<LoopMessage> {
  log.info(`response: ${repr({ role: "assistant", content: action })}`);
  log.info(`Action Item: ${repr(action)}`);
  const name = String(action["action"]).toUpperCase();
  if (!SUPPORTED.includes(name)) {
    const item = repr(action);
    log.error(`Error Action ${name} not supported. Check the output from Actor: ${item} in parsing output: ${item}`);
    log.info("Parsed Action List: None");
    return;
  }
  log.info(`Parsed Action List: [${repr({ action: name.toLowerCase(), text: null, coordinate: [10, 20] })}]`);
  log.info(`tool_result: ToolResult(output=${repr(`Performed ${name}`)}, error=None)`);
  yield { type: "action", content: `Performed ${name}` };
}

async function askServer(call: object, url: unknown, { log, signal }: LoopParts): Promise<unknown> {
  try {
    // No timeout, as in the product: a stop waits for the model.
    const response = await fetch(String(url), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(call),
      signal,
    });
    const text = await response.text();
    if (!response.ok) {
      log.error(`Error making request: ${response.status} Server Error: for url: ${String(url)}`);
      log.error(`Server response: ${text}`);
      return undefined;
    }
    const result = JSON.parse(text) as Readonly<Record<string, unknown>>;
    log.info(`Status: ${str(result["status"])}`);
    if ("generated_action" in result)
      log.info(`Generated Action: ${JSON.stringify(result["generated_action"], undefined, 2)}`);
    return result;
  } catch (error) {
    log.error(`Error making request: ${String(error)}`);
    return undefined;
  }
}

interface ReadAnswer {
  readonly observation: unknown;
  readonly reasoning: unknown;
  readonly action: Readonly<Record<string, unknown>>;
}

/** @returns the name of the missing key as Python's KeyError prints it, where one is missing. */
function readAnswer(answer: unknown): ReadAnswer | string {
  const from = (value: unknown, key: string): Readonly<Record<string, unknown>> =>
    (value as Readonly<Record<string, Readonly<Record<string, unknown>>>>)[key] ?? {};
  for (const [value, key] of [
    [answer, "generated_plan"],
    [from(answer, "generated_plan"), "observation"],
    [from(answer, "generated_plan"), "reasoning"],
    [from(answer, "generated_plan"), "step_info"],
    [answer, "generated_action"],
    [from(answer, "generated_action"), "content"],
    [answer, "current_traj_step"],
  ] as const) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return `'${key}'`;
  }
  const plan = from(answer, "generated_plan");
  return {
    observation: plan["observation"],
    reasoning: plan["reasoning"],
    action: from(from(answer, "generated_action"), "content"),
  };
}
