import type { ScryptOptions } from "node:crypto";
import { describe, expect, test } from "vitest";
import { resolveUsersOptions } from "../../../src/scaffold/users/options.ts";
import { Passwords, type Scrypt } from "../../../src/scaffold/users/passwords.ts";

/** Work that is done when a test says so. */
function createWork() {
  const asked: { readonly password: string; readonly saltBytes: number; readonly options: ScryptOptions }[] = [];
  const ends: (() => void)[] = [];
  let running = 0;
  let most = 0;
  const run: Scrypt = async (password, salt, options) => {
    asked.push({ password, saltBytes: salt.length, options });
    running += 1;
    most = Math.max(most, running);
    await new Promise<void>((resolve) => ends.push(resolve));
    running -= 1;
    return Buffer.alloc(32);
  };
  const finish = async (): Promise<void> => {
    for (let end = ends.shift(); end; end = ends.shift()) {
      end();
      await new Promise(setImmediate);
    }
  };
  return { run, asked, finish, most: () => most };
}

describe("Passwords", () => {
  test("cost 128 MiB by default, and are stored with how", async () => {
    const { passwordCost } = resolveUsersOptions({}, false);
    const passwords = new Passwords(passwordCost);

    const stored = await passwords.hash("correct horse");

    expect(stored).toMatch(/^scrypt:17:8:1:[\w-]{22}:[\w-]{43}$/);
    expect([await passwords.isRight("correct horse", stored), await passwords.isRight("wrong horse", stored)]).toEqual([
      true,
      false,
    ]);
  });

  test("that were stored at another cost count still", async () => {
    const stored = await new Passwords(4).hash("correct horse");

    expect(await new Passwords(5).isRight("correct horse", stored)).toBe(true);
  });

  test("of nobody cost the same work as those of somebody", async () => {
    const { run, asked, finish } = createWork();
    const passwords = new Passwords(17, run);
    const stored = `scrypt:17:8:1:${"A".repeat(22)}:${"A".repeat(43)}`;

    const answers = [passwords.isRight("guess", stored), passwords.isRight("guess", undefined)];
    await finish();

    expect(await Promise.all(answers)).toEqual([true, false]);
    expect(asked[1]).toEqual(asked[0]);
    expect(asked.length).toBe(2);
  });

  test("are worked on two at once; so many wait, and more are sent away", async () => {
    const { run, asked, finish, most } = createWork();
    const passwords = new Passwords(17, run);

    const answers = Array.from({ length: 100 }, () =>
      passwords.hash("correct horse").then(
        () => 200,
        ({ problem, fields }) => `${problem.status} ${fields.flat().join(" ")}`,
      ),
    );
    await new Promise(setImmediate);
    expect(asked.length).toBe(2);
    await finish();

    const ends = await Promise.all(answers);
    expect([most(), asked.length]).toEqual([2, 34]);
    expect(ends.filter((end) => end === 200).length).toBe(34);
    expect(ends.filter((end) => end === "503 Retry-After 5").length).toBe(66);
    const again = passwords.hash("correct horse");
    await finish();
    expect(await again).toMatch(/^scrypt:/);
  });

  test("are the same however their letters are written", async () => {
    const passwords = new Passwords(4);
    const stored = await passwords.hash("u\u0308ber alles");

    expect(await passwords.isRight("\u00fcber alles", stored)).toBe(true);
  });
});
