import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { putFile } from "../install.ts";
import { test } from "../machine-test.ts";
import { NOT_MODELLED_CODE, NOT_MODELLED_EVENT } from "../not-modelled.ts";
import { runLine } from "../run-line.ts";

const UNKNOWN = "is not recognized as an internal or external command,\r\noperable program or batch file.\r\n";

/** Lines for one shell, each with what it prints. */
const PRINTED: readonly (readonly [string, string])[] = [
  ["echo a  b", "a  b\r\n"],
  ["echo.", "\r\n"],
  ["echo.a", "a\r\n"],
  ['echo "a" ^"b', '"a" "b\r\n'],
  ['echo %OS% "%OS%" %NOPE% ^%OS^%', 'Windows_NT "Windows_NT" %NOPE% %OS%\r\n'],
  ["cd", "C:\\Users\\operator\r\n"],
  ["(echo a) & (echo b)", "a\r\nb\r\n"],
  ["set X=1& echo [%X%]", "[%X%]\r\n"],
  ["echo [%X%]", "[1]\r\n"],
  ["ver", "\r\nMicrosoft Windows [Version 10.0.19045.5487]\r\n"],
  ["if exist C:\\WINDOWS (echo yes) else (echo no)", "yes\r\n"],
  ["if /i A==a echo same", "same\r\n"],
  ["if 10 gtr 9 (echo more)", "more\r\n"],
  ["if defined OS echo defined", "defined\r\n"],
  ["call echo twice", "twice\r\n"],
  ["echo %ERRORLEVEL%", "0\r\n"],
  ["nosuch 2>nul", ""],
  ["echo %ERRORLEVEL%", "9009\r\n"],
  ["echo a > C:\\nowhere\\x.txt", ""],
  ["echo %ERRORLEVEL%", "9009\r\n"],
  ["nosuch 2>&1", `'nosuch' ${UNKNOWN}`],
  ["nosuch 2>nul || echo or", "or\r\n"],
  ["nosuch 2>nul && echo and", ""],
  ["type nosuch.txt 2>&1", "The system cannot find the file specified.\r\n"],
  ['"no such" a 2>&1', `'"no such"' ${UNKNOWN}`],
  ["C:\\nowhere\\x.exe 2>&1", "The system cannot find the path specified.\r\n"],
  ["cd C:\\nowhere 2>&1", "The system cannot find the path specified.\r\n"],
  ["findstr x < nosuch.txt 2>&1", ""],
  ["echo a> x.txt & echo b>> x.txt", ""],
  // The blank behind the name belongs to the text.
  ["type X.TXT", "a \r\nb\r\n"],
  ["cd /d C:\\windows & cd", "C:\\windows\r\n"],
  ["cd \\ & cd", "C:\\\r\n"],
];

test("builtins print what Windows prints", async ({ machine }) => {
  const input = PRINTED.map(([line]) => `${line}\r\n`).join("");
  const { stdout } = await runLine(machine, "", { rawArguments: "", input });
  // A prompt stands before every line.
  const printed = stdout.split(/\r\nC:[^>\r]*>/).slice(1);
  expect(printed).toEqual(PRINTED.map(([line, text]) => `${line}\r\n${text}`));
});

test("codes of cmd /c", async ({ run }) => {
  const cases: readonly (readonly [string, number])[] = [
    ["exit /b 7 & echo never", 7],
    ["exit -1", 0xffffffff],
    ["exit 256", 256],
    ["nosuch", 1],
    ["nosuch & echo a", 0],
    ["exit-with 3221225477", 0xc0000005],
    ["exit-with 5 & if errorlevel 5 exit 6", 6],
    ['cmd /v:on /c "nosuch 2>nul & exit !ERRORLEVEL!"', 9009],
    ["(", 255],
  ];
  const ended = await Promise.all(cases.map(async ([line]) => [line, (await run(line)).code] as const));
  expect(Object.fromEntries(ended)).toEqual(Object.fromEntries(cases));
});

test("a program is given the rest of the line raw, without carets", async ({ run }) => {
  const argv = async (line: string): Promise<unknown> => JSON.parse((await run(line)).stdout);
  expect(await argv('argv-echo a "b c" d^&e ^"f g^"')).toEqual(["a", "b c", "d&e", "f g"]);
  expect(await argv('argv-echo "%OS%" %NOPE% "x^&y" ""')).toEqual(["Windows_NT", "%NOPE%", "x^&y", ""]);
  expect(await argv(`"C:\\Tools\\argv-echo.exe" 'a b' \\"q\\"`)).toEqual(["'a", "b'", '"q"']);
});

test("handles: files with blanks in their names, input", async ({ machine, run }) => {
  await run('echo a>"C:\\Users\\operator\\my file.txt"&echo b>>"MY file.txt"');
  expect(readFileSync(join(machine.drive, "Users/operator/my file.txt"), "utf8")).toBe("a\r\nb\r\n");
  expect((await run('findstr a < "my file.txt"')).stdout).toBe("a\r\n");
  expect((await run("findstr x", "axb\r\nc\r\n")).stdout).toBe("axb\r\n");
  expect((await run("findstr x < nosuch.txt")).stderr).toBe("The system cannot find the file specified.\r\n");
});

test("the sides of a pipe run together in shells of their own; the last one's code counts", async ({ run }) => {
  expect(await run("(echo abc& echo def) | findstr d")).toEqual({ code: 0, stdout: "def\r\n", stderr: "" });
  expect(await run("exit-with 3 | exit-with 4000000000")).toMatchObject({ code: 4_000_000_000 });
});

test("a batch file: arguments, labels, variables of its own, its code", async ({ machine, run }) => {
  const lines = [
    "@echo off",
    "setlocal",
    "set NAME=inner",
    "echo %1-%~2-%* %%NAME%% %NAME% %NOPE%.",
    "call :part x",
    "if %1==a (",
    "  echo in brackets",
    ") else (",
    "  echo never",
    ")",
    "goto end",
    "echo never",
    ":part",
    "echo part %1",
    "exit /b 0",
    ":end",
    "exit /b 42",
  ];
  putFile(machine, "C:\\Tools\\job.cmd", lines.join("\r\n"));
  const ended = await run('set NAME=outer& job a "b c"');
  expect(ended.stdout).toBe('a-b c-a "b c" %NAME% inner .\r\npart x\r\nin brackets\r\n');
  expect(ended.code).toBe(42);
  expect((await run("job a b & echo after")).stdout).toMatch(/after\r\n$/);
});

test("a batch file that does not say @echo off shows its lines", async ({ machine, run }) => {
  putFile(machine, "C:\\Tools\\loud.bat", "echo hi\r\n");
  expect((await run("loud")).stdout).toBe("\r\nC:\\Users\\operator>echo hi \r\nhi\r\n");
});

test("text is in the console's code page: what 437 lacks is lost, 65001 keeps it", async ({ machine }) => {
  const started = await runLine(machine, "echo ü€>old.txt& chcp 65001>nul & echo ü€>new.txt");
  expect(started.code).toBe(0);
  expect([...readFileSync(join(machine.drive, "Users/operator/old.txt"))]).toEqual([0x81, 0x3f, 0x0d, 0x0a]);
  expect(readFileSync(join(machine.drive, "Users/operator/new.txt"), "utf8")).toBe("ü€\r\n");
});

test("a line of more than 8191 characters is refused, one below runs", async ({ machine }) => {
  const fits = "x".repeat(8_150);
  expect((await runLine(machine, `echo ${fits}`)).stdout).toBe(`${fits}\r\n`);
  const refused = await runLine(machine, `echo ${"x".repeat(8_191)}`);
  expect(refused).toEqual({ code: 1, stdout: "", stderr: "The command line is too long.\r\n" });
});

test("a shell without a command reads its input, with a prompt before each line", async ({ machine }) => {
  const ended = await runLine(machine, "", { rawArguments: "", input: "echo a\r\nexit 5\r\n" });
  expect(ended.code).toBe(5);
  expect(ended.stdout).toContain("\r\nC:\\Users\\operator>echo a\r\na\r\n");
});

test("what is not modelled fails loudly and is written down", async ({ machine, run }) => {
  const ended = await run("for %i in (a) do echo %i");
  expect(ended).toMatchObject({
    code: NOT_MODELLED_CODE,
    stderr: "the Windows simulator does not model FOR of cmd\r\n",
  });
  expect((await run("hostname /unknown")).code).toBe(NOT_MODELLED_CODE);
  expect(machine.events(NOT_MODELLED_EVENT)).toHaveLength(2);
});

test("files: copy, move, rename, delete, folders", async ({ machine, run }) => {
  putFile(machine, "C:\\work\\a.txt", "text");
  const at = (name: string): boolean => existsSync(join(machine.drive, "work", name));
  const said = await run(
    "cd C:\\work & mkdir sub & copy a.txt sub & ren a.txt b.txt & move b.txt sub & del sub\\a.txt",
  );
  expect(said.stdout).toBe("        1 file(s) copied.\r\n        1 file(s) moved.\r\n");
  expect(["a.txt", "sub/a.txt", "sub/b.txt"].map(at)).toEqual([false, false, true]);
  expect(await run("rmdir C:\\work\\sub")).toMatchObject({ code: 145, stderr: "The directory is not empty.\r\n" });
  expect(await run("rmdir /s /q C:\\work & if not exist C:\\work echo gone")).toMatchObject({ stdout: "gone\r\n" });
  expect(await run("del nosuch.txt")).toMatchObject({ code: 0 });
});
