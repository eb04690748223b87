import { appendFileSync, renameSync, rmSync, writeFileSync } from "node:fs";

/** The client's standard error, as its start command sends it to a file on Windows. */
export class ClientLog {
  readonly path: string;
  readonly #now: () => Date;
  #closed = false;

  constructor(path: string, now: () => Date = () => new Date()) {
    this.path = path;
    this.#now = now;
  }

  info(message: string): void {
    this.#write("INFO", message);
  }

  warning(message: string): void {
    this.#write("WARNING", message);
  }

  error(message: string): void {
    this.#write("ERROR", message);
  }

  /** A line of the development server itself. */
  access(on: string, status: number): void {
    const line = `"${on} HTTP/1.1" ${status} -`;
    this.info(`127.0.0.1 - - [${accessTime(this.#now())}] ${line}`);
  }

  /** The process is gone: what its threads would still say is not heard. */
  close(): void {
    this.#closed = true;
  }

  /** What somebody who empties it does: the process goes on writing from the start. */
  truncate(): void {
    writeFileSync(this.path, "");
  }

  rotate(): void {
    renameSync(this.path, `${this.path}.1`);
    writeFileSync(this.path, "");
  }

  remove(): void {
    rmSync(this.path, { force: true });
  }

  #write(level: string, message: string): void {
    if (this.#closed) return;
    // A text stream of Python on Windows: each line feed becomes CR LF.
    appendFileSync(this.path, `${stamp(this.#now())} - ${level} - ${message}\n`.replaceAll("\n", "\r\n"));
  }
}

const two = (value: number): string => String(value).padStart(2, "0");

function stamp(at: Date): string {
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(":");
  return `${day} ${time},${String(at.getMilliseconds()).padStart(3, "0")}`;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function accessTime(at: Date): string {
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(":");
  return `${two(at.getDate())}/${MONTHS[at.getMonth()]}/${at.getFullYear()} ${time}`;
}
