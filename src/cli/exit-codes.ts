/** What the exit status of the program says. */
export const EXIT_CODES = [
  { code: "0", meaning: "success; for run, --watch and jobs wait: the job completed" },
  { code: "1", meaning: "it ran and failed" },
  { code: "2", meaning: "the call or the configuration is wrong" },
  { code: "3", meaning: "something that it stands on cannot be reached" },
  { code: "4", meaning: "time ran out" },
] as const;
