import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Body, Field } from "../../protocol/index.ts";
import type { OriginResponse } from "../../server/index.ts";

/** Where the build puts the page: the same from the sources, from what they are compiled to, and from the bundled command. */
function pagePath(): string {
  const description = createRequire(import.meta.url).resolve("rocket-rest/package.json");
  return join(dirname(description), "dist", "page", "inspector.html");
}

const plainText =
  "<p>This is an API, live over WebSockets by Rocket. Programs GET the same URL and are given JSON.</p>";
const unbuiltText = "<p>The page was not built: <code>npm run build</code> does it.</p>";

function documentOf(body: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Rocket</title></head><body>${body}</body></html>`;
}

function hashOf(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

/** What stands between the tags of a name. */
function textsIn(html: string, tag: string): string[] {
  const [, ...parts] = html.split(`<${tag}`);
  return parts.map((part) => part.slice(part.indexOf(">") + 1, part.indexOf(`</${tag}>`)));
}

/** What may run in a page: what is written in it, and nothing else. */
function policyOf(html: string): string {
  const sources = (tag: string): string => {
    const texts = textsIn(html, tag);
    return texts.length === 0 ? "'none'" : texts.map(hashOf).join(" ");
  };
  return [
    "default-src 'none'",
    `script-src ${sources("script")}`,
    `style-src ${sources("style")}`,
    "connect-src 'self'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

function escapeAttribute(text: string): string {
  return text.replace(/[&"<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

/** A page that is one file: what it is sent with, and how facts are written into it. */
export class PageFile {
  readonly #parts: readonly [before: string, behind: string];
  readonly #policy: string;

  /** @param html - with a place for facts: `<meta name="rocket" content="">` */
  constructor(html: string) {
    const [before = "", behind] = html.split('name="rocket" content="');
    this.#parts = behind === undefined ? [before, ""] : [`${before}name="rocket" content="`, behind];
    // Facts are no script: the policy is that of the file.
    this.#policy = policyOf(html);
  }

  /** The page, with facts for it to read. */
  answer(facts: object): OriginResponse {
    const [before, behind] = this.#parts;
    const body = behind === "" ? before : before + escapeAttribute(JSON.stringify(facts)) + behind;
    const fields: readonly Field[] = [
      ["Content-Type", "text/html; charset=utf-8"],
      ["Content-Security-Policy", this.#policy],
      ["Cache-Control", "private, no-cache"],
      ["ETag", `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`],
      ["Cross-Origin-Opener-Policy", "same-origin"],
      ["Referrer-Policy", "no-referrer"],
      ["X-Content-Type-Options", "nosniff"],
      ["Vary", "Accept"],
    ];
    return { status: 200, fields, body };
  }
}

/** The page in one line, for where nobody is to look around. */
export const plainPage: PageFile = new PageFile(documentOf(plainText));

const missingStyle =
  "<style>:root{color-scheme:light dark;font:15px/1.6 system-ui,sans-serif}body{max-width:36em;margin:18vh auto;padding:0 1em}</style>";

/**
 * The page that says that nothing is at a URL.
 *
 * @param root - where there is something
 * @param body - what programs are told: a problem
 */
export function missingPage(root: string, body: Body): OriginResponse {
  const said = typeof body === "string" ? body : new TextDecoder().decode(body);
  const [, detail = '"Nothing is here."'] = /"detail":("(?:[^"\\]|\\.)*")/.exec(said) ?? [];
  const text = escapeAttribute(String(JSON.parse(detail)));
  const link = `<a href="${escapeAttribute(root)}">See what there is</a>`;
  const page = new PageFile(documentOf(`${missingStyle}<h1>Not found</h1><p>${text}</p><p>${link}</p>`));
  const { fields, ...answer } = page.answer({});
  return { ...answer, status: 404, fields: fields.filter(([name]) => name !== "ETag") };
}

/** The inspector, as it was built. */
export function readInspector(path?: string): PageFile {
  try {
    return new PageFile(readFileSync(path ?? pagePath(), "utf8"));
  } catch {
    return new PageFile(documentOf(unbuiltText));
  }
}
