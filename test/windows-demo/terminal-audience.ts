import type { Audience } from "./show.ts";

const SHOWN_LINES = 8;
/** Of a line that came back: what does not fit on two lines of the terminal is in the evidence. */
const COLUMNS = 120;
const CODES = { good: "\u001b[32m", bad: "\u001b[31m", typed: "\u001b[1m", quiet: "\u001b[2m" } as const;
const RESET = "\u001b[0m";

/** Lines as on a terminal: what was typed, what came back, and the verdict. */
export function terminalAudience(out: NodeJS.WriteStream): Audience & { say(line: string): void } {
  const hasColour = out.isTTY && !process.env["NO_COLOR"];
  const paint = (code: keyof typeof CODES, text: string): string =>
    hasColour ? `${CODES[code]}${text}${RESET}` : text;
  const say = (line: string): void => void out.write(`${line}\n`);
  return {
    say,
    typed: (line) => say(`   $ ${paint("typed", line)}`),
    answered: (text) => {
      const lines = text.replaceAll("\r", "").trimEnd().split("\n");
      for (const line of lines.slice(0, SHOWN_LINES))
        say(`     ${paint("quiet", clip(line, 2 * (out.columns ?? COLUMNS) - 12))}`);
      if (lines.length > SHOWN_LINES) say(`     ${paint("quiet", `… ${lines.length - SHOWN_LINES} more lines`)}`);
    },
    verdict: (isGood, fact) => say(`   ${isGood ? paint("good", "ok  ") : paint("bad", "FAIL")} ${fact}`),
  };
}

function clip(line: string, columns: number): string {
  return line.length <= columns ? line : `${line.slice(0, columns - 1)}…`;
}
