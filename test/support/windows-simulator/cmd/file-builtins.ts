import {
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { NotModelled } from "../not-modelled.ts";
import { realPath, wholePath, windowsPath } from "../windows-path.ts";
import { batchWords } from "./batch.ts";
import type { Interpreter } from "./interpreter.ts";

const NO_FILE = "The system cannot find the file specified.";
const NO_PATH = "The system cannot find the path specified.";

type FileBuiltin = (rest: string, shell: Interpreter) => number;

/** Builtins that touch files. */
export const FILE_BUILTINS: Readonly<Record<string, FileBuiltin>> = {
  copy,
  del: remove,
  dir,
  erase: remove,
  md: makeFolder,
  mkdir: makeFolder,
  move,
  rd: removeFolder,
  ren: rename,
  rename,
  rmdir: removeFolder,
  type,
};

function type(rest: string, shell: Interpreter): number {
  const { words } = read(rest, "", shell, "type");
  if (words.length === 0) return said(shell, "The syntax of the command is incorrect.");
  for (const word of words) {
    const path = real(word, shell);
    if (!existsSync(path)) return said(shell, existsSync(dirname(path)) ? NO_FILE : NO_PATH);
    if (statSync(path).isDirectory()) return said(shell, "Access is denied.");
    if (words.length > 1) shell.out(`\r\n${word}\r\n\r\n\r\n`);
    // Bytes as they are, whatever the code page.
    shell.outBytes(readFileSync(path));
  }
  return 0;
}

function dir(rest: string, shell: Interpreter): number {
  const { words, flags } = read(rest, "ab", shell, "dir");
  const [word = "."] = words;
  const path = real(word, shell);
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  const folder = isFolder ? path : dirname(path);
  if (!existsSync(folder)) return said(shell, flags.has("b") ? "File Not Found" : NO_PATH);
  const names = (isFolder ? readdirSync(folder) : matches(path)).toSorted((a, b) =>
    a.toLowerCase() < b.toLowerCase() ? -1 : 1,
  );
  if (flags.has("b")) {
    if (names.length === 0 && !isFolder) return said(shell, "File Not Found");
    for (const name of names) shell.out(`${name}\r\n`);
    return 0;
  }
  shell.out(` Volume in drive C has no label.\r\n Volume Serial Number is 5A1D-0C0D\r\n\r\n`);
  shell.out(` Directory of ${windowsPath(shell.program.context.folder, folder)}\r\n\r\n`);
  if (names.length === 0) return said(shell, "File Not Found");
  list(folder, names, shell);
  return 0;
}

function list(folder: string, names: readonly string[], shell: Interpreter): void {
  const stats = names.map((name) => ({ name, stat: statSync(join(folder, name)) }));
  for (const { name, stat } of stats) {
    const when = stat.mtime.toISOString();
    const date = `${when.slice(5, 7)}/${when.slice(8, 10)}/${when.slice(0, 4)}  ${when.slice(11, 16)}`;
    const size = stat.isDirectory() ? "<DIR>         " : stat.size.toLocaleString("en-US").padStart(14);
    shell.out(`${date}    ${stat.isDirectory() ? size.padEnd(14) : size} ${name}\r\n`);
  }
  const files = stats.filter(({ stat }) => stat.isFile());
  const bytes = files.reduce((sum, { stat }) => sum + stat.size, 0);
  shell.out(`${String(files.length).padStart(16)} File(s) ${bytes.toLocaleString("en-US").padStart(14)} bytes\r\n`);
  shell.out(`${String(stats.length - files.length).padStart(16)} Dir(s)  10,000,000,000 bytes free\r\n`);
}

/** A missing file is said but is no failure. */
function remove(rest: string, shell: Interpreter): number {
  const { words } = read(rest, "fq", shell, "del");
  for (const word of words) {
    const path = real(word, shell);
    const found = matches(path).map((name) => join(dirname(path), name));
    if (found.length === 0) shell.out(`Could Not Find ${wholePath(word, shell.cwd)}\r\n`);
    for (const file of found) if (statSync(file).isFile()) rmSync(file);
  }
  return 0;
}

function makeFolder(rest: string, shell: Interpreter): number {
  const { words } = read(rest, "", shell, "mkdir");
  for (const word of words) {
    const path = real(word, shell);
    if (existsSync(path)) return said(shell, `A subdirectory or file ${word} already exists.`);
    mkdirSync(path, { recursive: true });
  }
  return 0;
}

function removeFolder(rest: string, shell: Interpreter): number {
  const { words, flags } = read(rest, "sq", shell, "rmdir");
  for (const word of words) {
    const path = real(word, shell);
    if (!existsSync(path)) return said(shell, NO_FILE, 2);
    if (flags.has("s")) rmSync(path, { recursive: true });
    else if (readdirSync(path).length > 0) return said(shell, "The directory is not empty.", 145);
    else rmdirSync(path);
  }
  return 0;
}

function copy(rest: string, shell: Interpreter): number {
  const { words } = read(rest, "yb", shell, "copy");
  const [from, to = "."] = words;
  if (from === undefined || from.includes("+")) throw new NotModelled(`copy ${rest.trim()}`);
  const source = real(from, shell);
  if (!existsSync(source)) {
    shell.fail(NO_FILE);
    return said(shell, "        0 file(s) copied.");
  }
  const target = into(real(to, shell), source);
  if (!existsSync(dirname(target))) return said(shell, `${NO_PATH}\r\n        0 file(s) copied.`);
  copyFileSync(source, target);
  shell.out("        1 file(s) copied.\r\n");
  return 0;
}

function move(rest: string, shell: Interpreter): number {
  const { words } = read(rest, "y", shell, "move");
  const [from, to] = words;
  if (from === undefined || to === undefined) return said(shell, "The syntax of the command is incorrect.");
  const source = real(from, shell);
  if (!existsSync(source)) return said(shell, NO_FILE);
  renameSync(source, into(real(to, shell), source));
  shell.out("        1 file(s) moved.\r\n");
  return 0;
}

function rename(rest: string, shell: Interpreter): number {
  const [from, to] = read(rest, "", shell, "ren").words;
  if (from === undefined || to === undefined) return said(shell, "The syntax of the command is incorrect.");
  const source = real(from, shell);
  if (!existsSync(source)) return said(shell, NO_FILE);
  const target = join(dirname(source), to);
  if (existsSync(target)) return said(shell, "A duplicate file name exists, or the file\r\ncannot be found.");
  renameSync(source, target);
  return 0;
}

/** Words and flags; a flag that is not among the known ones is an error of the test. */
function read(
  rest: string,
  known: string,
  _shell: Interpreter,
  name: string,
): { readonly words: readonly string[]; readonly flags: ReadonlySet<string> } {
  const flags = new Set<string>();
  const bare = rest.replaceAll(/"[^"]*"|\/([a-z])(:?[-a-z]*)/gi, (text, flag?: string, value?: string) => {
    if (flag === undefined) return text;
    if (!known.includes(flag.toLowerCase()) || (value ?? "") !== "") throw new NotModelled(`${name} ${text} of cmd`);
    flags.add(flag.toLowerCase());
    return " ";
  });
  return { words: batchWords(bare).map((word) => word.replaceAll('"', "")), flags };
}

function real(word: string, shell: Interpreter): string {
  const path = realPath(shell.program.context.folder, word, shell.cwd);
  if (path === undefined) throw new NotModelled(`the drive of ${word}`);
  return path;
}

function into(target: string, source: string): string {
  return statSync(target, { throwIfNoEntry: false })?.isDirectory() ? join(target, basename(source)) : target;
}

/** Names that a path with `*` and `?` stands for. */
function matches(path: string): readonly string[] {
  if (!/[*?]/.test(basename(path))) return existsSync(path) ? [basename(path)] : [];
  if (!existsSync(dirname(path))) return [];
  const pattern = basename(path) === "*.*" ? "*" : basename(path);
  return globSync(pattern, { cwd: dirname(path) });
}

function said(shell: Interpreter, message: string, code = 1): number {
  shell.fail(message, code);
  return code;
}
