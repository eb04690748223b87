import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ProcessContext } from "./process-context.ts";

/** The upper half of code page 437, https://www.unicode.org/Public/MAPPINGS/VENDORS/MICSFT/PC/CP437.TXT. */
const UPPER_437 =
  "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0";

const BYTES_437 = new Map([...UPPER_437].map((char, index) => [char, 0x80 + index]));

export const CODE_PAGES: readonly number[] = [437, 65_001];

type Owner = Pick<ProcessContext, "folder" | "job">;

/** The code page that a process's console has been given; `undefined` while it has that of the machine. */
export function consoleCodePage(owner: Owner): number | undefined {
  try {
    return Number(readFileSync(codePageFile(owner), "utf8"));
  } catch {
    return undefined;
  }
}

/** As `SetConsoleOutputCP`: for all processes of the console (here: of the job). */
export function setConsoleCodePage(owner: Owner, codePage: number): void {
  writeFileSync(codePageFile(owner), String(codePage));
}

function codePageFile({ folder, job }: Owner): string {
  return join(folder, "consoles", job);
}

/** Text as a console program writes it; in code page 437 what the page lacks becomes `?`. */
export function encodeText(text: string, owner: Owner, machineCodePage: () => number): Buffer {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: plain ASCII is the same in every code page
  if (/^[\x00-\x7f]*$/.test(text)) return Buffer.from(text, "latin1");
  return encodeIn(text, consoleCodePage(owner) ?? machineCodePage());
}

export function encodeIn(text: string, codePage: number): Buffer {
  if (codePage === 65_001) return Buffer.from(text, "utf8");
  if (codePage !== 437) throw new Error(`the simulator knows code pages ${CODE_PAGES.join(" and ")}, not ${codePage}`);
  return Buffer.from([...text].map((char) => BYTES_437.get(char) ?? asciiOr(char, 0x3f)));
}

/** Bytes of a batch file or of a program's output as text. */
export function decodeIn(bytes: Uint8Array, codePage: number): string {
  if (codePage === 65_001) return new TextDecoder().decode(bytes);
  return [...bytes].map((byte) => (byte < 0x80 ? String.fromCharCode(byte) : UPPER_437.charAt(byte - 0x80))).join("");
}

function asciiOr(char: string, otherwise: number): number {
  const code = char.codePointAt(0) ?? otherwise;
  return code < 0x80 ? code : otherwise;
}
