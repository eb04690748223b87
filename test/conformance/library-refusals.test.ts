import { expect } from "vitest";
import type { WindlassClient } from "../../src/index.ts";
import { REFUSALS } from "../support/refusals/refusals.ts";
import { REFUSING, storeBefore } from "../support/refusals/types.ts";
import { libraryConformance } from "./backends.ts";

/** All that can be seen of what is stored. */
async function stored(client: WindlassClient): Promise<unknown> {
  return { jobs: await client.list({ limit: 1_000 }), scheduled: await client.scheduled() };
}

libraryConformance("library: refusals", (test) => {
  for (const [calls, refusals] of Object.entries(REFUSALS))
    test(`${calls}: each wrong call is refused with its code and words, and nothing is stored`, async ({ open }) => {
      const client = await open(REFUSING);
      await storeBefore(client);
      const before = await stored(client);
      for (const { what, call, code, says } of refusals) {
        await expect(call(client), what).rejects.toMatchObject({ code, message: expect.stringContaining(says) });
        expect(await stored(client), what).toEqual(before);
      }
    });
});
