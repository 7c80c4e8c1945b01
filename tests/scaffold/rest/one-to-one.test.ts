import { describe, expect, test } from "vitest";
import { serve } from "./service.ts";

/** People who have one passport at most, by a unique column; one account by its primary key; pets by two columns. */
const peopleSql = `CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL, UNIQUE (id, name));
  CREATE TABLE passports (id INTEGER PRIMARY KEY, person_id INTEGER UNIQUE REFERENCES people (id), number TEXT);
  CREATE TABLE accounts (person_id INTEGER PRIMARY KEY REFERENCES people (id), balance INTEGER);
  CREATE TABLE pets (id INTEGER PRIMARY KEY, person_id INTEGER, owner TEXT, FOREIGN KEY (person_id, owner) REFERENCES people (id, name));
  CREATE UNIQUE INDEX pets_owner ON pets (owner, person_id);
  CREATE TABLE hats (id INTEGER PRIMARY KEY, person_id INTEGER REFERENCES people (id), size INTEGER, UNIQUE (person_id, size));
  CREATE TABLE coats (id INTEGER PRIMARY KEY, person_id INTEGER REFERENCES people (id), worn INTEGER);
  CREATE UNIQUE INDEX worn ON coats (person_id) WHERE worn = 1;
  INSERT INTO people VALUES (1, 'Ann'), (2, 'Ben'), (3, 'Cem');
  INSERT INTO passports VALUES (10, 1, 'X'), (11, 2, 'Y'), (12, NULL, 'Z');
  INSERT INTO accounts VALUES (1, 5);
  INSERT INTO pets VALUES (1, 2, 'Ben');
  INSERT INTO hats VALUES (1, 1, 50), (2, 1, 55);
  INSERT INTO coats VALUES (1, 1, 1), (2, 1, 0)`;

describe("Records that name one by a foreign key that is unique", () => {
  test("are one at most: an object or null, whatever makes the key unique", async () => {
    const { send } = await serve(peopleSql);

    const answer = await send("GET", "/people?select=name,passports(number),accounts(balance),pets(id)&id=lt.3");
    const lists = await send("GET", "/people/1?select=hats(size),coats(worn)&hats.order=size&coats.order=worn");

    expect(answer.json).toEqual({
      people: [
        {
          ...{ url: "/people/1", name: "Ann", passports: { url: "/passports/10", number: "X" } },
          ...{ accounts: { url: "/accounts/1", balance: 5 }, pets: null },
        },
        {
          ...{ url: "/people/2", name: "Ben", passports: { url: "/passports/11", number: "Y" } },
          ...{ accounts: null, pets: { url: "/pets/1", id: 1 } },
        },
      ],
    });
    expect(lists.text).toBe(
      '{"person":{"url":"/people/1","hats":[{"url":"/hats/1","size":50},{"url":"/hats/2","size":55}],' +
        '"coats":[{"url":"/coats/2","worn":0},{"url":"/coats/1","worn":1}]}}',
    );
  });

  test("sort, filter and spread as a record that is named", async () => {
    const { send } = await serve(peopleSql);

    const sorted = await send("GET", "/people?select=name,passports!inner(number)&order=passports(number).desc");
    const none = await send("GET", "/people?select=name,...passports(number)&passports=is.null");
    const counted = await send("GET", "/people/1?select=passports(count())");

    expect(sorted.json).toMatchObject({ people: [{ name: "Ben" }, { name: "Ann" }] });
    expect(none.text).toBe('{"people":[{"url":"/people/3","name":"Cem","number":null}]}');
    expect(counted.text).toBe('{"person":{"url":"/people/1","passports":[{"count":1}]}}');
  });

  test("are the list that they were below the record", async () => {
    const { send } = await serve(peopleSql);

    expect((await send("GET", "/people/1/passports")).json).toMatchObject({ passports: [{ id: 10 }] });
  });
});
