import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { createServer } from "../../../src/node/index.ts";
import { decodeResponse, fieldValue, type HttpResponse } from "../../../src/protocol/index.ts";
import { ann, as, ben, serveRoles } from "./roles.ts";
import { serverOfFile } from "./server.ts";

const server = serverOfFile();

const notesSql = `CREATE TABLE notes (id int PRIMARY KEY, owner uuid, text text, secret text DEFAULT 'hush');
  ALTER TABLE notes ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON notes USING (owner = auth.uid());
  GRANT SELECT (id, owner, text), INSERT (id, owner, text), UPDATE (text), DELETE ON notes TO authenticated;
  INSERT INTO notes VALUES (1, '${ann}', 'of Ann'), (2, '${ben}', 'of Ben')`;

/** What a viewer is sent. */
interface Followed {
  readonly texts: string[];
  until(fits: (message: HttpResponse) => boolean): Promise<HttpResponse>;
}

/** A live service over the notes of two users. */
async function start() {
  const service = await serveRoles(server, notesSql);
  const { origin, journal } = service.scaffold;
  const rocket = createServer({
    ...{ origin, derived: { coalesceMs: 0 }, drainMs: 0, onError: () => undefined },
    ...(journal ? { journal } : {}),
  });
  onTestFinished(() => rocket.close());
  const { port } = await rocket.listen(0, "127.0.0.1");
  const follow = async (url: string, headers: Record<string, string>): Promise<Followed> => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${url}`, ["rocket.v1"], { headers });
    onTestFinished(() => socket.terminate());
    const messages: HttpResponse[] = [];
    const texts: string[] = [];
    const waiting = new Set<() => void>();
    socket.on("message", (data: Buffer) => {
      texts.push(data.toString());
      messages.push(decodeResponse(data.toString()));
      for (const look of waiting) look();
    });
    const until: Followed["until"] = (fits) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = messages.find(fits);
          if (found) resolve(found);
        };
        waiting.add(look);
        look();
      });
    await until(() => true);
    return { texts, until };
  };
  return { ...service, follow };
}

const about =
  (status: number, url: string) =>
  (message: HttpResponse): boolean =>
    message.status === status && fieldValue(message.fields, "content-location") === url;

describe("What two users follow by one URL", () => {
  test.each(["/notes", "/notes?order=text.desc"])("(%s) is each one's own, whoever writes", async (url) => {
    const { follow, client } = await start();
    const [anns, bens] = [await follow(url, await as(ann)), await follow(url, await as(ben))];

    await client.query(`INSERT INTO notes VALUES (3, '${ann}', 'new of Ann'), (4, '${ben}', 'new of Ben')`);
    await Promise.all([anns.until(about(201, "/notes/3")), bens.until(about(201, "/notes/4"))]);
    await client.query(`UPDATE notes SET text = text || '!' WHERE id IN (1, 2)`);
    await Promise.all([anns.until(about(202, "/notes/1")), bens.until(about(202, "/notes/2"))]);
    await client.query(`UPDATE notes SET owner = '${ben}' WHERE id = 1`);
    await Promise.all([anns.until(about(204, "/notes/1")), bens.until(about(201, "/notes/1"))]);
    await client.query("DELETE FROM notes WHERE id = 2");
    await bens.until(about(204, "/notes/2"));

    expect(anns.texts.join("")).not.toMatch(/of Ben|notes\/2|notes\/4|hush/);
    expect(bens.texts.join("")).not.toMatch(/new of Ann|notes\/3|hush/);
  });

  test("is told of a record's own URL to who may read it, and 404 to others", async () => {
    const { follow, client } = await start();
    const [anns, bens] = [await follow("/notes/1", await as(ann)), await follow("/notes/1", await as(ben))];

    await client.query("UPDATE notes SET text = 'changed' WHERE id = 1");
    await anns.until(({ status, body }) => status === 202 && String(body).includes("changed"));

    expect(anns.texts.join("")).not.toContain("hush");
    expect(bens.texts.join("")).toMatch(/^HTTP\/1\.1 404/);
    expect(bens.texts.join("")).not.toContain("changed");
  });

  test("begins anew for who comes back with a position of the journal's, and shows no more than before", async () => {
    const { follow, client, scaffold } = await start();
    const position = scaffold.journal?.head.eventId ?? "";
    await client.query(`INSERT INTO notes VALUES (3, '${ben}', 'new of Ben')`);
    await scaffold.journal?.poll();

    const anns = await follow("/notes", { ...(await as(ann)), "Last-Event-ID": position });

    expect((await anns.until(() => true)).status).toBe(200);
    expect(anns.texts.join("")).not.toMatch(/of Ben/);
  });
});
