import { CODE_PAGES, consoleCodePage, setConsoleCodePage } from "../console.ts";
import { NotModelled } from "../not-modelled.ts";
import type { Program } from "../program.ts";

/** `chcp [CODE PAGE]`: for all programs of the console. */
export function main(program: Program): number {
  const [wanted] = program.args;
  if (wanted === undefined) {
    program.line(`Active code page: ${consoleCodePage(program.context) ?? program.machine.settings.codePage}`);
    return 0;
  }
  const codePage = Number(wanted);
  if (!Number.isInteger(codePage)) {
    program.line(`Parameter format not correct - ${wanted}`);
    return 1;
  }
  if (!CODE_PAGES.includes(codePage)) throw new NotModelled(`code page ${wanted}`);
  setConsoleCodePage(program.context, codePage);
  program.line(`Active code page: ${wanted}`);
  return 0;
}
