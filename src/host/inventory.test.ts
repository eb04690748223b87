import { expect, test } from "vitest";
import { buildHost, type Host } from "../config/schema/hosts.ts";
import { findHost, selectHosts } from "./inventory.ts";

const hosts = new Map<string, Host>([
  ["default", host({})],
  ["lab1", host({ site: "lab", role: "ci" })],
  ["lab2", host({ site: "lab" })],
  ["office", host({ site: "office" })],
]);
const config = { hosts };

function host(labels: Readonly<Record<string, string>>): Host {
  return { ...buildHost(new Set(), new Map()), labels };
}

const namesOf = (words: readonly string[]) => selectHosts(config, words).map(({ name }) => name);

test("a host is found by its name; no name means the default one", () => {
  expect(findHost(config, "lab1")).toMatchObject({ name: "lab1", sshPort: 22_555, labels: { role: "ci" } });
  expect(findHost(config).name).toBe("default");
});

test("an unknown name is refused with the nearest ones", () => {
  expect(() => findHost(config, "lab3")).toThrow(
    expect.objectContaining({ code: "UNKNOWN_HOST", message: expect.stringContaining("did you mean lab1, lab2?") }),
  );
  expect(() => findHost(config, "something-else")).toThrow(/known: default, lab1, lab2, office/);
  expect(() => findHost(config, "__proto__")).toThrow(expect.objectContaining({ code: "UNKNOWN_HOST" }));
});

test("words choose by name and by label, each host once and in their order", () => {
  expect(namesOf(["office", "site=lab", "lab1"])).toEqual(["office", "lab1", "lab2"]);
  expect(namesOf([])).toEqual([]);
});

test("a label that no host has is refused", () => {
  expect(() => namesOf(["site=lob"])).toThrow(
    expect.objectContaining({ code: "UNKNOWN_HOST", message: expect.stringContaining("site=lab") }),
  );
  expect(() => namesOf(["constructor="])).toThrow(expect.objectContaining({ code: "UNKNOWN_HOST" }));
});
