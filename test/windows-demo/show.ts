import type { Finished } from "../support/cli.ts";
import type { Stage } from "./stage.ts";

/** What a typed line has to bring. */
export interface Wanted {
  /** Its exit code; default 0. */
  readonly status?: number;
  /** What standard output or standard error says. */
  readonly says?: string;
}

/** Where the demonstration speaks to; the tests have a silent one. */
export interface Audience {
  typed(line: string): void;
  answered(text: string): void;
  verdict(isGood: boolean, fact: string): void;
}

/** One run: types lines, and holds what came back against what is promised. */
export class Show {
  readonly stage: Stage;
  /** What was not so. */
  readonly failures: string[] = [];
  readonly #audience: Audience;

  constructor(stage: Stage, audience: Audience) {
    this.stage = stage;
    this.#audience = audience;
  }

  /** Types a line and judges what came back. */
  async type(line: string, { status = 0, says = "" }: Wanted = {}): Promise<Finished> {
    this.#audience.typed(line);
    const done = await this.stage.line(line);
    const text = `${done.stdout}${done.stderr}`;
    this.#audience.answered(text);
    const fact = says === "" ? `exit ${status}` : `${says}, exit ${status}`;
    this.#judge(done.status === status && text.includes(says), fact, { line, text: `${text}exit ${done.status}` });
    return done;
  }

  /** Says what was done beside the lines. */
  tell(what: string): void {
    this.#audience.typed(what);
  }

  /** Judges a fact that no line shows. */
  check(fact: string, isSo: boolean, seen: unknown = ""): void {
    this.#judge(isSo, fact, { line: "", text: String(seen) });
  }

  #judge(isGood: boolean, fact: string, { line, text }: { readonly line: string; readonly text: string }): void {
    this.#audience.verdict(isGood, fact);
    if (!isGood) this.failures.push(`${fact}: ${line}\n${text}`);
  }
}

/** The id of the job that an answer names. */
export function jobIn({ stdout }: Finished): string {
  return /job_id=([0-9a-f-]{36})/.exec(stdout)?.[1] ?? "no-job";
}
