// The directions of docs/architecture.md as rules. `node tools/check-layers.mjs` runs them.
import ts from "typescript";

// With the native compiler alone dependency-cruiser sees no module and reports success.
if (!ts.version?.startsWith("6.")) throw new Error("needs the TypeScript 6 API");

/** Each row may import every row above it; inside a row only what INSIDE allows. */
const ROWS = [
  ["job", "schedule", "policy"],
  ["config", "database"],
  ["artifact", "approval", "attempt"],
  ["backend"],
  ["host", "job-type"],
  ["supervisor", "doctor", "tree", "cast"],
  ["operations"],
];
const INSIDE = { policy: ["job"], attempt: ["artifact", "approval"], "job-type": ["host"] };
const SURFACES = ["cli", "http", "mcp", "tui"];

/** Stands on windlass.ts; index.ts says which of it is public. */
const LIBRARY = "library";

/** The folders of the embedded backend, by the same rule: each row may import every row above it. */
const EMBEDDED_ROWS = [
  ["rows"],
  ["lease", "files", "waking"],
  ["reading", "queue"],
  ["events", "ending"],
  ["approvals"],
  ["accepting"],
  ["durable"],
  ["attempts", "due", "retention"],
  ["running"],
  ["worker"],
];

export const EMBEDDED_FOLDERS = EMBEDDED_ROWS.flat();
export const FOLDERS = [...ROWS.flat(), ...SURFACES, LIBRARY];
export const LOOSE_FILES = [
  ...["error", "id", "duration", "clock", "redact", "logfmt"].map((noun) => `${noun}.ts`),
  ...["windlass.ts", "index.ts", "bin.ts"],
];

const NOUNS = "^src/(error|id|duration|clock|redact|logfmt)\\.ts$";
const WINDLASS = "^src/windlass\\.ts$";
const CONTRACT = "^src/backend/[^/]+\\.ts$";
/** These stand on its rows, and every other folder may use them. */
const EMBEDDED_LOOSE = "^src/backend/embedded/(policy-log|schedule-store|schedules|user-transaction)\\.ts$";
const OUTSIDE_EMBEDDED = "^src/(?!backend/embedded/)";
const TESTS = "\\.test\\.ts$";
const PURE = ["^src/(job|schedule|policy)/", "/decide[^/]*\\.ts$", "/model/"];
const PURE_MAY_USE = [...PURE, "^src/(error|id|duration)\\.ts$", "node_modules/zod/"];

const folder = (name) => `^src/${name}/`;

/** Whatever `from` imports inside src/ must match one of `allowed`. */
const only = (name, from, allowed) => ({
  name,
  severity: "error",
  from: { path: from, pathNot: TESTS },
  to: { path: "^src/", pathNot: allowed },
});

const folderRules = ROWS.flatMap((row, index) =>
  row.map((name) => {
    const left = ROWS.slice(0, index).flat();
    return only(`layer-${name}`, folder(name), [...[name, ...left, ...(INSIDE[name] ?? [])].map(folder), NOUNS]);
  }),
);
const embeddedFolder = (name) => folder(`backend/embedded/${name}`);
const embeddedRules = EMBEDDED_ROWS.flatMap((row, index) =>
  row.map((name) => {
    const below = [name, ...EMBEDDED_ROWS.slice(0, index).flat()].map(embeddedFolder);
    const loose = index === 0 ? [] : [EMBEDDED_LOOSE];
    return only(`embedded-${name}`, embeddedFolder(name), [...below, ...loose, OUTSIDE_EMBEDDED]);
  }),
);
const surfaceRules = SURFACES.map((name) =>
  only(`layer-${name}`, folder(name), [...[name, ...ROWS.flat()].map(folder), NOUNS, WINDLASS]),
);

export default {
  forbidden: [
    ...folderRules,
    ...surfaceRules,
    ...embeddedRules,
    only("embedded-loose", EMBEDDED_LOOSE, [EMBEDDED_LOOSE, embeddedFolder("rows"), OUTSIDE_EMBEDDED]),
    only("layer-nouns", NOUNS, [NOUNS]),
    only("layer-windlass", WINDLASS, [...ROWS.flat().map(folder), NOUNS]),
    only(`layer-${LIBRARY}`, folder(LIBRARY), [...[LIBRARY, ...ROWS.flat()].map(folder), NOUNS, WINDLASS]),
    only("layer-index", "^src/index\\.ts$", [
      ...["job", "schedule", "policy", "job-type", "config", LIBRARY].map(folder),
      ...[CONTRACT, NOUNS, WINDLASS],
    ]),
    // The contract is written once; windlass.ts chooses who keeps it.
    only("contract-knows-no-backend", CONTRACT, [CONTRACT, "^src/(?!backend/)"]),
    only("embedded-knows-no-hatchet", "^src/backend/embedded/", ["^src/(?!backend/hatchet/)"]),
    only("hatchet-knows-no-embedded", "^src/backend/hatchet/", ["^src/(?!backend/embedded/)"]),
    {
      name: "bin-imports-only-cli",
      comment: "bin.ts checks the Node version before anything else is read",
      severity: "error",
      from: { path: "^src/bin\\.ts$" },
      to: { pathNot: folder("cli") },
    },
    {
      name: "bin-imports-dynamically",
      severity: "error",
      from: { path: "^src/bin\\.ts$" },
      to: { dynamic: false },
    },
    {
      name: "pure-folders",
      comment: "time, ids and random numbers are arguments; no node: module, no other library than zod",
      severity: "error",
      from: { path: PURE, pathNot: [TESTS, "^src/schedule/"] },
      to: { pathNot: PURE_MAY_USE },
    },
    {
      name: "pure-schedule",
      comment: "as pure-folders, and croner reads the cron lines",
      severity: "error",
      from: { path: "^src/schedule/", pathNot: TESTS },
      to: { pathNot: [...PURE_MAY_USE, "node_modules/croner/"] },
    },
    {
      name: "source-imports-no-test",
      severity: "error",
      from: { path: "^src/", pathNot: TESTS },
      to: { path: ["^(test|bench|tools|web)/", TESTS] },
    },
    { name: "no-cycle", severity: "error", from: {}, to: { circular: true } },
    { name: "no-missing-file", severity: "error", from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    parser: "tsc",
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "types", "default"] },
  },
};
