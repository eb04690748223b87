import { expect, test } from "vitest";
import { startCommand } from "../runner/start-runner.ts";
import { powershellArgv, printsFalse } from "./operator-script.ts";

test("an operator's PowerShell is one encoded word", () => {
  const argv = powershellArgv("if (Test-Path 'C:\\é') { exit 0 }");
  expect(argv.slice(0, -1)).toEqual(
    "powershell -NoProfile -NonInteractive -ExecutionPolicy Bypass -EncodedCommand".split(" "),
  );
  expect(Buffer.from(argv.at(-1) ?? "", "base64").toString("utf16le")).toBe("if (Test-Path 'C:\\é') { exit 0 }");
});

test("one that no command line of Windows holds is refused", () => {
  expect(powershellArgv("x".repeat(11_990)).join(" ").length).toBeLessThan(32_767);
  expect(() => powershellArgv("x".repeat(12_010))).toThrow(expect.objectContaining({ code: "TOO_LARGE" }));
});

test("a check that prints False and exits 0 is noticed, one that fails is not", () => {
  expect(printsFalse(0, "False\r\n")).toBe(true);
  expect(printsFalse(0, " false ")).toBe(true);
  expect(printsFalse(1, "False\r\n")).toBe(false);
  expect(printsFalse(0, "True\r\n")).toBe(false);
  expect(printsFalse(0, "False alarm")).toBe(false);
  expect(printsFalse(0, "")).toBe(false);
});

test("what a host is sent first is small, and safe in every shell", () => {
  const line = startCommand();
  expect(line.length).toBeLessThan(2_000);
  expect(line).toMatch(/^[A-Za-z0-9+/= -]*$/);
});
