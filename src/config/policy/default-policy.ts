/** What `windlass init` writes as the policy of a project. */
export const DEFAULT_POLICY = `# Who may do what in this project. The first rule that matches wins; what no rule matches is denied.
# How to write rules: docs/policy.md. After a change: \`windlass policy test\`, and start the workers again.
# Who can write this file can change it, so its verdicts say policy=advisory; /etc/windlass/policy.yaml, which only root
# can write, wins over this file and is enforced.
version: 1

rules:
  # Everybody may look: status, logs, lists, doctor.
  - { name: read, access: read, allow: true }

  # An AI agent says who it is with --actor agent:NAME, or WINDLASS_ACTOR=agent:NAME in its environment. Until a rule
  # here allows something, agents only read. Some to begin with; take the # away:
  #
  # Named programs on this machine, a hundred times an hour. argv is compared word by word: this allows \`git status\`
  # and \`git status --short\`, and no other git. A program that runs whatever it is given (sh, python, env, ssh) is
  # everything.
  # - { name: agents-git-status, actors: ["agent:*"], types: [exec], argv: [git, status], allow: true, limit: 100/h }
  #
  # Programs that a person approves first, with a signature of their SSH key: \`windlass approvals setup\` makes the
  # approver that by: names, and docs/approvals.md tells the rest.
  # - { name: agents-ask, actors: ["agent:*"], types: [exec], approval: { by: [you@example.com], expires: 24h } }
  #
  # Requests to one service, in working hours.
  # - name: agents-call-the-api
  #   actors: ["agent:codex"]
  #   types: [http.request]
  #   url_hosts: [api.example.com]
  #   when: { days: [mon, tue, wed, thu, fri], from: "08:00", to: "18:00", zone: Europe/Berlin }
  #   allow: true

  # People, and what runs for them without a terminal, on a schedule or out of a job, may do everything.
  - { name: people, actors: ["person:*", "unattended:*", "schedule:*", "job:*"], allow: true }

# What this policy must say; \`windlass policy test\` asks it.
examples:
  - { actor: "person:anna", type: exec, argv: [rm, -rf, build], expect: allow }
  - { actor: "schedule:nightly", operation: schedules.fire, type: exec, argv: [./nightly.sh], expect: allow }
  - { actor: "agent:codex", operation: jobs.list, expect: allow }
  - { actor: "agent:codex", type: exec, argv: [rm, -rf, build], expect: deny }
  - { actor: "agent:codex", operation: worker, expect: deny }
`;
