import { homedir, userInfo } from "node:os";
import { isAbsolute } from "node:path";

/** The user of this process; its number where it has no name, as in many containers. */
export function osUser(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.getuid?.() ?? "unknown"}`;
  }
}

/** The home folder of this user, absolute also where HOME is empty or relative: a database must not lie where one happens to stand. */
export function homeFolder(): string {
  const home = homedir();
  if (isAbsolute(home)) return home;
  try {
    return userInfo().homedir;
  } catch {
    return "/";
  }
}
