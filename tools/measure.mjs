// The scorecard of src/ (tests apart). `npm run measure` prints it; `-- --long` also names the longest files and functions.
import { globSync, readFileSync } from "node:fs";
import { cruise } from "dependency-cruiser";
import ts from "typescript";
import layers from "../.dependency-cruiser.mjs";

const FUNCTION_LINES_MAX = 60;

const files = globSync("src/**/*.ts").sort();
const sources = files.filter((file) => !file.endsWith(".test.ts"));
const tests = [...files.filter((file) => file.endsWith(".test.ts")), ...globSync("test/**/*.ts")];
const fileLines = sources.map((name) => ({ name, lines: countLines(name) }));
const found = { functions: [], anys: [], throws: [] };
for (const name of sources) inspect(name, found);

const sourceLines = sum(fileLines);
const testLines = sum(tests.map((name) => ({ lines: countLines(name) })));
const overlong = found.functions.filter(({ lines }) => lines > FUNCTION_LINES_MAX);
const exported = publicExports();
const cycles = await filesInCycles();

const rows = [
  ["files", sources.length],
  ["file lines, median / p90 / max", quantiles(fileLines, [0.5, 0.9, 1])],
  ["functions (with a block body)", found.functions.length],
  ["function lines, median / p90 / max", quantiles(found.functions, [0.5, 0.9, 1])],
  [`functions over ${FUNCTION_LINES_MAX} lines`, overlong.length],
  ["files in cycles (type imports too)", cycles.length],
  ["any", found.anys.length],
  ["bare throw new Error", found.throws.length],
  ["documented public exports", `${exported.documented} of ${exported.all}`],
  ["source lines", sourceLines],
  ["test lines", testLines],
  ["test : source", (testLines / Math.max(1, sourceLines)).toFixed(2)],
];
const width = Math.max(...rows.map(([label]) => label.length));
for (const [label, value] of rows) console.log(`${label.padEnd(width)}  ${value}`);

list("in a cycle", cycles);
list("any", found.anys);
list("bare throw new Error", found.throws);
list("undocumented export", exported.undocumented);
list(`over ${FUNCTION_LINES_MAX} lines`, overlong.map(describe));
if (process.argv.includes("--long")) {
  list("long file", longest(fileLines).map(describe));
  list("long function", longest(found.functions).map(describe));
}

function inspect(file, into) {
  const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true);
  const lineOf = (position) => source.getLineAndCharacterOfPosition(position).line + 1;
  const visit = (node) => {
    const first = lineOf(node.getStart(source));
    const at = `${file}:${first}`;
    if (ts.isFunctionLike(node) && node.body !== undefined && ts.isBlock(node.body)) {
      into.functions.push({ name: `${at} ${nameOf(node)}`, lines: lineOf(node.getEnd()) - first + 1 });
    }
    if (node.kind === ts.SyntaxKind.AnyKeyword) into.anys.push(at);
    if (isBareThrow(node)) into.throws.push(at);
    ts.forEachChild(node, visit);
  };
  visit(source);
}

function nameOf(node) {
  const named =
    node.name ??
    (ts.isVariableDeclaration(node.parent) || ts.isPropertyAssignment(node.parent) ? node.parent.name : undefined);
  return named?.getText() ?? (ts.isConstructorDeclaration(node) ? "constructor" : "(unnamed)");
}

function isBareThrow(node) {
  if (!ts.isThrowStatement(node)) return false;
  const { expression } = node;
  return (
    (ts.isNewExpression(expression) || ts.isCallExpression(expression)) && expression.expression.getText() === "Error"
  );
}

function publicExports() {
  const { config } = ts.readConfigFile("tsconfig.json", ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ".");
  const program = ts.createProgram(["src/index.ts"], options);
  const checker = program.getTypeChecker();
  const index = program.getSourceFile("src/index.ts");
  const module = index === undefined ? undefined : checker.getSymbolAtLocation(index);
  const symbols = module === undefined ? [] : checker.getExportsOfModule(module);
  const undocumented = symbols.filter((symbol) => {
    const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    return target.getDocumentationComment(checker).length === 0;
  });
  return {
    all: symbols.length,
    documented: symbols.length - undocumented.length,
    undocumented: undocumented.map((symbol) => symbol.name),
  };
}

async function filesInCycles() {
  const { output } = await cruise(["src"], {
    ...layers.options,
    ruleSet: { forbidden: [{ name: "no-cycle", severity: "error", from: {}, to: { circular: true } }] },
    validate: true,
  });
  return output.modules
    .filter((module) => module.dependencies.some((to) => to.circular))
    .map((module) => module.source);
}

function quantiles(items, shares) {
  const sorted = items.map(({ lines }) => lines).sort((a, b) => a - b);
  return shares.map((share) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0).join(" / ");
}

function countLines(file) {
  const text = readFileSync(file, "utf8");
  return text === "" ? 0 : text.replace(/\n$/, "").split("\n").length;
}

function sum(items) {
  return items.reduce((total, { lines }) => total + lines, 0);
}

function longest(items) {
  return items.toSorted((a, b) => b.lines - a.lines).slice(0, 10);
}

function describe({ name, lines }) {
  return `${name}: ${lines} lines`;
}

function list(label, items) {
  for (const item of items) console.log(`  ${label}: ${item}`);
}
