import { NotModelled } from "../not-modelled.ts";
import type { Program } from "../program.ts";
import type { Service } from "../state-shapes.ts";

/** `sc query|start|stop NAME`. The code is the Win32 error. */
export function main(program: Program): number {
  const [verb = "", name, ...more] = program.args;
  if (name === undefined || more.length > 0) throw new NotModelled(`sc ${program.args.join(" ")}`);
  const service = program.machine.services.find((one) => one.name.toLowerCase() === name.toLowerCase());
  const call = verb.toLowerCase() === "query" ? "EnumQueryServicesStatus:OpenService" : `${capital(verb)}Service`;
  if (service === undefined) {
    return failed(program, call, 1_060, "The specified service does not exist as an installed service.");
  }
  switch (verb.toLowerCase()) {
    case "query":
      return show(service, program);
    case "start":
      if (service.state === "RUNNING") {
        return failed(program, call, 1_056, "An instance of the service is already running.");
      }
      return show(program.machine.putService({ ...service, state: "RUNNING" }), program);
    case "stop":
      if (service.state === "STOPPED") return failed(program, call, 1_062, "The service has not been started.");
      return show(program.machine.putService({ ...service, state: "STOPPED" }), program);
    default:
      throw new NotModelled(`sc ${verb}`);
  }
}

function show({ name, state }: Service, program: Program): number {
  const number = state === "RUNNING" ? 4 : 1;
  program.line(`\r\nSERVICE_NAME: ${name} `);
  program.line("        TYPE               : 10  WIN32_OWN_PROCESS  ");
  program.line(`        STATE              : ${number}  ${state} `);
  program.line("        WIN32_EXIT_CODE    : 0  (0x0)");
  program.line("        SERVICE_EXIT_CODE  : 0  (0x0)");
  program.line("        CHECKPOINT         : 0x0");
  program.line("        WAIT_HINT          : 0x0");
  return 0;
}

function failed(program: Program, call: string, code: number, message: string): number {
  program.line(`[SC] ${call} FAILED ${code}:\r\n\r\n${message}\r\n`);
  return code;
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1).toLowerCase();
}
