import { readFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "../support/until.ts";
import { jobIn, type Show } from "./show.ts";

/** A part of the demonstration, and of the acceptance test. They build on each other. */
export interface Act {
  readonly title: string;
  readonly needsChromium?: boolean;
  readonly play: (show: Show) => Promise<void>;
}

const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47]);

/** In this order. */
export const ACTS: readonly Act[] = [
  {
    title: "a command over SSH, here and now",
    play: async (show) => {
      const { stdout } = await show.type(`win-automation windows exec --raw -- "echo ok"`, { says: "ok" });
      show.check("and not a byte more than the command wrote", stdout === "ok\r\n", JSON.stringify(stdout));
    },
  },
  { title: "commands from the queue, and a worker that takes them", play: queued },
  { title: "a command that is cancelled ends on the machine, not only here", play: cancelled },
  {
    title: "Aloha does a task on the desktop; how it ended is kept",
    play: async (show) => {
      await using _worker = await serving(show, "worker-aloha");
      const id = await enqueue(show, `aloha.run --task "open the calculator" --timeout 30s`);
      await show.type(`win-automation jobs wait ${id}`, { says: "state=completed" });
      await show.type(`win-automation artifacts list ${id}`, { says: "aloha/response.json" });
    },
  },
  {
    title: "a real browser: the server is installed, a page is opened, its picture kept",
    needsChromium: true,
    play: browsed,
  },
  {
    title: "somebody stops the browser server's task; one pass of the supervisor repairs it",
    needsChromium: true,
    play: repaired,
  },
  { title: "kill -9 of a worker in the middle of a command", play: killed },
  {
    title: "a check that keeps failing opens its breaker",
    play: async (show) => {
      await show.type(
        "WIN_AUTOMATION_SUPERVISOR_FAILPOINT=aloha_server win-automation supervisor run --once --debug | grep circuit_breaker=open",
        { says: "component=aloha_server" },
      );
    },
  },
];

async function queued(show: Show): Promise<void> {
  const first = await enqueue(show, `windows.exec --cmd "echo" --arg "HELLO" --timeout 30s`);
  const second = await enqueue(show, `windows.exec --cmd "echo OK"`);
  await using _worker = await serving(show, "worker-1");
  await show.type(`win-automation jobs wait ${first} ${second}`);
  await show.type(`win-automation jobs status ${first}`, { says: "state=completed" });
  await show.type(`win-automation jobs status ${second}`, { says: "state=completed" });
  await show.type(`win-automation jobs logs ${first}`, { says: "HELLO" });
}

async function cancelled(show: Show): Promise<void> {
  await using _worker = await serving(show, "worker-2");
  const id = await enqueue(show, `windows.exec --cmd "ping -n 5 127.0.0.1"`);
  await pings(show, 1);
  await show.type(`win-automation jobs cancel ${id}`, { says: "state=cancelled" });
  await show.type(`win-automation jobs status ${id}`, { says: "state=cancelled" });
  nothingRuns(show);
}

async function browsed(show: Show): Promise<void> {
  await show.type("win-automation playwright install", { says: "state=installed" });
  const { stdout } = await show.type(`win-automation playwright run --url ${show.stage.pageUrl} --screenshot`, {
    says: "state=completed",
  });
  const root = /artifact_root=(\S+)/.exec(stdout)?.[1] ?? "";
  const picture = join(show.stage.folder, "artifacts", root.split("/").at(-1) ?? "", "playwright/screenshot.png");
  show.check(`${picture} is a picture`, readFileSync(picture).subarray(0, 4).equals(PNG));
}

async function repaired(show: Show): Promise<void> {
  await show.type("win-automation windows exec --raw -- schtasks /End /TN WinAutomation-Playwright", {
    says: "SUCCESS",
  });
  await show.type("win-automation playwright health", { status: 3, says: "state=error" });
  // A busy machine needs more than three looks until its browser answers.
  await show.type("WIN_AUTOMATION_SUPERVISOR_THRESHOLD=50 win-automation supervisor run --once", {
    says: "remedy=start_task remedy_state=remediated",
  });
  await show.type("win-automation playwright health", { says: "state=ok" });
}

/** One job says what cannot be known; the other has a check that can tell, and goes on by it. */
async function killed(show: Show): Promise<void> {
  const check = `--idempotent-check "if (Test-Path 'C:\\\\done.txt') { exit 0 } else { exit 1 }"`;
  const first = await serving(show, "worker-killed");
  const blind = await enqueue(show, `windows.exec --cmd "ping -n 60 127.0.0.1"`);
  const seeing = await enqueue(show, `windows.exec --cmd "ping -n 60 localhost" ${check}`);
  await pings(show, 2);
  show.stage.windows.putFile("C:\\done.txt", "by somebody else");
  show.tell(`kill -9 ${first.pid}`);
  await first.kill("SIGKILL");
  await until(() => show.stage.windows.processes("ping.exe").length === 0 || undefined, {
    what: "the commands are gone",
  });
  nothingRuns(show);
  await using _worker = await serving(show, "worker-after");
  await show.type(`win-automation jobs wait ${blind} ${seeing}`, { status: 1 });
  await show.type(`win-automation jobs status ${blind}`, { says: "outcome=unknown" });
  await show.type(`win-automation jobs status ${seeing}`, { says: "outcome=skipped" });
  await show.type(`win-automation jobs logs ${blind}`, { says: "lease.reclaimed" });
}

async function enqueue(show: Show, words: string): Promise<string> {
  return jobIn(await show.type(`win-automation jobs enqueue --type ${words}`, { says: "state=queued" }));
}

async function serving(show: Show, name: string) {
  show.tell("win-automation worker &");
  const worker = await show.stage.worker(name);
  return Object.assign(worker, { [Symbol.asyncDispose]: () => worker.kill("SIGTERM") });
}

async function pings(show: Show, count: number): Promise<void> {
  await until(() => show.stage.windows.processes("ping.exe").length === count || undefined, {
    what: `${count} commands run on the machine`,
    withinMs: 30_000,
  });
}

function nothingRuns(show: Show): void {
  const left = show.stage.windows.processes("ping.exe");
  show.check("nothing of it runs on the machine any more", left.length === 0, JSON.stringify(left));
}
