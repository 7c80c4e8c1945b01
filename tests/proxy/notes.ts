import type { RequestListener } from "node:http";

/** A small API without any of Rocket in it: `/notes`, `/notes/{id}`. */
export interface Notes {
  readonly handler: RequestListener;
  readonly rows: Map<string, { id: number; text: string }>;
  /** How many GETs it answered. */
  reads: number;
}

const json = { "Content-Type": "application/json" };

export function notes(): Notes {
  let last = 2;
  const rows: Notes["rows"] = new Map([
    ["/notes/1", { id: 1, text: "one" }],
    ["/notes/2", { id: 2, text: "two" }],
  ]);
  const made: Notes = {
    rows,
    reads: 0,
    handler(incoming, response) {
      const path = incoming.url?.split("?")[0] ?? "";
      let body = "";
      incoming.setEncoding("utf8").on("data", (text: string) => {
        body += text;
      });
      incoming.on("end", () => {
        const row = rows.get(path);
        if (incoming.method === "GET") {
          made.reads += 1;
          if (path === "/notes") response.writeHead(200, json).end(JSON.stringify([...rows.values()]));
          else if (row) response.writeHead(200, json).end(JSON.stringify(row));
          else response.writeHead(404).end();
        } else if (incoming.method === "POST" && path === "/notes") {
          last += 1;
          const created = { id: last, text: body };
          rows.set(`/notes/${last}`, created);
          response.writeHead(201, { ...json, Location: `/notes/${last}` }).end(JSON.stringify(created));
        } else if (incoming.method === "PUT" && row) {
          row.text = body;
          response.writeHead(200, json).end(JSON.stringify(row));
        } else if (incoming.method === "DELETE") {
          response.writeHead(rows.delete(path) ? 204 : 404).end();
        } else {
          response.writeHead(400).end();
        }
      });
    },
  };
  return made;
}
