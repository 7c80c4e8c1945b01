import type { Field } from "../../protocol/index.ts";
import { Delivery } from "../delivery/delivery.ts";
import type { ResolvedDerivedOptions } from "../derived/derived-options.ts";
import type { DerivedView, ViewHost } from "../derived/derived-view.ts";
import { DerivedViews } from "../derived/derived-views.ts";
import { tellingRecords } from "../derived/record-options.ts";
import { refusalOf, reopenSubscription, showDocument } from "./authorise.ts";
import type { HubCore, Subscription } from "./subscription.ts";

type Listener = Pick<ViewHost<Subscription>, "deliver" | "replace" | "hold" | "release" | "reopen" | "refuse" | "gone">;

function guarded(hub: HubCore, subscription: Subscription, give: () => void): void {
  try {
    give();
  } catch (error) {
    hub.reportError(error, "encode");
    subscription.connection.close(1011, "A change could not be written as a message.");
  }
}

function replace(view: DerivedView<Subscription>, subscription: Subscription): void {
  const { connection } = subscription;
  if (connection.isCongested) {
    subscription.leave();
    subscription.state = "behind";
    connection.catchUp(subscription);
    return;
  }
  showDocument(subscription, view);
  if (subscription.state === "live") connection.settle(subscription);
}

function end(view: DerivedView<Subscription>, subscription: Subscription): void {
  const eventId = view.eventId;
  const gone = new Delivery(view.url, [{ status: 204, position: 0, url: view.url, eventId }], 0, 0);
  const { connection } = subscription;
  for (const chunk of gone.encoded(subscription.form, connection.transport.framing).chunks)
    connection.send(chunk.bytes);
  connection.endGone(subscription);
}

/** Makes the views that a hub derives by asking its origin again. */
export function createDerivedViews(hub: HubCore, options: ResolvedDerivedOptions): DerivedViews<Subscription> {
  return new DerivedViews({
    ...options,
    records: tellingRecords(options.records, (error) => hub.reportError(error, "records")),
    times: options,
    clock: hub.clock,
    listener: derivedListener(hub),
    identityOf: (peer) => hub.identityOf(peer),
    reportError: (error, stage) => hub.reportError(error, stage),
    async ask(target, viewer, ifNoneMatch) {
      const conditional: readonly Field[] = ifNoneMatch === undefined ? [] : [["If-None-Match", ifNoneMatch]];
      const response = await hub.ask("GET", target, [...viewer.fields, ...conditional], viewer);
      // What can't be followed any more ends.
      return response.notLive === undefined ? response : refusalOf(response);
    },
  });
}

/** What the hub does with what its derived views find. */
function derivedListener(hub: HubCore): Listener {
  return {
    deliver(view, delivery) {
      for (const subscription of view.live) {
        guarded(hub, subscription, () => subscription.connection.deliverDerived(subscription, delivery));
      }
    },
    replace(view) {
      for (const subscription of [...view.live]) guarded(hub, subscription, () => replace(view, subscription));
    },
    hold(subscriptions) {
      for (const subscription of subscriptions) {
        if (subscription.state !== "live") continue;
        subscription.leave();
        subscription.state = "behind";
      }
    },
    release(subscriptions) {
      for (const subscription of subscriptions) {
        if (subscription.state === "behind") subscription.connection.catchUp(subscription);
      }
    },
    reopen(subscriptions) {
      for (const subscription of subscriptions) {
        const { derived } = subscription;
        reopenSubscription(subscription);
        // It keeps its name, and is given nothing of the view any more.
        derived?.remove(subscription);
      }
    },
    refuse(subscriptions, response) {
      for (const subscription of subscriptions) subscription.connection.endRefused(subscription, refusalOf(response));
    },
    gone(view, subscriptions) {
      for (const subscription of subscriptions) guarded(hub, subscription, () => end(view, subscription));
    },
  };
}
