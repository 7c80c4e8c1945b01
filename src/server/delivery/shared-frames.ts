import type { Frames } from "./message.ts";
import type { Form } from "./notification.ts";

type FramesByForm = Partial<Record<Form, Frames>>;

/**
 * The opening messages that many subscriptions get from one answer at about the same time: each is encoded once per
 * form. What they are made of may be kept for much longer.
 */
export class SharedFrames {
  #frames: WeakMap<object, FramesByForm> = new WeakMap();
  /** Those of before the last look around. */
  #before: WeakMap<object, FramesByForm> = new WeakMap();

  /** Where the frames of the message that is made of `source` in this form are, or are to be put. */
  of(source: object, form: Form): Frames {
    const forms = this.#frames.get(source) ?? this.#before.get(source) ?? {};
    this.#frames.set(source, forms);
    forms[form] ??= new Map();
    return forms[form];
  }

  /** Gives up what nobody asked for since the last time. */
  sweep(): void {
    this.#before = this.#frames;
    this.#frames = new WeakMap();
  }
}
