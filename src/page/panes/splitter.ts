import { element, onDrag } from "../dom.ts";

const step = 24;
const least = 96;

/** The line between the rows and the wire, which can be moved by pointer and by keys. */
export function createSplitter(): HTMLElement {
  const root = document.documentElement;
  const set = (height: number): void => {
    const most = innerHeight - 220;
    const clamped = Math.round(Math.max(least, Math.min(height, Math.max(least, most))));
    root.style.setProperty("--wire-height", `${clamped}px`);
    line.setAttribute("aria-valuenow", String(clamped));
  };
  const height = (): number => line.nextElementSibling?.getBoundingClientRect().height ?? least;
  const line = element("div", {
    class: "splitter",
    role: "separator",
    tabindex: 0,
    "aria-label": "Height of the wire",
    "aria-orientation": "horizontal",
    "aria-valuenow": 300,
    "aria-valuemin": least,
    "aria-valuemax": 2_000,
  });
  onDrag(line, () => (event) => set(innerHeight - event.clientY));
  line.addEventListener("keydown", ({ key }) => {
    if (key === "ArrowUp") set(height() + step);
    if (key === "ArrowDown") set(height() - step);
  });
  return line;
}
