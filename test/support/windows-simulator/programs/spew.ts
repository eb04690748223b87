import type { Program } from "../program.ts";

const BLOCK = 65_536;

/** `spew.exe BYTES`: that many bytes, `byte i = i mod 251`, so that a lost or moved one shows. */
export function main(program: Program): number {
  const total = Number(program.args[0] ?? 0);
  for (let done = 0; done < total; done += BLOCK) {
    const block = Uint8Array.from({ length: Math.min(BLOCK, total - done) }, (_, index) => (done + index) % 251);
    program.writeBytes(block);
  }
  return 0;
}
