import { HOST_NAME } from "./machines.ts";
import { duration, wholeNumber, yesNo } from "./numbers.ts";
import { path } from "./paths.ts";
import { address, choice, httpUrl, postgresUrl, text } from "./texts.ts";

const NAME = { pattern: /^[^\s\p{Cc}]+$/u, rule: "a name without spaces" };
const PASSWORD = { pattern: /^[^\p{Cc}]+$/u, rule: "a text of one line" };

/** The Hatchet server and its PostgreSQL, for `backend: hatchet`. */
export const HATCHET = {
  "hatchet.mode": choice({
    default: "production",
    words: ["lite", "production"],
    description: "The kind of server; lite implies plain gRPC on loopback.",
  }),
  "hatchet.http_url": httpUrl({
    default: "http://127.0.0.1:8888",
    aliases: ["hatchet.server_url"],
    description: "The server's HTTP interface.",
  }),
  "hatchet.grpc_address": address({
    default: "localhost:7077",
    portMin: 1,
    foreignEnvironment: "HATCHET_CLIENT_HOST_PORT",
    description: "The server's gRPC interface.",
  }),
  "hatchet.health_url": httpUrl({
    default: "http://127.0.0.1:8733",
    description: "Where the server says that it is well; one with a path is used as it is, else /ready is asked.",
  }),
  "hatchet.api_token": text({
    default: undefined,
    pattern: /^[^\s\p{Cc}]+$/u,
    rule: "a token without spaces",
    environment: "HATCHET_TOKEN",
    foreignEnvironment: "HATCHET_CLIENT_TOKEN",
    secret: true,
    example: `\${WINDLASS_HATCHET_TOKEN}`,
    description: `The token of the tenant; in a file only as exactly \${NAME}.`,
  }),
  "hatchet.database_url": postgresUrl({
    example: "postgres://windlass@localhost:5432/windlass",
    description: "The PostgreSQL database of our own records beside Hatchet's.",
  }),
  "hatchet.database_password": text({
    ...PASSWORD,
    default: undefined,
    environment: "DB_PASSWORD",
    secret: true,
    environmentOnly: true,
    description: "The password of the role `windlass` in that database.",
  }),
  "hatchet.tls_strategy": choice({
    default: "",
    words: ["", "none", "tls", "mtls"],
    foreignEnvironment: "HATCHET_CLIENT_TLS_STRATEGY",
    description: 'How gRPC is protected; "": none on loopback in lite mode, else tls.',
  }),
  "hatchet.tls_ca": path({ default: "", description: "The certificate of the authority to trust." }),
  "hatchet.tls_cert": path({ default: "", description: "Our certificate, for mtls." }),
  "hatchet.tls_key": path({ default: "", description: "Its key, for mtls." }),
  "hatchet.tls_server_name": text({
    default: "",
    description: "The name to expect in the server's certificate, where it is not that of the address.",
  }),
  "hatchet.allow_plaintext": yesNo({
    default: false,
    description: "Lets production mode speak plain gRPC beyond loopback, with a warning.",
  }),
  "hatchet.namespace": text({
    ...NAME,
    default: "default",
    description: "Set before the names of job types on the server; `default` sends no prefix.",
  }),
  "hatchet.worker_name": text({
    default: "",
    description: 'The name of this worker on the server; "": `win-automation-<host>-<pid>`.',
  }),
  "hatchet.connect_timeout": duration({
    default: "10s",
    description: "How long the first connection may take, by the clock on the wall.",
  }),
  "hatchet.postgres_host": text({
    ...HOST_NAME,
    default: "localhost",
    description: "Hatchet's PostgreSQL server; used by `db init` and the server script.",
  }),
  "hatchet.postgres_port": wholeNumber({ default: 5_432, min: 1, max: 65_535, description: "Its port." }),
  "hatchet.postgres_db": text({ ...NAME, default: "hatchet", description: "Hatchet's own database." }),
  "hatchet.postgres_user": text({ ...NAME, default: "hatchet", description: "The role that owns it." }),
  "hatchet.postgres_password": text({
    ...PASSWORD,
    default: undefined,
    secret: true,
    environmentOnly: true,
    description: "The password of that role.",
  }),
} as const;
