import { htmlError, json, page, startWeb, type WebAnswer, type WebServer } from "./web.ts";

/** What the client asks for with each step. */
export interface ActionCall {
  readonly task_id: string;
  readonly query: string;
  readonly trace_name: string;
  readonly action_history: readonly string[];
  readonly screenshot: string;
}

/** What the model says: the name of an action, a whole answer, or a failure of the server. */
export type ActionReply =
  | string
  | { readonly action: string; readonly value?: unknown; readonly observation?: string; readonly reasoning?: string }
  /** A JSON answer as it is, such as one without the plan. */
  | { readonly raw: Readonly<Record<string, unknown>> }
  /** An exception: the debugger's page. */
  | { readonly status: 500 };

/** What plays the model: given each call with its number from 1. */
export type Model = (call: ActionCall, step: number) => ActionReply | Promise<ActionReply>;

/** A model that says these one after the other, and the last one for ever. */
export function script(...replies: readonly [ActionReply, ...ActionReply[]]): Model {
  return (_call, step) => replies[Math.min(step, replies.length) - 1] ?? "STOP";
}

/** What the product's server says of every step while it has no key for its model. */
export const NO_KEY: ActionReply = {
  action: "ERROR",
  value: "OpenAI client not initialized; missing API key",
  observation: "",
  reasoning: "",
};

/** A listening action server. */
export interface ActionServer extends WebServer {
  readonly calls: readonly ActionCall[];
}

/** Plays Aloha's action server (port 7887 of the product). */
export async function startActionServer({
  model = script("CLICK", "STOP"),
  port = 0,
}: {
  readonly model?: Model;
  readonly port?: number;
} = {}): Promise<ActionServer> {
  const calls: ActionCall[] = [];
  const handle = async ({ on, body }: { readonly on: string; readonly body: string }): Promise<WebAnswer> => {
    const [method = "", path = ""] = on.split(" ");
    if (path === "/") return method === "GET" ? page(200, "Aloha API server is running") : htmlError(405);
    if (path !== "/generate_action") return htmlError(404);
    if (method !== "POST") return htmlError(405, { Allow: "POST, OPTIONS" });
    const call = parse(body);
    if (!("screenshot" in call && "query" in call))
      return json(400, { error: "Missing required fields: screenshot, query" });
    calls.push(call as unknown as ActionCall);
    return answerOf(await model(call as unknown as ActionCall, calls.length), calls.length);
  };
  return Object.assign(await startWeb(port, handle), { calls });
}

function answerOf(reply: ActionReply, step: number): WebAnswer {
  if (typeof reply === "string") return answerOf({ action: reply }, step);
  if ("status" in reply) return page(500, `<!doctype html>\n<title>KeyError // Werkzeug Debugger</title>\n`);
  if ("raw" in reply) return json(200, reply.raw);
  const { action, value = null, observation = "A window is open.", reasoning = "It has to be used." } = reply;
  return json(200, {
    status: "success",
    generated_plan: { step_info: `step ${step}`, observation, reasoning, action: `use ${action}` },
    generated_action: { content: { action, value, position: [10, 20] }, role: "assistant" },
    current_traj_step: step,
    complete_flag: action === "STOP",
  });
}

function parse(body: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
