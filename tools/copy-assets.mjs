// The build's second half: files that a program reads at run time but that the compiler does not copy.
import { cpSync, globSync } from "node:fs";

for (const file of globSync("src/**/*.{sql,ps1,js}")) {
  cpSync(file, file.replace(/^src/, "dist"));
}
