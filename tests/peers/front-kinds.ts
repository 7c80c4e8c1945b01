import { spawnSync } from "node:child_process";
import { documentedBlock, replaced } from "./documented.ts";

/** How a front is set up, beyond what docs/set-ups.md says. */
export interface FrontOptions {
  /** Whether it takes `/api` off what it passes on. Default false. */
  readonly strips?: boolean;
  /** Whether it ends what is silent for 5 s. Default false. */
  readonly isImpatient?: boolean;
  /** Whether it compresses. Default false. */
  readonly gzip?: boolean;
}

/** Where a front finds things. */
export interface FrontPlan extends FrontOptions {
  /** A folder for all that it writes. */
  readonly folder: string;
  readonly port: number;
  /** The port of what stands behind it. */
  readonly backend: number;
  /** The file of its certificate, and its key. */
  readonly certificate: string;
}

/** A program that stands in front of web servers. */
export interface FrontKind {
  readonly name: string;
  readonly program: string;
  /** Whether it makes the entity tag of what it compresses weak. */
  readonly weakens: boolean;
  /** Why it can't be run here; empty where it can. */
  readonly missing: string;
  /** Its configuration: that of docs/set-ups.md, with other ports and paths. */
  configure(plan: FrontPlan): string;
  /** The arguments that run it in the foreground. */
  arguments(configuration: string): readonly string[];
}

const hasOpenssl = spawnSync("openssl", ["version"]).error === undefined;

/** Where a program is, and why it can't be run where it is nowhere. Not everybody's PATH has /usr/sbin. */
function find(name: string, flag: string): Pick<FrontKind, "program" | "missing"> {
  const program = [name, `/usr/sbin/${name}`].find(
    (path) => spawnSync(path, [flag], { stdio: "ignore" }).error === undefined,
  );
  if (program === undefined) return { program: name, missing: `there is no ${name} here` };
  return { program, missing: hasOpenssl ? "" : "there is no openssl here, which makes its certificate" };
}

const nginx: FrontKind = {
  name: "nginx",
  ...find("nginx", "-v"),
  weakens: true,
  configure({ folder, port, backend, certificate, strips = false, isImpatient = false, gzip = false }) {
    const site = replaced(documentedBlock("set-ups.md", "nginx"), [
      ["listen 443 ", `listen 127.0.0.1:${port} `],
      ["/etc/ssl/app.pem", certificate],
      ["/etc/ssl/app.key", certificate],
      ["/srv/app", folder],
      ["http://127.0.0.1:8080;", `http://127.0.0.1:${backend}${strips ? "/" : ""};`],
    ]);
    return `
      daemon off;
      master_process off;
      pid ${folder}/nginx.pid;
      error_log stderr warn;
      events {}
      http {
        access_log off;
        ${["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((what) => `${what}_temp_path ${folder}/${what};`).join("\n")}
        ${isImpatient ? "proxy_read_timeout 5s; proxy_send_timeout 5s; keepalive_timeout 5s;" : ""}
        ${gzip ? "gzip on; gzip_proxied any; gzip_types application/json; gzip_min_length 1;" : ""}
        ${site}
      }`;
  },
  arguments: (configuration) => ["-e", "stderr", "-c", configuration],
};

const caddy: FrontKind = {
  name: "Caddy",
  ...find("caddy", "version"),
  weakens: false,
  configure({ folder, port, backend, certificate, strips = false, isImpatient = false, gzip = false }) {
    const patience = isImpatient ? "transport http {\n read_timeout 5s\n write_timeout 5s\n }\n" : "";
    const coding = gzip ? "encode {\n gzip\n minimum_length 1\n match header Content-Type application/json*\n }\n" : "";
    const site = replaced(documentedBlock("set-ups.md", "Caddy"), [
      ["app.example.com {", `https://app.example.com:${port} {\n tls ${certificate} ${certificate}\n${coding}`],
      ["/srv/app", folder],
      ["reverse_proxy 127.0.0.1:8080 {", `reverse_proxy 127.0.0.1:${backend} {\n${patience}`],
      ["handle /api/*", strips ? "handle_path /api/*" : "handle /api/*"],
    ]);
    const idle = isImpatient ? "servers {\n timeouts {\n idle 5s\n }\n }\n" : "";
    return `{\n admin off\n auto_https disable_redirects\n log {\n level WARN\n }\n${idle}}\n${site}`;
  },
  arguments: (configuration) => ["run", "--adapter", "caddyfile", "--config", configuration],
};

const haproxy: FrontKind = {
  name: "HAProxy",
  ...find("haproxy", "-v"),
  weakens: true,
  configure({ port, backend, certificate, strips = false, isImpatient = false, gzip = false }) {
    const taking = "http-request replace-path /api(/.*) \\1";
    const site = replaced(documentedBlock("set-ups.md", "HAProxy"), [
      ["bind :443 ", `bind 127.0.0.1:${port} `],
      ["/etc/ssl/app.pem", certificate],
      ["127.0.0.1:8080", `127.0.0.1:${backend}`],
      [`# ${taking}`, strips ? `${taking} #` : "#"],
      ["60s", isImpatient ? "5s" : "60s"],
      ["mode http", gzip ? "mode http\n  compression algo gzip\n  compression type application/json" : "mode http"],
    ]);
    return `${site}\nbackend app\n  http-request return status 404\n`;
  },
  arguments: (configuration) => ["-db", "-f", configuration],
};

/** The fronts that docs/set-ups.md has, and that Debian has. */
export const frontKinds: readonly FrontKind[] = [nginx, caddy, haproxy];
