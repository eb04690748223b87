// What the tests left out, at the end of every run: one line for each reason (what is missing and how to get it, which a
// test says with `skip("...")`). Where CI=true the run fails when a skipped test is not listed in test/skipped.json or
// when a listed name is no test any more. A run that executed no test fails everywhere.
// With CHECK_TALLY=FILE it adds the line "tests PASSED FAILED" to FILE.
import { appendFileSync, existsSync, readFileSync } from "node:fs";

/** @implements {import("vitest/node").Reporter} */
export default class TestReporter {
  #vitest;

  onInit(vitest) {
    this.#vitest = vitest;
  }

  onTestRunEnd(modules, errors) {
    const tests = modules.flatMap((module) => [...module.children.allTests()]).map((test) => read(test));
    const allowed = JSON.parse(readFileSync("test/skipped.json", "utf8"));
    // With -t NAME vitest calls every other test skipped as well; only those that say why are meant here.
    const isFiltered = this.#vitest.config.testNamePattern !== undefined;
    const skipped = tests.filter(({ state, note }) => state === "skipped" && !(isFiltered && note === undefined));
    const executed = tests.filter(({ state }) => state === "passed" || state === "failed");
    const problems = executed.length > 0 ? [] : ["no test was executed"];
    if (process.env.CI === "true") problems.push(...compareWithList(skipped, tests, allowed, this.#isWholeRun()));

    for (const line of describeSkipped(skipped, allowed)) console.log(line);
    for (const problem of problems) console.error(`tests: ${problem}`);
    if (problems.length > 0) process.exitCode = 1;

    if (process.env.CHECK_TALLY) {
      const passed = tests.filter(({ state }) => state === "passed").length;
      const broken = modules.filter((module) => module.errors().length > 0).length + errors.length + problems.length;
      appendFileSync(process.env.CHECK_TALLY, `tests ${passed} ${executed.length - passed + broken}\n`);
    }
  }

  #isWholeRun() {
    return (this.#vitest.filenamePattern ?? []).length === 0 && this.#vitest.config.testNamePattern === undefined;
  }
}

function read(test) {
  const { state, note } = test.result();
  return { name: `${test.module.relativeModuleId} > ${test.fullName}`, state, note };
}

function compareWithList(skipped, tests, allowed, isWholeRun) {
  const unlisted = skipped
    .filter(({ name }) => !allowed.some((entry) => covers(entry, name)))
    .map(({ name }) => `skipped, but not listed in test/skipped.json: ${name}`);
  const stale = allowed
    .filter((entry) => isWholeRun && isOfThisRun(entry, tests) && !tests.some(({ name }) => covers(entry, name)))
    .map((entry) => `listed in test/skipped.json, but there is no such test: ${entry.test}`);
  return [...unlisted, ...stale];
}

/** A file of the other suite is that one's to judge; one that is gone is everybody's. */
function isOfThisRun({ test }, tests) {
  const [file] = test.split(" > ");
  return !existsSync(file) || tests.some(({ name }) => name.startsWith(`${file} > `));
}

/** An entry names one test, or a suite or a file and so every test in it. */
function covers(entry, name) {
  return name === entry.test || name.startsWith(`${entry.test} > `);
}

function describeSkipped(skipped, allowed) {
  const byReason = Map.groupBy(
    skipped,
    ({ name, note }) => note ?? allowed.find((entry) => covers(entry, name))?.reason,
  );
  return [...byReason].flatMap(([reason, tests]) =>
    reason === undefined
      ? tests.map(({ name }) => `skipped, no reason given: ${name}`)
      : [`skipped ${tests.length} ${tests.length === 1 ? "test" : "tests"}: ${reason}`],
  );
}
