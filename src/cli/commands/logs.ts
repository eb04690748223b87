import type { Backend } from "../../backend/backend.ts";
import { historyLine, readHistory } from "../../operations/jobs/logs.ts";
import type { OutputFile } from "../../operations/jobs/output-files.ts";
import type { Call } from "../command.ts";
import { followOutput, readOutput } from "../follow-output.ts";
import { LineSplitter } from "../line-splitter.ts";
import type { Overlay } from "../operation-command.ts";
import { renderLines } from "../render.ts";
import { neutralise, style, type Terminal } from "../terminal.ts";

/** `jobs logs`: the history and the output of a job, with -f until it has ended. */
export const logsOverlay: Overlay = {
  flags: [
    {
      name: "follow",
      short: "f",
      kind: "boolean",
      description: "Goes on until the job has ended and shows its output as it comes.",
    },
  ],
  async run(call, { input, perform, finish }) {
    const output = await perform(input);
    const follows = call.values.get("follow") === true;
    if (call.globals.json && !follows) return finish(output);
    await show(call, String(input["id"]), follows);
    return call.globals.json ? finish(await perform(input)) : 0;
  },
};

async function show(call: Call, jobId: string, follows: boolean): Promise<void> {
  const { session, terminal, globals } = call;
  const { backend } = await session.open("read", false);
  const history = new HistoryPrinter(backend, jobId, globals.json ? undefined : terminal);
  await history.print();
  const writers = lineWriters(globals.json ? undefined : terminal);
  const look = follows ? followOutput : readOutput;
  await look({
    backend,
    jobId,
    environment: process.env,
    signal: AbortSignal.any([session.context().signal, terminal.closed]),
    onChange: () => history.print(),
    onHidden: (missing) =>
      call.log.warn(
        "jobs.logs",
        "the output may hold secrets that are not set here; it is shown when the job has ended",
        {
          job_id: jobId,
          missing: missing.join(","),
        },
      ),
    write: async (stream, bytes) => writers[stream].push(bytes),
  }).catch((error: unknown) => {
    // The reader went away (`| head`): nothing is left to do.
    if (!terminal.closed.aborted) throw error;
  });
  for (const writer of Object.values(writers)) writer.flush();
  await history.print();
}

/** Prints every row of the history once, in the order in which they become known. */
class HistoryPrinter {
  readonly #backend: Pick<Backend, "history">;
  readonly #jobId: string;
  readonly #terminal: Terminal | undefined;
  readonly #printed = new Set<string>();

  constructor(backend: Pick<Backend, "history">, jobId: string, terminal: Terminal | undefined) {
    this.#backend = backend;
    this.#jobId = jobId;
    this.#terminal = terminal;
  }

  async print(): Promise<void> {
    if (this.#terminal === undefined) return;
    const rows = await readHistory(this.#backend, this.#jobId);
    const fresh = rows.filter(({ at, run, event, data }) => {
      // Its facts grow when an attempt ends; the move itself is the same.
      const key = `${run} ${at} ${event} ${String(data["position"] ?? "")}`;
      return !this.#printed.has(key) && this.#printed.add(key);
    });
    for (const row of fresh) this.#terminal.out(renderHistory(row, this.#terminal));
  }
}

function renderHistory(row: Parameters<typeof historyLine>[0], terminal: Terminal): string {
  if (!terminal.isPerson) return renderLines([historyLine(row)], terminal);
  const { at: _at, run: _run, event: _event, ...data } = historyLine(row);
  const facts = Object.entries(data).map(([key, value]) => `${key}=${textOf(value)}`);
  return `${style(terminal, "dim", `${row.at}  ${row.event.padEnd(18)} ${neutralise(facts.join(" "))}`)}\n`;
}

function textOf(value: unknown): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

type Writers = Readonly<Record<OutputFile["stream"], LineSplitter>>;

/** For a person the lines as they are, made harmless; else pairs, so that they are told from the history. */
function lineWriters(terminal: Terminal | undefined): Writers {
  const writer = (stream: OutputFile["stream"], colour?: "yellow" | "dim"): LineSplitter =>
    new LineSplitter((text) => {
      if (terminal === undefined) return;
      if (!terminal.isPerson) terminal.out(renderLines([{ stream, text }], terminal));
      else terminal.out(`${colour === undefined ? neutralise(text) : style(terminal, colour, neutralise(text))}\n`);
    });
  return { stdout: writer("stdout"), stderr: writer("stderr", "yellow"), log: writer("log", "dim") };
}
