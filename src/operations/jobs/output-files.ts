/** A file of an attempt that holds output of the job itself. */
export interface OutputFile {
  readonly stream: "stdout" | "stderr" | "log";
  /** Relative to the attempt's folder, and to the run's where it is kept. */
  readonly path: string;
}

/** What a handler logs; every type may. */
const LOG: OutputFile = { stream: "log", path: "job.log" };

/** The output of types that run programs. */
const STREAMS: Readonly<Record<string, readonly OutputFile[]>> = {
  exec: [
    { stream: "stdout", path: "exec/stdout.txt" },
    { stream: "stderr", path: "exec/stderr.txt" },
  ],
  "windows.exec": [
    { stream: "stdout", path: "ssh/stdout.txt" },
    { stream: "stderr", path: "ssh/stderr.txt" },
  ],
};

/** The files of a job type that hold its own output and may be followed while it runs. */
export function outputFiles(type: string): readonly OutputFile[] {
  return [...(Object.hasOwn(STREAMS, type) ? (STREAMS[type] ?? []) : []), LOG];
}
