import { beforeEach, inject } from "vitest";

/** What a test may need of the system beyond Node; `tools/system-packages.mjs` knows their packages. */
export type Part = "ssh" | "sshd" | "chromium" | "ffmpeg";

declare module "vitest" {
  interface ProvidedContext {
    readonly missingParts: Readonly<Partial<Record<Part, string>>>;
  }
}

/** What to say about a part that this machine lacks; undefined when it is there. For `test.skipIf`. */
export function lacks(part: Part): string | undefined {
  return inject("missingParts")[part];
}

/** Skips every test of the file or suite where a part is missing, and says what it needs. Called outside of tests. */
export function needs(...parts: readonly Part[]): void {
  beforeEach(({ skip }) => {
    for (const part of parts) {
      const reason = lacks(part);
      if (reason !== undefined) skip(reason);
    }
  });
}
