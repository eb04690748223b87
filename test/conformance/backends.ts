import { describe } from "vitest";
import { approvalTestOn } from "../support/asking.ts";
import { libraryTestOn } from "../support/library.ts";
import { needs } from "../support/system.ts";
import { EMBEDDED, type TestBackend, testOn } from "../support/test.ts";

/** Whatever is listed here keeps every promise of this folder. */
export const BACKENDS: readonly TestBackend[] = [EMBEDDED];

/** Cases that every backend is held to; they branch on its capabilities and never on its name. */
export function conformance(topic: string, cases: (test: ReturnType<typeof testOn>) => void): void {
  for (const target of BACKENDS) describe(`${target.name}: ${topic}`, () => cases(testOn(target)));
}

/** As {@link conformance}, through the library as users have it. */
export function libraryConformance(topic: string, cases: (test: ReturnType<typeof libraryTestOn>) => void): void {
  for (const target of BACKENDS) describe(`${target.name}: ${topic}`, () => cases(libraryTestOn(target)));
}

/** As {@link conformance}, with people who decide. */
export function approvalConformance(topic: string, cases: (test: ReturnType<typeof approvalTestOn>) => void): void {
  needs("ssh");
  for (const target of BACKENDS) {
    // What lives as long as the file is defined outside of its suites.
    const test = approvalTestOn(target);
    describe(`${target.name}: ${topic}`, () => cases(test));
  }
}
