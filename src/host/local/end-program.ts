import { type Clock, pause, settlesWithin } from "../../clock.ts";
import { type ProgramEnd, readExitRecord } from "./exit-record.ts";
import { type ProcessFacts, processTable } from "./process-table.ts";
import { isAlive, type RunningProgram } from "./program.ts";

/** How long to wait for what was sent a KILL: only a process that hangs in the kernel takes longer. */
const KILL_WAIT_MS = 5_000;
const POLL_MS = 10;

/** The clock, and how long a process may take to end after a TERM before it gets a KILL. */
export interface EndOptions {
  readonly clock: Clock;
  readonly graceMs: number;
}

/**
 * Ends a program as a whole: TERM to its process group and to whatever else is in its session, KILL to all that is left
 * after the grace. Returns when nothing of it runs any more, with how it ended.
 */
export async function endProgram(program: RunningProgram, { clock, graceMs }: EndOptions): Promise<ProgramEnd> {
  const deadlineMs = clock.monotonic() + graceMs;
  // While its parent lives, the number is its own and so are the session and the group of that number.
  if (isAlive(program.id)) {
    signalSession(program, "SIGTERM");
    // What was stopped hears a TERM only when it goes on.
    signalSession(program, "SIGCONT");
  }
  let ended = await settlesWithin(clock, graceMs, program.ended);
  if (!ended) {
    if (isAlive(program.id)) signalSession(program, "SIGKILL");
    ended = await settlesWithin(clock, KILL_WAIT_MS, program.ended);
  }
  await waitOrKill(program, { clock, graceMs: Math.max(0, deadlineMs - clock.monotonic()) });
  if (!ended) return { exitCode: null, signal: "SIGKILL" };
  // A TERM that came before the program could run: it never will.
  return program.ended.catch(() => ({ exitCode: null, signal: "SIGTERM" }) as const);
}

/**
 * Ends what a program that has just ended left behind in its process group. Its parent has sent them a TERM already.
 *
 * A group's number cannot become another process's while a member lives, and a number that has just become free is not
 * given again before all others were; so call it only when the end was witnessed.
 *
 * @returns how many processes were still there.
 */
export async function endLeftovers(program: RunningProgram, { clock, graceMs }: EndOptions): Promise<number> {
  // One system call in the usual case; the list below reads the facts of every process of the machine.
  if (!groupExists(program.id.pid)) return 0;
  const found = livingOf(program).filter(({ pid }) => pid !== program.id.pid).length;
  if (found === 0) return 0;
  // A parent that was killed could not send it.
  if (readExitRecord(program.files.record).kind === "open") signalSession(program, "SIGTERM");
  await waitOrKill(program, { clock, graceMs });
  return found;
}

async function waitOrKill(program: RunningProgram, { clock, graceMs }: EndOptions): Promise<void> {
  const killAtMs = clock.monotonic() + graceMs;
  while (livingOf(program).length > 0) {
    const nowMs = clock.monotonic();
    if (nowMs >= killAtMs + KILL_WAIT_MS) return;
    // Every time anew: a process may have been made after the last list.
    if (nowMs >= killAtMs) signalSession(program, "SIGKILL");
    await pause(clock, POLL_MS);
  }
}

/** What lives in the program's session, its parent included, which may be about to end. */
function livingOf({ id }: RunningProgram): readonly ProcessFacts[] {
  const members = processTable().members(id.pid);
  const leader = members.find(({ pid }) => pid === id.pid);
  // A later process with this number: then nothing of ours can be left.
  return leader !== undefined && leader.startTime !== id.startTime ? [] : members;
}

function signalSession({ id }: RunningProgram, signal: NodeJS.Signals): void {
  // Listed first: after a KILL of the leader nothing proves any more whose session it was.
  const elsewhere = processTable()
    .members(id.pid)
    .filter(({ group }) => group !== id.pid);
  send(-id.pid, signal);
  for (const { pid } of elsewhere) send(pid, signal);
}

function send(target: number, signal: NodeJS.Signals): void {
  try {
    process.kill(target, signal);
  } catch {
    // It has ended, or became another user's (a set-uid program): there is nothing more to do.
  }
}

function groupExists(pid: number): boolean {
  try {
    return process.kill(-pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
