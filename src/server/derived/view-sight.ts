import { fieldValue } from "../../protocol/index.ts";
import type { DocumentSight, ViewSight } from "../hub-state.ts";
import type { DerivedView } from "./derived-view.ts";
import type { RecordList } from "./document.ts";
import { pathsOf } from "./sources.ts";

function rowsOf({ rule, rows }: RecordList, isStated: boolean, hasUrls: boolean): DocumentSight["rows"] {
  const known = rule.kind === "items" ? "answer" : isStated ? "option" : rule.kind;
  return { count: rows.length, urls: hasUrls ? known : "none", areAllNamed: !rows.hasOdd };
}

/** A derived view as an operator sees it, with what was learnt of its document. */
export function sightOf(view: DerivedView): ViewSight {
  const { url, members, asked, standing, sources, sharing, place } = view;
  const { body, list } = standing.document;
  const rows = list && rowsOf(list, place.rule !== undefined, standing.hasUrls);
  const document = { staleAt: pathsOf(url, sources.reads), givenTo: sharing.kind, length: body.length, rows };
  const items = fieldValue(standing.fields, "items");
  return { url, kind: "derived", followers: members.followers, asked: { ...asked }, items, document };
}
