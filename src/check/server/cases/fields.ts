import { isDeepStrictEqual } from "node:util";
import { demand, shown, skip } from "../../fault.ts";
import { fieldValue, type HttpAnswer } from "../../wire/http.ts";
import { fieldOf, jsonOf, type Message } from "../../wire/messages.ts";
import { compareRows, type ItemsField, parseItemsField, parseOrder, resolve, rowUrl } from "../items.ts";
import { rowUrls } from "../survey.ts";
import type { ServerCase, Trial } from "../trial.ts";

async function snapshot(trial: Trial): Promise<Message> {
  const source = await trial.source();
  const opening = await source.until("A 200.");
  demand(opening.status === 200, "A 200.", shown(opening.text));
  return opening;
}

/** The snapshot of a collection, its `Items` and its rows. */
async function list(trial: Trial): Promise<{ opening: Message; items: ItemsField; rows: readonly unknown[] }> {
  if (!trial.survey.items) skip("The resource is no collection: its 200 has no Items with url or link.");
  const opening = await snapshot(trial);
  const items = parseItemsField(fieldOf(opening, "items") ?? "");
  demand(items !== undefined, "A 200 with Items.", shown(opening.text));
  const rows = resolve(jsonOf(opening), items.list);
  demand(Array.isArray(rows), "Items whose list leads to an array.", `list is ${items.list ?? "absent"}.`);
  return { opening, items, rows };
}

/** A snapshot and a GET that agree in their entity tag, or were made while nothing was written. */
async function pair(trial: Trial): Promise<{ opening: Message; document: HttpAnswer }> {
  const before = await trial.get();
  const opening = await snapshot(trial);
  const document = await trial.get();
  if (!before.body.equals(document.body)) skip("The document changes from GET to GET.");
  return { opening, document };
}

function typeOf(message: { readonly fields: Message["fields"] }): string {
  return (fieldValue(message.fields, "content-type") ?? "").toLowerCase().replace(/;\s*/g, ";");
}

/** Section 6, fields, without a write. */
export const fieldCases: readonly ServerCase[] = [
  {
    requirement: "R-FLD-2",
    level: 1,
    title: "sends Items with the 200 of a collection",
    run: async (trial) => {
      const opening = await snapshot(trial);
      const isArray = Array.isArray(jsonOf(opening));
      const items = fieldOf(opening, "items");
      const isList = isArray || trial.survey.items !== undefined;
      if (!isList && items === undefined) skip("Nobody can tell whether this resource is a collection.");
      const why = isArray ? "since its body is an array" : "as others have been";
      demand(items !== undefined, `A 200 with Items, ${why}.`, shown(opening.text));
    },
  },
  {
    requirement: "R-FLD-3",
    level: 1,
    title: "has an array where the list of Items leads",
    run: async (trial) => void (await list(trial)),
  },
  {
    requirement: "R-FLD-4",
    level: 1,
    title: "makes URLs by which the rows can be told apart",
    run: async (trial) => {
      const { items, rows } = await list(trial);
      if (items.url === undefined) skip("The rows have links.");
      const names = [...items.url.matchAll(/\{([^{}]*)\}/g)].map(([, name = ""]) => name);
      const isLevel1 = names.every((name) => /^[A-Za-z0-9_.%]+$/.test(name)) && items.url.startsWith("/");
      demand(isLevel1, "A template of level 1 that begins with a slash.", items.url);
      const urls = rows.map((row) => rowUrl(items, row, trial.site.target)).filter((url) => url !== undefined);
      demand(new Set(urls).size === urls.length, "Another URL for each row.", "Two rows have the same.");
    },
  },
  {
    requirement: "R-FLD-5",
    level: 1,
    title: "says the order of a direct list",
    run: async (trial) => {
      const { opening } = await list(trial);
      const order = fieldOf(opening, "item-order");
      if (order === undefined) skip("The list has no Item-Order.");
      demand(parseOrder(order) !== undefined, "An Item-Order such as name.desc,id.asc.", order);
    },
  },
  {
    requirement: "R-FLD-6",
    level: 1,
    title: "has its rows in the order that Item-Order says",
    run: async (trial) => {
      const { opening, rows } = await list(trial);
      const order = parseOrder(fieldOf(opening, "item-order") ?? "");
      if (!order) skip("The list has no Item-Order.");
      const wrong = rows.findIndex((row, at) => at > 0 && compareRows(order, rows[at - 1], row) > 0);
      const came =
        wrong < 0
          ? ""
          : `${shown(JSON.stringify(rows[wrong - 1]))} stands before ${shown(JSON.stringify(rows[wrong]))}.`;
      demand(wrong < 0, "Rows in that order.", came);
    },
  },
  {
    requirement: "R-FLD-7",
    level: 1,
    title: "has the ETag that a GET of the same representation answers, or none where that has none",
    run: async (trial) => {
      const { opening, document } = await pair(trial);
      const wanted = fieldValue(document.fields, "etag");
      const came = fieldOf(opening, "etag");
      demand(came === wanted, `ETag: ${wanted ?? "none"}`, `ETag: ${came ?? "none"}`);
    },
  },
  {
    requirement: "R-FLD-8",
    level: 1,
    title: "has the body and the Content-Type of a GET in its 200",
    run: async (trial) => {
      const { opening, document } = await pair(trial);
      demand(opening.body.equals(document.body), "The body of a GET.", shown(opening.body.toString()));
      demand(
        typeOf(opening) === typeOf(document),
        `Content-Type: ${typeOf(document)}`,
        `Content-Type: ${typeOf(opening)}`,
      );
    },
  },
  {
    requirement: "R-FLD-9",
    level: 1,
    title: "has links where the link of Items leads",
    run: async (trial) => {
      const { items, rows } = await list(trial);
      if (items.link === undefined) skip("The rows' URLs are made by a template.");
      const found = rows.map((row) => resolve(row, items.link));
      const wrong = found.find((link) => link !== undefined && link !== null && typeof link !== "string");
      demand(wrong === undefined, "Links that are strings.", JSON.stringify(wrong));
    },
  },
  {
    requirement: "R-FLD-11",
    level: "http",
    title: "has another strong ETag where an answer has a content coding, and knows each again",
    run: async (trial) => {
      const plain = fieldValue((await trial.get()).fields, "etag");
      const coded = await trial.request({ target: trial.site.target, fields: [["Accept-Encoding", "gzip, br"]] });
      const tag = fieldValue(coded.fields, "etag");
      if (!fieldValue(coded.fields, "content-encoding") || !tag || !plain)
        skip("Answers have no content coding, or no ETag.");
      demand(tag.startsWith("W/") || tag !== plain, "Another tag than without a coding.", tag);
      for (const known of [plain, tag]) {
        const fields = [
          ["If-None-Match", known],
          ["Accept-Encoding", "gzip, br"],
        ] as const;
        const { status } = await trial.request({ target: trial.site.target, fields });
        demand(status === 304, `A 304 for If-None-Match: ${known}.`, `It is answered ${status}.`);
      }
    },
  },
  {
    requirement: "R-FLD-12",
    level: "http",
    title: "answers at the URLs that it gives its rows",
    run: async (trial) => {
      const urls = rowUrls(trial.survey, trial.site.target);
      if (urls.length === 0) skip("No row has a URL that can be asked for.");
      for (const url of [urls[0], urls.at(-1)] as string[]) {
        const { status } = await trial.get(url);
        demand(status < 400, `An answer at ${url}.`, `It is answered ${status}.`);
      }
    },
  },
  {
    requirement: "R-SUB-6",
    level: 1,
    title: "has the GET's document in the opening, and an Event-ID",
    run: async (trial) => {
      const { opening, document } = await pair(trial);
      demand(isDeepStrictEqual(jsonOf(opening), jsonOf(document)), "The document of a GET.", shown(opening.text));
      demand(fieldOf(opening, "event-id") !== undefined, "An Event-ID.", shown(opening.text));
    },
  },
];
