import { expect, test } from "vitest";
import { readSwitches } from "./switches.ts";

const isExecutable = (name: string) => name === "C:\\Program Files\\x y.exe";

// The rule of `cmd /?`: quotes are kept only around the name of an executable file, and only without /S.
test.each([
  ['/c "echo a"', "echo a"],
  ['/c "C:\\Program Files\\x y.exe"', '"C:\\Program Files\\x y.exe"'],
  ['/s /c "C:\\Program Files\\x y.exe"', "C:\\Program Files\\x y.exe"],
  ['/c "C:\\Program Files\\not there.exe"', "C:\\Program Files\\not there.exe"],
  // Four quotes: the first and the last go, wherever they stand.
  ['/c ""C:\\Program Files\\x y.exe" "a""', '"C:\\Program Files\\x y.exe" "a"'],
  ['/c "C:\\Program Files\\x y.exe" "a"', 'C:\\Program Files\\x y.exe" "a'],
  ['/c "a" & "b"', 'a" & "b'],
  ['/c echo "a b"', 'echo "a b"'],
  ['/d /c"echo a"b', "echo ab"],
  ["/C echo /c", "echo /c"],
  ['/c ""', ""],
])("%s runs %s", (raw, command) => {
  expect(readSwitches(raw, isExecutable).command).toBe(command);
});

test("the other switches stand before /c", () => {
  expect(readSwitches("/d /e:on /v:on /s /c x /v:off", isExecutable)).toMatchObject({
    command: "x /v:off",
    delayedExpansion: true,
    extensions: true,
    staysOpen: false,
  });
  expect(readSwitches("", isExecutable)).toMatchObject({ command: undefined, staysOpen: true });
});
