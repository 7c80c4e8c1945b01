import type { Form } from "./delivery.ts";
import type { Framing } from "./transport.ts";

/** The frames of one message, by framing. */
export type Frames = Map<Framing, Uint8Array>;

/** The opening messages that many subscriptions get from one answer: each is encoded once per form. */
export class SharedFrames {
  readonly #frames: WeakMap<object, Partial<Record<Form, Frames>>> = new WeakMap();

  /** Where the frames of the message that is made of `source` in this form are, or are to be put. */
  of(source: object, form: Form): Frames {
    let forms = this.#frames.get(source);
    if (!forms) {
      forms = {};
      this.#frames.set(source, forms);
    }
    forms[form] ??= new Map();
    return forms[form];
  }
}
