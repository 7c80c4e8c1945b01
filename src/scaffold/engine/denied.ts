/** Thrown where the database does not let the viewer do something. The service has the status and the words for it. */
export class Denied extends Error {
  /** @param cause - the driver's own error, where there is one */
  constructor(cause?: unknown) {
    super("The database does not let the viewer do that.", { cause });
    this.name = "Denied";
  }
}
