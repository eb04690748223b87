import { once } from "node:events";
import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { expect, test } from "vitest";
import { BodyReader } from "./body-reader.ts";

function answering(): { readonly answer: IncomingMessage; readonly reader: BodyReader } {
  const answer = new IncomingMessage(new Socket());
  return { answer, reader: new BodyReader(answer) };
}

test("a sender that is faster than the disk is made to wait, and goes on when the queue is read", async () => {
  const { answer, reader } = answering();
  answer.push(Buffer.alloc(300_000, "a"));
  await once(answer, "pause");
  answer.push(Buffer.alloc(10, "b"));
  expect(await reader.next()).toMatchObject({ kind: "chunk", chunk: { length: 300_000 } });
  expect(await reader.next()).toMatchObject({ kind: "chunk", chunk: { length: 10 } });
});

test("what came is given before the cut is told, and the end stays the end", async () => {
  const { answer, reader } = answering();
  answer.push(Buffer.from("hello"));
  await once(answer, "data");
  answer.destroy(Object.assign(new Error("reset"), { code: "ECONNRESET" }));
  await new Promise((resolve) => answer.once("close", resolve));
  expect(await reader.next()).toMatchObject({ kind: "chunk" });
  expect(await reader.next()).toEqual({ kind: "cut", reason: "ECONNRESET" });
  expect(await reader.next()).toEqual({ kind: "cut", reason: "ECONNRESET" });
});

test("an answer that ends as its head said is complete, another is cut", async () => {
  const whole = answering();
  whole.answer.complete = true;
  whole.answer.push(null);
  expect(await whole.reader.next()).toEqual({ kind: "complete" });
  const short = answering();
  short.answer.push(null);
  expect(await short.reader.next()).toEqual({ kind: "cut", reason: "ended early" });
});
