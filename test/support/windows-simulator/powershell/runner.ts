import { createInterface } from "node:readline";
import { NotModelled } from "../not-modelled.ts";
import type { Program } from "../program.ts";
import { isAccepted, refusal } from "./digests.ts";
import { runProgram } from "./run-program.ts";
import { runScript } from "./run-script.ts";
import { Wire } from "./wire.ts";

/** A request as it comes over the wire; every text begins with `=`. */
export interface Request {
  readonly nonce: string;
  readonly timeout_ms: number;
  readonly argv?: readonly string[];
  readonly arguments?: string;
  readonly builtin?: boolean;
  readonly cmd?: string | null;
  readonly line?: string;
  readonly script?: string;
  readonly name?: string;
  readonly arg?: Readonly<Record<string, unknown>>;
}

/** Ticks of .NET (100 ns) at the Unix epoch. */
const EPOCH_TICKS = 621_355_968_000_000_000n;

/** What runner.ps1 does: one request after the other until the input ends. */
export async function serveRunner(program: Program): Promise<number> {
  const wire = new Wire(createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY }));
  const first = await wire.next();
  if (first === undefined) return 0;
  const { nonce, runner } = JSON.parse(first) as { nonce: string; runner: string };
  if (!isAccepted("runner", runner)) {
    throw new NotModelled(`this runner: ${refusal("runner")}`);
  }
  const { powershellVersion } = program.machine.settings;
  const startedMs = Math.round(Date.now() - process.uptime() * 1000);
  const started = EPOCH_TICKS + BigInt(startedMs) * 10_000n;
  program.machine.record("runner.started", String(process.pid), { job: program.context.job });
  say(program, `${nonce} runner=1 pid=${process.pid} started=${started} powershell=${powershellVersion}`);
  for (;;) {
    const line = await wire.next();
    if (line === undefined) return 0;
    if (line.startsWith("{")) await answer(program, JSON.parse(line) as Request, wire);
  }
}

async function answer(program: Program, request: Request, wire: Wire): Promise<void> {
  const isScript = request.script !== undefined;
  try {
    const end = isScript ? await runScript(program, request, wire) : await runProgram(program, request, wire);
    say(program, `${request.nonce} ${end}`);
  } catch (error) {
    const code = error instanceof Refused ? error.code : isScript ? "SCRIPT_FAILED" : "PROGRAM_NOT_STARTED";
    const reason = Buffer.from(String((error as Error).message).slice(0, 2000)).toString("base64");
    say(program, `${request.nonce} end=failed rc=0 left=0 code=${code} say=${reason}`);
  }
}

/** A request that the runner does not carry out, with the code that it names. */
export class Refused extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

function say(program: Program, line: string): void {
  const bytes = Buffer.from(`\n${line}\n`);
  program.writeBytes(bytes, 1);
  program.writeBytes(bytes, 2);
}
