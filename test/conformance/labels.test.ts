import { expect } from "vitest";
import { conformance } from "./backends.ts";

const types = [{ name: "app.anywhere" }, { name: "app.lab", requires: { site: "lab1" } }];

conformance("labels", (test) => {
  test("a job runs only on a worker that has the labels of its type", async ({ open }) => {
    const bench = await open({ types });
    await bench.worker();
    const lab = await bench.submit("app.lab", { name: "lab" });
    const anywhere = await bench.submit("app.anywhere", { name: "anywhere" });
    await bench.settled(anywhere);
    expect((await bench.status(lab)).state).toBe("queued");
    await bench.worker({ labels: { site: "lab2", gpu: "yes" } });
    await bench.settled(await bench.submit("app.anywhere", { name: "again" }));
    expect((await bench.status(lab)).state).toBe("queued");
    await bench.worker({ labels: { site: "lab1", gpu: "yes" } });
    expect((await bench.settled(lab)).state).toBe("completed");
  });

  test("a call may require more labels", async ({ open }) => {
    const bench = await open({ types });
    await bench.worker({ labels: { site: "lab1" } });
    const plain = await bench.submit("app.lab", { name: "plain" });
    const more = await bench.submit("app.lab", { name: "more" }, { requires: { gpu: "yes" } });
    await bench.settled(plain);
    expect((await bench.status(more)).state).toBe("queued");
    await bench.worker({ labels: { site: "lab1", gpu: "yes" } });
    expect((await bench.settled(more)).state).toBe("completed");
  });

  test("a call may not replace a label of the type", async ({ open }) => {
    const bench = await open({ types });
    await expect(bench.submit("app.lab", { name: "a" }, { requires: { site: "lab2" } })).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: "requires.site is lab2; app.lab requires site=lab1 and a call may only add labels",
    });
    await bench.submit("app.lab", { name: "b" }, { requires: { site: "lab1" } });
  });

  test("a type that a worker does not serve is never claimed by it", async ({ open }) => {
    const bench = await open({ types });
    await bench.spawn({ types: [{ name: "app.anywhere" }] });
    const lab = await bench.submit("app.lab", { name: "lab" });
    const anywhere = await bench.submit("app.anywhere", { name: "anywhere" });
    await bench.settled(anywhere);
    expect(await bench.status(lab)).toMatchObject({ state: "queued", attempt: 0 });
  });
});
