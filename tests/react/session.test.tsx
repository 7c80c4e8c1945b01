// @vitest-environment happy-dom
import { act, type ReactNode } from "react";
import { describe, expect, it } from "vitest";
import { createClient, createSession, type Session } from "../../src/client/index.ts";
import { RocketProvider, useClient, useSession } from "../../src/react/index.ts";
import { failOnConsoleErrors, showPage } from "./page.tsx";

const url = "http://127.0.0.1:9";
const user = { id: "1", email: "ann@example.com", claims: {} };

/** A server that lets everybody in. */
const fetch: typeof globalThis.fetch = async (input) => {
  const isIn = String(input).endsWith("/auth/sign-in");
  const tokens = { access_token: "a", refresh_token: "r", user };
  return isIn ? Response.json(tokens) : new Response(null, { status: 204 });
};

(globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;

failOnConsoleErrors();

function Who({ session }: { readonly session: Session }): ReactNode {
  const { client, state, user: somebody } = useSession(session);
  return (
    <RocketProvider client={client}>
      <i>{`${state} ${somebody?.email ?? "nobody"} `}</i>
      <Acts session={session} />
    </RocketProvider>
  );
}

function Acts({ session }: { readonly session: Session }): ReactNode {
  return useClient() === session.client ? "acts" : "acts as somebody else";
}

describe("useSession", () => {
  it("says who has signed in, and gives the client that acts for them", async () => {
    const session = createSession(url, { keep: "token", fetch });
    const outer = createClient(url, { fetch });
    const page = await showPage(outer, <Who session={session} />, { isStrict: true });
    await act(() => session.ready);
    expect(page.text).toBe("signed-out nobody acts");

    await act(() => session.signIn({ email: user.email, password: "correct horse" }));
    expect(page.text).toBe("signed-in ann@example.com acts");

    await act(() => session.signOut());
    expect(page.text).toBe("signed-out nobody acts");
    await page.unmount();
    session.close();
    outer.close();
  });
});
