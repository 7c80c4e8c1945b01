/** Thrown where the database does not let the viewer do something. The service has the status and the words for it. */
export class Denied extends Error {
  /** What the viewer may know of the reason. */
  readonly detail: string | undefined;

  /** @param cause - the driver's own error, where there is one */
  constructor(cause?: unknown, detail?: string) {
    super("The database does not let the viewer do that.", { cause });
    this.name = "Denied";
    this.detail = detail;
  }
}
