import { existsSync, globSync } from "node:fs";
import { basename, dirname } from "node:path";
import { realPath } from "../windows-path.ts";
import { expandDelayed } from "./delayed.ts";
import type { Interpreter } from "./interpreter.ts";
import type { IfCommand } from "./syntax.ts";

/** Whether an `if` holds (`if /?`). */
export function holds({ condition, isNegated, ignoresCase }: IfCommand, shell: Interpreter): boolean {
  const text = (value: string): string => (shell.delayedExpansion ? expandDelayed(value, shell.variables) : value);
  const found = ((): boolean => {
    switch (condition.kind) {
      case "errorlevel":
        return (shell.errorLevel | 0) >= Number(text(condition.atLeast));
      case "exist":
        return exists(text(condition.path), shell);
      case "defined":
        return shell.environment.get(text(condition.name)) !== undefined;
      case "compare":
        return compares(condition.operator, text(condition.left), text(condition.right), ignoresCase);
    }
  })();
  return found !== isNegated;
}

function exists(path: string, shell: Interpreter): boolean {
  const real = realPath(shell.program.context.folder, path, shell.cwd);
  if (real === undefined) return false;
  if (!/[*?]/.test(path)) return existsSync(real);
  return globSync(basename(real), { cwd: dirname(real) }).length > 0;
}

/** Numbers as numbers where both are, else as text. */
function compares(operator: string, left: string, right: string, ignoresCase: boolean): boolean {
  const [a, b] = ignoresCase ? [left.toLowerCase(), right.toLowerCase()] : [left, right];
  if (operator === "==") return a === b;
  const areNumbers = /^-?(0x[\da-f]+|\d+)$/i.test(a) && /^-?(0x[\da-f]+|\d+)$/i.test(b);
  const order = areNumbers ? Number(a) - Number(b) : a < b ? -1 : a > b ? 1 : 0;
  const results = {
    equ: order === 0,
    neq: order !== 0,
    lss: order < 0,
    leq: order <= 0,
    gtr: order > 0,
    geq: order >= 0,
  };
  return results[operator as keyof typeof results];
}
