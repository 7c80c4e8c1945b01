import { useRocketStatus } from "rocket-rest/react";

const words = {
  connecting: "Connecting",
  live: "Live",
  behind: "Catching up",
  polling: "A little late",
  stale: "Reconnecting",
  offline: "Offline",
  gone: "Gone",
  failed: "Refused",
};

/** How well what is shown agrees with the server. */
export function Badge() {
  const { state } = useRocketStatus();
  return <output className={`badge ${state}`}>{words[state]}</output>;
}

/** A coloured disc with the first letter of a name. */
export function Avatar({ name }: { name: string }) {
  const hue = ((name.codePointAt(0) ?? 0) * 47) % 360;
  return (
    <i className="avatar" aria-hidden="true" style={{ "--hue": hue } as object}>
      {name.slice(0, 1)}
    </i>
  );
}

/** A button of a message. */
export function Button({ label, act }: { label: string; act(): void }) {
  return (
    <button type="button" onClick={act}>
      {label}
    </button>
  );
}
