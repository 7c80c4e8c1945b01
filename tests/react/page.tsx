import { act, type ReactNode, StrictMode } from "react";
import { createRoot, hydrateRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, expect, vi } from "vitest";
import type { Client } from "../../src/client/index.ts";
import { RocketProvider } from "../../src/react/index.ts";

/** What React complains of fails the test. @param isExpected - of what is said, what it should say */
export function failOnConsoleErrors(isExpected: (said: unknown) => boolean = () => false): void {
  const complaints: string[] = [];
  beforeEach(() => {
    complaints.length = 0;
    vi.spyOn(console, "error").mockImplementation((...said) => {
      if (!said.some(isExpected)) complaints.push(said.join(" "));
    });
  });
  afterEach(() => {
    vi.restoreAllMocks();
    expect(complaints).toEqual([]);
  });
}

/** Begins a write and gives what it promises; what it shows at once is drawn. */
export function begun<Result>(write: () => Result): Result {
  let result: { readonly of: Result } | undefined;
  act(() => {
    result = { of: write() };
  });
  return (result as { readonly of: Result }).of;
}

/** A React tree in the document. */
export interface Page {
  readonly element: HTMLElement;
  readonly text: string;
  show(node: ReactNode): Promise<void>;
  unmount(): Promise<void>;
}

export interface PageOptions {
  readonly isStrict?: boolean;
  /** HTML that a server rendered. */
  readonly html?: string;
  /** Told of what React could not make equal to the HTML. */
  readonly onMismatch?: (error: unknown) => void;
}

/** Shows a node in the document, below a provider, as a page would. */
export async function showPage(client: Client, node: ReactNode, options: PageOptions = {}): Promise<Page> {
  const { isStrict = false, html, onMismatch } = options;
  const element = document.createElement("div");
  document.body.append(element);
  const wrap = (inner: ReactNode): ReactNode => {
    const tree = <RocketProvider client={client}>{inner}</RocketProvider>;
    return isStrict ? <StrictMode>{tree}</StrictMode> : tree;
  };
  let root: Root | undefined;
  await act(async () => {
    if (html === undefined) {
      root = createRoot(element);
      root.render(wrap(node));
    } else {
      element.innerHTML = html;
      root = hydrateRoot(element, wrap(node), onMismatch ? { onRecoverableError: onMismatch } : {});
    }
  });
  return {
    element,
    get text() {
      return element.textContent ?? "";
    },
    show: (next) => act(async () => root?.render(wrap(next))),
    async unmount() {
      await act(async () => root?.unmount());
      element.remove();
    },
  };
}
