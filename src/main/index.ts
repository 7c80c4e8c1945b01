/**
 * What `import "rocket-rest"` gives: an error that says what to import instead. The names are here so that whoever imports
 * one of them gets that far; the types don't have them, so that no editor offers them.
 *
 * @module
 */

/** In `rocket-rest/client`. @internal */
export const createClient: undefined = undefined;
/** In `rocket-rest/react`. @internal */
export const RocketProvider: undefined = undefined;
/** In `rocket-rest/react`. @internal */
export const useClient: undefined = undefined;
/** In `rocket-rest/react`. @internal */
export const useCollection: undefined = undefined;
/** In `rocket-rest/react`. @internal */
export const useRecord: undefined = undefined;
/** In `rocket-rest/react`. @internal */
export const useRocketStatus: undefined = undefined;
/** In `rocket-rest/node`. @internal */
export const attach: undefined = undefined;
/** In `rocket-rest/node`. @internal */
export const createServer: undefined = undefined;
/** In `rocket-rest/scaffold`. @internal */
export const createScaffold: undefined = undefined;
/** In `rocket-rest/proxy`. @internal */
export const createProxy: undefined = undefined;

throw new TypeError(
  'rocket-rest has nothing to import under its bare name. Import from "rocket-rest/client" (createClient), ' +
    '"rocket-rest/react" (RocketProvider, useCollection, useRecord), "rocket-rest/node" (attach, createServer), ' +
    '"rocket-rest/scaffold" (createScaffold) or "rocket-rest/proxy" (createProxy).',
);
