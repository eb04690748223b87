import { ClientLog } from "./client-log.ts";
import { str } from "./python.ts";
import { type LoopMessage, samplingLoop, type TaskFields } from "./sampling-loop.ts";
import { htmlError, json, page, type SeenRequest, type WebAnswer } from "./web.ts";

/** How the client is played. */
export interface ClientOptions {
  /** The file that its standard error goes to. */
  readonly logPath: string;
  readonly port?: number;
  /** Default 1. */
  readonly screens?: number;
  /** Lets the pauses of its loop pass. Default: real time. */
  readonly wait?: (ms: number) => Promise<void>;
  /** Held up, the thread exists and has not yet said that it is busy. Default: the next turn of the event loop. */
  readonly threadStart?: () => Promise<void>;
  /** False plays a revision that refuses a list before it looks whether it is busy. */
  readonly busyProbe?: boolean;
}

const DEFAULTS: TaskFields = {
  task: "Following the instructions to complete the task.",
  selected_screen: 0,
  trace_id: "example_trace",
  server_url: "http://127.0.0.1:7887/generate_action",
  max_steps: 50,
};

const realWait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** One process of the client. */
export class Player {
  fields: TaskFields = DEFAULTS;
  busy = false;
  #shouldStop = false;
  readonly log: ClientLog;
  readonly #options: ClientOptions;
  readonly #ended = new AbortController();

  constructor(options: ClientOptions) {
    this.log = new ClientLog(options.logPath);
    this.#options = options;
  }

  boot(): void {
    this.log.info("App main() function starting setup.");
    this.log.info("Shared state initialized.");
    this.log.info("Starting Client Flask on 0.0.0.0:7888");
  }

  /** A killed process: its threads are gone in the middle, without a last line. */
  end(): void {
    this.log.close();
    this.#ended.abort();
  }

  handle(request: SeenRequest): WebAnswer {
    switch (request.on) {
      case "POST /run_task":
        return this.#runTask(request);
      case "POST /stop":
        return this.#stop();
      case "OPTIONS /run_task":
      case "OPTIONS /stop":
        return page(200, "", { Allow: "POST, OPTIONS" });
      default: {
        const known = / \/(run_task|stop)$/.test(request.on);
        return known ? htmlError(405, { Allow: "POST, OPTIONS" }) : htmlError(404);
      }
    }
  }

  #runTask({ body, contentType }: SeenRequest): WebAnswer {
    const data = truthy(contentType?.startsWith("application/json") ? parse(body) : undefined);
    if (this.#options.busyProbe === false && !isObject(data)) return missing();
    // `"task" in 5` is a TypeError.
    if (typeof data === "number" || typeof data === "boolean") return htmlError(500);
    if (!hasTask(data)) return missing();
    if (this.busy) return json(409, { status: "error", message: "A task is already running" });
    if (!isObject(data)) {
      const type = typeof data === "string" ? "str" : "list";
      this.log.error(
        `Exception on /run_task [POST]\nTraceback (most recent call last):\n  File "app_client.py", line 95, in run_task\nAttributeError: '${type}' object has no attribute 'get'`,
      );
      return htmlError(500);
    }
    // A field that is left out keeps the value of the request before.
    this.fields = Object.fromEntries(
      Object.entries(this.fields).map(([key, value]) => [key, key in data ? data[key] : value]),
    ) as unknown as TaskFields;
    void this.#thread();
    return json(200, { status: "success", message: "Task started", task: this.fields.task });
  }

  #stop(): WebAnswer {
    if (!this.busy) return json(400, { status: "error", message: "No active task to stop" });
    this.#shouldStop = true;
    return json(200, { status: "success", message: "Stop signal sent" });
  }

  /** The busy flag is set in here, so whoever asks before this runs is told that nothing is on. */
  async #thread(): Promise<void> {
    const { wait = realWait, threadStart = nextTurn, screens = 1 } = this.#options;
    await threadStart();
    if (this.#ended.signal.aborted) return;
    this.log.info("process_input thread started.");
    this.busy = true;
    this.#shouldStop = false;
    try {
      const parts = { log: this.log, screens, wait, signal: this.#ended.signal };
      for await (const message of samplingLoop(this.fields, parts)) {
        if (this.#shouldStop || this.#ended.signal.aborted) break;
        this.log.info(preview(message));
        await wait(100);
        if (this.#shouldStop || this.#ended.signal.aborted) break;
      }
    } catch (error) {
      const { message } = error as Error;
      const name = error instanceof RangeError ? "IndexError" : "TypeError";
      this.log.error(
        `Error during task processing: ${message}\nTraceback (most recent call last):\n  File "app_client.py", line 50, in process_input\n${name}: ${message}`,
      );
    } finally {
      this.busy = false;
      this.#shouldStop = false;
      this.log.info("process_input thread finished.");
    }
  }
}

function preview({ type, content }: LoopMessage): string {
  return `[loop_msg] type=${type} content=${[...str(content)].slice(0, 100).join("")}`;
}

const missing = (): WebAnswer => json(400, { status: "error", message: "Missing required field(s): task" });

/** `data or {}`: what is false in Python becomes an empty object. */
function truthy(data: unknown): unknown {
  const empty = data === undefined || data === null || data === 0 || data === "" || data === false;
  if (empty || (Array.isArray(data) && data.length === 0)) return {};
  return data;
}

/** `"task" in data`, which holds for a list and a text too. */
function hasTask(data: unknown): boolean {
  if (typeof data === "string") return data.includes("task");
  if (Array.isArray(data)) return data.includes("task");
  return isObject(data) && Object.hasOwn(data, "task");
}

function isObject(data: unknown): data is Readonly<Record<string, unknown>> {
  return typeof data === "object" && data !== null && !Array.isArray(data);
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
