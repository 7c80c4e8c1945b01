import { expect, it } from "vitest";
import { describeInBrowser } from "./browser.ts";
import { cell, edit, PageSite } from "./page-site.ts";

const wireLine = (text: string) => `.wire-line:has-text("${text}")`;

describeInBrowser("the page", (openContext) => {
  it("shows what another program writes, in the table and on the wire, and asks nobody else", async () => {
    const site = await PageSite.start();
    const page = await site.open(await openContext());
    site.run("UPDATE artists SET name = 'The Beatles (UK)' WHERE id = 1");

    await cell(page, "The Beatles (UK)").waitFor();
    const line = page.locator(wireLine("202 Accepted"));
    await line.getByText("changed name").waitFor();
    await line.click();
    const message = await page.locator(".wire-entry[open] pre").textContent();
    expect(message).toMatch(/^HTTP\/1\.1 202 Accepted\r\n/);
    expect(message).toContain("Content-Location: /artists/1\r\n");
    expect(message).toContain('"name":"The Beatles (UK)"');
    expect([...site.hosts]).toEqual([new URL(site.url).host]);
    expect(site.troubles).toEqual([]);
  });

  it("shows what a select gives, as the GET does", async () => {
    const site = await PageSite.start();
    const page = await site.open(await openContext(), "/artists?select=label:name,albums(title)&id=eq.1");
    await cell(page, "The Beatles").waitFor();
    const heads = await page.getByRole("columnheader").allTextContents();
    expect(heads.join()).toMatch(/label.*albums/);
    expect(heads.join()).not.toMatch(/country|formed/);
    await page.locator('[role="gridcell"]:has-text(\'[{"url":"/albums/1","title":\')').waitFor();
    expect(site.troubles).toEqual([]);
  });

  it("counts the rows of collections that are not open, too", async () => {
    const site = await PageSite.start();
    const page = await site.open(await openContext(), "/albums");
    await page.getByRole("link", { name: "artists 123" }).waitFor();
    site.run("INSERT INTO artists (name, country, genre, formed) VALUES ('Low', 'US', 'slowcore', 1993)");
    await page.getByRole("link", { name: "artists 124" }).waitFor();
  });

  it("keeps up with thousands of changes, and keeps the last thousand messages", async () => {
    const site = await PageSite.start();
    const page = await site.open(await openContext());
    // Each statement is a transaction of 123 changes.
    site.run(Array.from({ length: 25 }, (_, at) => `UPDATE artists SET formed = ${at};`).join(""));
    const formed = page.locator(".grid-body .cell:nth-child(6)");
    await expect
      .poll(async () => new Set(await formed.allTextContents()), { timeout: 15_000 })
      .toEqual(new Set(["24"]));
    expect(await page.locator(".wire-line").count()).toBeLessThanOrEqual(250);
    await page.locator(".status.is-live").waitFor();
    expect(site.troubles).toEqual([]);
  });

  it("edits in place, and shows how long the message took after the answer", async () => {
    const site = await PageSite.start();
    const page = await site.open(await openContext());
    await edit(page, "Pink Floyd", "The Pink Floyd");
    await cell(page, "The Pink Floyd").waitFor();
    await page
      .locator(wireLine("202 Accepted"))
      .getByText(/^[+−]\d+\.\d ms$/)
      .waitFor();
    const response = await fetch(`${site.url}/artists/3`);
    expect(await response.json()).toMatchObject({ artist: { name: "The Pink Floyd", genre: "progressive rock" } });
  });

  it("keeps what was typed where the server refuses it, and says why there", async () => {
    const site = await PageSite.start(
      "CREATE TABLE ages (id INTEGER PRIMARY KEY, age INTEGER CHECK (age < 150), name TEXT UNIQUE); INSERT INTO ages VALUES (1, 20, 'Ann'), (2, 30, 'Bob');",
    );
    const page = await site.open(await openContext(), "/ages");
    await edit(page, "Ann", "Bob");
    await page.locator(".editor .trouble", { hasText: /./ }).waitFor();
    expect(await page.locator("#cell-input").inputValue()).toBe("Bob");
    await page.locator("#cell-input").fill("Cleo");
    await page.keyboard.press("Enter");
    await cell(page, "Cleo").waitFor();
    await edit(page, "20", "200");
    await page.locator(".editor .trouble", { hasText: /./ }).waitFor();
    expect(await page.locator("#cell-input").inputValue()).toBe("200");
    expect(await page.locator(".toast").count()).toBe(0);
    await page.keyboard.press("Escape");
    await cell(page, "20").waitFor();
    expect(site.troubles).toEqual([]);
  });

  it("saves a cell where one clicks elsewhere, and nothing after Escape", async () => {
    const site = await PageSite.start();
    const page = await site.open(await openContext());
    await cell(page, "Pink Floyd").dblclick();
    await page.locator("#cell-input").fill("The Pink Floyd");
    await cell(page, "Queen").click();
    await cell(page, "The Pink Floyd").waitFor();
    const name = async () => ((await (await fetch(`${site.url}/artists/3`)).json()) as { artist: Artist }).artist.name;
    interface Artist {
      readonly name: string;
    }
    await expect.poll(name).toBe("The Pink Floyd");

    await cell(page, "The Pink Floyd").dblclick();
    await page.locator("#cell-input").fill("Nobody");
    await page.keyboard.press("Escape");
    await cell(page, "The Pink Floyd").waitFor();

    // What can't be read as a number stays to be put right.
    await cell(page, "1970").first().dblclick();
    await page.locator("#cell-input").fill("soon");
    await cell(page, "The Pink Floyd").click();
    await page.locator(".editor").getByText("This is no number.").waitFor();
    await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe("cell-input");
    await page.keyboard.press("Escape");
    expect(await page.locator(".editor").count()).toBe(0);
    expect(site.troubles).toEqual([]);
  });

  it("meets no conflict with an own write that is answered while one types", async () => {
    const site = await PageSite.start();
    const context = await openContext();
    let answer = (): void => {};
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    await context.route("**/artists/3", async (route) => {
      if (route.request().method() === "PATCH") await answered;
      await route.continue();
    });
    const page = await site.open(context);
    await edit(page, "Pink Floyd", "First");
    await cell(page, "First").dblclick();
    answer();
    await page.locator(wireLine("PATCH 200")).waitFor();
    await page.locator("#cell-input").fill("Second");
    await page.keyboard.press("Enter");
    await page.locator(wireLine("PATCH 200")).nth(1).waitFor();
    await cell(page, "Second").waitFor();
    expect(await page.locator("dialog").count()).toBe(0);
  });

  it("makes columns as wide as what is in them where there is room, and as somebody draws them", async () => {
    const long = "A title that says what it is about, and goes on a little";
    const site = await PageSite.start(
      `CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT, mark TEXT); INSERT INTO notes VALUES (1, '${long}', 'x')`,
    );
    const page = await site.open(await openContext({ viewport: { width: 1280, height: 800 } }), "/notes");
    const title = cell(page, long);
    const width = async (): Promise<number> => (await title.boundingBox())?.width ?? 0;
    await title.waitFor();
    expect(await title.evaluate((one) => one.scrollWidth <= one.clientWidth)).toBe(true);
    const before = await width();
    site.run(`UPDATE notes SET mark = 'a mark that is much longer than the one before'`);
    await page.getByText("There it is.").waitFor();
    expect(await width()).toBe(before);

    const head = page.getByRole("columnheader", { name: "title" });
    const {
      x,
      y,
      width: wide,
      height,
    } = (await head.boundingBox()) as { x: number; y: number; width: number; height: number };
    await page.mouse.move(x + wide, y + height / 2);
    await page.mouse.down();
    await page.mouse.move(x + wide - 100, y + height / 2);
    await page.mouse.up();
    await expect.poll(width).toBe(before - 100);
    await head.getByRole("button").focus();
    await page.keyboard.press("Shift+ArrowRight");
    await expect.poll(width).toBe(before - 84);
    await page.mouse.dblclick(x + before - 84, y + height / 2);
    await expect.poll(width).toBe(before);
    expect(site.troubles).toEqual([]);
  });

  it("says that a URL can't be followed, whatever it is", async () => {
    const site = await PageSite.start();
    const page = await (await openContext()).newPage();
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    await page.goto(`${site.url}/.well-known/rocket/inspector#//evil.example/x`);
    await page.getByText(/"\/\/evil.example\/x" is no URL of/).waitFor();
    await page.locator(".status.is-failed").waitFor();
    await page.goto(`${site.url}/.well-known/rocket/inspector#/%`);
    await page.locator(".status.is-failed").waitFor();
    expect(errors).toEqual([]);
  });

  it("shows both versions where somebody else was faster, and writes what is chosen", async () => {
    const site = await PageSite.start();
    const page = await site.open(await openContext());
    await cell(page, "Queen").dblclick();
    site.run("UPDATE artists SET name = 'Smile' WHERE id = 7");
    await cell(page, "Smile").waitFor();
    await page.locator("#cell-input").fill("King");
    await page.keyboard.press("Enter");

    const dialog = page.getByRole("dialog", { name: "Changed by somebody else" });
    await dialog.waitFor();
    expect(await dialog.locator("tbody tr").allTextContents()).toEqual(["nameQueenSmileKing"]);
    await dialog.getByRole("button", { name: "Keep theirs" }).click();
    await cell(page, "Smile").waitFor();

    await edit(page, "Smile", "King");
    await cell(page, "King").waitFor();
    expect(site.troubles).toEqual([]);
  });

  it("tells NULL from the empty text", async () => {
    const site = await PageSite.start("UPDATE albums SET label = NULL; UPDATE albums SET label = '' WHERE id = 2;");
    const page = await site.open(await openContext(), "/albums?id=lte.2");
    const [first, second] = [cell(page, "NULL"), cell(page, "empty")];
    await first.waitFor();
    await second.dblclick();
    await page.locator(".editor").getByRole("button", { name: "NULL" }).click();
    await page.getByRole("button", { name: "Save" }).click();
    await expect.poll(() => first.count()).toBe(2);
    const album = async () => (await fetch(`${site.url}/albums/2`)).json();
    await expect.poll(album).toMatchObject({ album: { label: null } });
  });

  it("creates a record by a form that says what is wrong with each field", async () => {
    const site = await PageSite.start();
    const page = await site.open(await openContext());
    await page.getByRole("button", { name: "+ Row" }).click();
    const form = page.getByRole("dialog", { name: "New artist" });
    await form.getByLabel("name").fill("Low");
    await form.getByRole("button", { name: "Create" }).click();
    // All that is missing is said at once.
    await form.getByText("This must be given.").nth(2).waitFor();
    expect(await form.getByText("This must be given.").count()).toBe(3);
    for (const [name, value] of Object.entries({ country: "US", genre: "slowcore", formed: "1993" })) {
      await form.getByLabel(name).fill(value);
    }
    await form.getByRole("button", { name: "Create" }).click();
    await form.waitFor({ state: "detached" });
    await page.locator(wireLine("201 Created")).getByText("entered at 124").waitFor();
    await page.locator(".rows-bar .count", { hasText: "124 rows" }).waitFor();
    await page.getByRole("link", { name: "artists 124" }).waitFor();
    // It is gone to.
    await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toBe("124");
  });

  it("offers what a new record may have: keys by the names of their records, and what a check lists", async () => {
    const site = await PageSite.start("ALTER TABLE albums ADD COLUMN kind TEXT CHECK (kind IN ('live', 'studio'))");
    const page = await site.open(await openContext(), "/albums");
    await page.getByRole("button", { name: "+ Row" }).click();
    const form = page.getByRole("dialog", { name: "New album" });
    const artist = form.getByLabel("artist_id INTEGER → artists, required");
    await artist.fill("pink");
    await form.locator('datalist option[value="3"][label="Pink Floyd"]').waitFor({ state: "attached" });
    await artist.fill("3");
    await form.getByLabel("title").fill("More");
    await form.getByLabel("year").fill("1969");
    await form.getByLabel("kind").selectOption("studio");
    await form.getByRole("button", { name: "Create" }).click();
    await form.waitFor({ state: "detached" });
    const found = await fetch(`${site.url}/albums?title=More`);
    expect(await found.json()).toMatchObject({ albums: [{ artist_id: 3, kind: "studio", label: null }] });
    expect(site.troubles).toEqual([]);
  });

  it("names the records that a key may be of by what tells them apart, and fills in the key that a list has", async () => {
    const site = await PageSite.start(
      `CREATE TABLE tickets (id INTEGER PRIMARY KEY, state TEXT, wish TEXT);
       INSERT INTO tickets VALUES (1, 'open', 'Tea'), (2, 'open', 'Milk');
       CREATE TABLE notes (id INTEGER PRIMARY KEY, ticket_id INTEGER NOT NULL REFERENCES tickets (id))`,
    );
    const page = await site.open(await openContext(), "/notes?ticket_id=2");
    await page.getByRole("button", { name: "+ Row" }).click();
    const ticket = page.getByRole("dialog").getByLabel("ticket_id");
    expect(await ticket.inputValue()).toBe("2");
    await ticket.fill("te");
    await page.locator('datalist option[value="1"][label="Tea"]').waitFor({ state: "attached" });
    await ticket.fill("2");
    await page.getByRole("button", { name: "Create" }).click();
    await page.locator(".rows-bar .count", { hasText: "1 row matches" }).waitFor();
    expect(site.troubles).toEqual([]);
  });

  it("says so where a new record is not among the rows that are shown, and leads to it", async () => {
    const site = await PageSite.start("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)");
    const page = await site.open(await openContext(), "/notes?text=eq.a");
    await page.getByRole("button", { name: "+ Row" }).click();
    // What the rows of the list have alike is filled in.
    expect(await page.getByRole("textbox", { name: "text TEXT" }).inputValue()).toBe("a");
    await page.getByRole("textbox", { name: "text TEXT" }).fill("b");
    await page.getByRole("button", { name: "Create" }).click();
    await page.getByText("Created /notes/1. It is not among the rows that are shown.").waitFor();
    await page.getByRole("button", { name: "Show it" }).click();
    await cell(page, "b").waitFor();
    expect(page.url()).toBe(`${site.url}/notes/1`);
  });

  it("deletes by a key, and takes that back", async () => {
    const site = await PageSite.start("PRAGMA foreign_keys = OFF; DELETE FROM albums WHERE artist_id = 2;");
    const page = await site.open(await openContext());
    await cell(page, "The Rolling Stones").focus();
    await page.keyboard.press("Delete");
    const dialog = page.getByRole("dialog", { name: "Delete /artists/2?" });
    await dialog.getByText("Rows of albums may refer to it.").waitFor();
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await page.keyboard.press("Delete");
    await dialog.getByRole("button", { name: "Delete" }).click();
    await cell(page, "The Rolling Stones").waitFor({ state: "detached" });
    await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toBe("Pink Floyd");
    await page.getByRole("button", { name: "Undo (Ctrl+Z)" }).waitFor();
    await page.keyboard.press("Control+z");
    await cell(page, "The Rolling Stones").waitFor();
    await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toBe("2");
    const artist = async () => (await fetch(`${site.url}/artists/2`)).json();
    await expect.poll(artist).toMatchObject({ artist: { id: 2, country: "United Kingdom" } });
  });

  it("says who refers to a row that can't be deleted", async () => {
    const site = await PageSite.start(
      `CREATE TABLE towns (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO towns VALUES (1, 'Ulm'), (2, 'Bonn');
       CREATE TABLE trips (id INTEGER PRIMARY KEY, town_id INTEGER NOT NULL REFERENCES towns (id)); INSERT INTO trips VALUES (1, 1), (2, 1);`,
    );
    const page = await site.open(await openContext(), "/towns");
    await cell(page, "Ulm").focus();
    await page.keyboard.press("Delete");
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await page.getByText("/towns/1 was not deleted: 2 rows of trips refer to it.").waitFor();
    await cell(page, "Ulm").waitFor();
  });

  it("filters and sorts in the URL, by the form and by the text", async () => {
    const site = await PageSite.start();
    const page = await site.open(await openContext());
    await page.getByRole("button", { name: "+ Filter" }).click();
    await page.getByLabel("Column").selectOption("formed");
    await page.getByLabel("Operator").selectOption("lt");
    await page.getByLabel("Value").fill("1950");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.locator(".rows-bar .count", { hasText: "match" }).waitFor();
    expect(page.url()).toBe(`${site.url}/artists?formed=lt.1950`);

    await page.getByRole("columnheader", { name: "name" }).getByRole("button").focus();
    await page.keyboard.press("Enter");
    await page.locator('[aria-sort="ascending"]').waitFor();
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("name▴");
    expect(page.url()).toBe(`${site.url}/artists?formed=lt.1950&order=name`);
    const { artists } = (await (await fetch(page.url())).json()) as { artists: { name: string }[] };
    await expect
      .poll(() => page.locator(".grid-body .cell:nth-child(3)").allTextContents())
      .toEqual(artists.slice(0, 15).map(({ name }) => name));

    await page.getByLabel("Query, as the URL has it").fill("formed=lt.x");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("formed").waitFor();
    await expect.poll(() => page.locator(".grid-body .grid-row").count()).toBe(0);
    await page.goBack();
    await page.locator('[aria-sort="ascending"]').waitFor();
  });

  it("goes from a row to what it refers to, and to what refers to it", async () => {
    const site = await PageSite.start();
    const page = await site.open(await openContext(), "/albums/1");
    await page.locator(".reference").first().click();
    await page.waitForURL(/\/artists\?id=/);
    await cell(page, "The Beatles").waitFor();
    await page.locator(".row-menu").first().click();
    await page.getByRole("menuitem", { name: "albums of this row" }).click();
    await page.waitForURL(`${site.url}/albums?artist_id=1`);
    await page.locator(".rows-bar .count", { hasText: "match" }).waitFor();
  });

  it("goes on where it was after the connection was cut, and catches up after it was offline", async () => {
    const site = await PageSite.start();
    const page = await site.open(await openContext());
    await page.getByRole("button", { name: "Cut the connection" }).click();
    await page.locator(wireLine("goes on where it was")).first().waitFor();
    await page.locator(".status.is-live").waitFor();

    await page.getByRole("button", { name: "Go offline" }).click();
    await page.locator(".status.is-offline").waitFor();
    site.run("UPDATE artists SET name = 'Meanwhile' WHERE id = 4");
    await page.getByRole("button", { name: "Go online" }).click();
    await cell(page, "Meanwhile").waitFor();
    await page.locator(".status.is-live").waitFor();
    expect(site.troubles).toEqual([]);
  });

  it("writes as another program does", async () => {
    const site = await PageSite.start();
    const page = await site.open(await openContext());
    await page.getByRole("button", { name: "Write from another program…" }).click();
    await page.getByRole("button", { name: "Send" }).click();
    await page.getByText("200 OK", { exact: true }).first().waitFor();
    await cell(page, "The Beatles*").waitFor();
    expect(await page.locator(".command code").last().textContent()).toContain(
      "UPDATE artists SET name = 'The Beatles*'",
    );
  });

  it("keeps in the page only what is seen of a long list, and goes to its end", async () => {
    const rows =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) SELECT i, 'row ' || i FROM n";
    const site = await PageSite.start(
      `CREATE TABLE long (id INTEGER PRIMARY KEY, text TEXT); INSERT INTO long ${rows};`,
    );
    const context = await openContext();
    const asked: string[] = [];
    context.on("page", (opened) => {
      opened.on("websocket", (socket) => {
        socket.on("framesent", ({ payload }) => asked.push(...(/^SUBSCRIBE \S+/.exec(String(payload)) ?? [])));
      });
    });
    const page = await site.open(context, "/long");
    await page.locator(".rows-bar .count", { hasText: "300,000 rows" }).waitFor();
    const topOf = async (text: string): Promise<number | undefined> => (await cell(page, text).boundingBox())?.y;
    const top = await topOf("row 1");

    // A wheel goes row by row, though no element is as high as all rows.
    await cell(page, "row 1").hover();
    await page.mouse.wheel(0, 320);
    await expect.poll(() => topOf("row 11")).toBe(top);

    // Who drags the bar asks for nothing on the way.
    await page.evaluate(async () => {
      const grid = document.querySelector(".grid") as HTMLElement;
      for (let step = 1; step <= 60; step += 1) {
        grid.scrollTop = ((grid.scrollHeight - grid.clientHeight) * step) / 60;
        await new Promise((resolve) => requestAnimationFrame(resolve));
      }
    });
    await cell(page, "row 300000").waitFor();
    expect(asked.length).toBeLessThan(8);

    expect(await page.locator(".grid-body .grid-row").count()).toBeLessThan(60);
    site.run("UPDATE long SET text = 'the last' WHERE id = 300000");
    await cell(page, "the last").waitFor();

    await page.getByLabel("Query, as the URL has it").fill("order=nothing");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText('There is no column "nothing"').waitFor();
    await expect.poll(() => page.locator(".grid-body .grid-row").count()).toBe(0);
  });

  it("says what to do where there is no table, and shows the first one that is made", async () => {
    const site = await PageSite.start("DROP TABLE songs; DROP TABLE albums; DROP TABLE artists;");
    const page = await (await openContext()).newPage();
    await page.goto(site.url);
    await page.getByText("There is no table to show yet.").waitFor();
    site.run("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT); INSERT INTO notes VALUES (1, 'the first')");
    await cell(page, "the first").waitFor();
  });

  it("shows the table and the column that are made while one looks", async () => {
    const site = await PageSite.start();
    const page = await site.open(await openContext(), "/artists");
    site.run(
      `CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT); ALTER TABLE artists ADD COLUMN town TEXT DEFAULT 'Wien'`,
    );
    await page.getByRole("link", { name: /notes/ }).waitFor();
    await page.getByRole("columnheader", { name: /town/ }).waitFor();
    await cell(page, "Wien").first().waitFor();
    expect(site.troubles).toEqual([]);
  });

  it("can only be read where the server takes no writes", async () => {
    const site = await PageSite.start("", "--read-only");
    const page = await site.open(await openContext());
    expect(await page.getByRole("button", { name: "+ Row" }).isVisible()).toBe(false);
    await cell(page, "Queen").dblclick();
    await page.getByText("This can only be read.").waitFor();
    expect(await page.locator(".editor").count()).toBe(0);
  });
});
