import { Rights } from "../direct/rights.ts";
import { refusalOf, reopenSubscription } from "./authorise.ts";
import type { HubCore } from "./subscription.ts";

/** Asks again, for a hub's direct views, whether their viewers may still see them. */
export function createRights(hub: HubCore, refreshMs: number): Rights {
  return new Rights({
    clock: hub.clock,
    refreshMs,
    ask: (method, target, viewer) => hub.ask(method, target, viewer.fields, viewer),
    sync: () => hub.sync(),
    identityOf: (peer) => hub.identityOf(peer),
    refuse: (subscription, response) => {
      // The answer to a HEAD has no body, whatever its fields say.
      const fields = response.fields.filter(([name]) => !/^content-(?:type|length)$/i.test(name));
      subscription.connection.endRefused(subscription, refusalOf({ ...response, fields, body: "" }));
    },
    reopen: (subscription) => reopenSubscription(subscription),
  });
}
