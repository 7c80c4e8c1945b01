export { type Comparable, compareValues } from "./compare.ts";
export { FilterError } from "./filter-error.ts";
export { conditionParameter, formatFilter, type Parameter } from "./filter-text.ts";
export { type JsonPath, parseJsonPath } from "./json-path.ts";
export { match } from "./match.ts";
export { matchRow } from "./match-row.ts";
export { isSearch, isTest, type Relation, startsWithOperator, type TestOperator } from "./operators.ts";
export { maxConditions, maxDepth, maxListed, parseFilter } from "./parse-filter.ts";
export { type Pattern, parsePattern, writePattern } from "./pattern.ts";
export { formatPlace, parsePlace } from "./place-text.ts";
export {
  type Condition,
  conditionsOf,
  type DatabaseTest,
  type Filter,
  groupOf,
  isGroup,
  mapFilter,
  partsOf,
} from "./tree.ts";
