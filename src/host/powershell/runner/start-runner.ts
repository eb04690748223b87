import { randomBytes } from "node:crypto";
import { type Clock, onAbort, withDeadline } from "../../../clock.ts";
import { AppError } from "../../../error.ts";
import { decodeClixml } from "../model/clixml.ts";
import { encodedCommand } from "../model/encoded-command.ts";
import { type Hello, parseHello, RUNNER_VERSION } from "../model/hello.ts";
import { readText } from "../own-script.ts";
import { OutputPump } from "./output-pump.ts";
import { awaitLine, type Pumps } from "./reply.ts";
import { drop, type RunnerProcess, type RunnerTransport } from "./transport.ts";

/** What came before the runner's first line is kept up to this many bytes: it says why there is none. */
const NOISE_MAX = 4_096;

/**
 * Older versions read a redirected standard input themselves, for `$input`, and would take the requests away; newer ones do
 * so only where a text uses `$input`. Not in the help, but taken by all of them.
 */
const LEAVE_INPUT = ["-InputFormat", "None"];

/** A PowerShell that waits for requests. */
export interface OpenedRunner {
  readonly process: RunnerProcess;
  readonly pumps: Pumps;
  readonly hello: Hello;
}

/** How a runner is started. */
export interface OpenOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly startTimeoutMs: number;
}

/** The constant line that a host gets, whatever it is to do: far below the 8,191 characters of cmd.exe. */
export function startCommand(): string {
  const [program, ...words] = encodedCommand(readText("first-stage.ps1").trim());
  return [program, ...LEAVE_INPUT, ...words].join(" ");
}

/**
 * Starts PowerShell, sends it the runner and waits for its first line.
 *
 * @throws AppError `RUNNER_FAILED`, `TIMEOUT`; the signal's reason.
 */
export async function openRunner(transport: RunnerTransport, options: OpenOptions): Promise<OpenedRunner> {
  const { clock, signal, startTimeoutMs: timeoutMs } = options;
  signal.throwIfAborted();
  return withDeadline(
    { clock, timeoutMs, signal },
    async (inTime) => greet(await transport.start(startCommand(), { signal: inTime }), inTime),
    () => new AppError("TIMEOUT", `PowerShell was not ready within ${timeoutMs} ms on the host`),
  );
}

async function greet(process: RunnerProcess, stop: AbortSignal): Promise<OpenedRunner> {
  using _ = onAbort(stop, () => drop(process));
  try {
    stop.throwIfAborted();
    // A pipe whose other end is gone: the streams tell it.
    process.stdin.on("error", () => {});
    const pumps = { stdout: new OutputPump(process.stdout), stderr: new OutputPump(process.stderr) };
    const nonce = randomBytes(16).toString("hex");
    process.stdin.write(`${JSON.stringify({ nonce, runner: readText("runner.ps1") })}\n`);
    const noise = new Noise();
    const sinks = { stdout: (chunk: Buffer) => noise.add(chunk), stderr: (chunk: Buffer) => noise.add(chunk) };
    const reply = await awaitLine(pumps, { nonce, parse: parseHello }, sinks);
    stop.throwIfAborted();
    if (reply.kind === "closed") throw await whyClosed(process, noise.text);
    if (reply.line.runner !== RUNNER_VERSION)
      throw failed(`it speaks version ${reply.line.runner}, not ${RUNNER_VERSION}`);
    return { process, pumps, hello: reply.line };
  } catch (error) {
    drop(process);
    throw error;
  }
}

/** The transport's own reason counts more than what the host printed. */
async function whyClosed(process: RunnerProcess, said: string): Promise<AppError> {
  process.kill();
  const { failure } = await process.ended;
  if (failure === undefined) return failed(`PowerShell ended before it was ready${said}`);
  const code = failure.beganSession ? "RUNNER_LOST" : "HOST_UNREACHABLE";
  return new AppError(code, `the connection to the host ended before PowerShell was ready: ${failure.text}`);
}

function failed(why: string): AppError {
  return new AppError("RUNNER_FAILED", `the host gave no runner: ${why}`);
}

/** The first bytes of what a host says on its own: an AutoRun's greeting, or that there is no PowerShell. */
class Noise {
  #bytes = Buffer.alloc(0);

  add(chunk: Buffer): void {
    if (this.#bytes.length < NOISE_MAX) this.#bytes = Buffer.concat([this.#bytes, chunk]).subarray(0, NOISE_MAX);
  }

  get text(): string {
    const said = decodeClixml(this.#bytes.toString("utf8")).trim();
    return said === "" ? "" : `; it says: ${said}`;
  }
}
